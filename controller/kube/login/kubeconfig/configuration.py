"""What kubernetes-asyncio makes of the one context that is used: server, TLS files, proxy, header.

It gets a kubeconfig of one cluster and one user in which nothing is left to decide: chosen and
checked (`chosen`), plugins asked (`exec_plugin`), data written to files. Its own choice and merging
are not used: they follow kubectl neither in which file counts nor in whom it acts as.
"""

from collections.abc import Mapping
from typing import Any

from controller.kube.login.kubeconfig.without_models import Configuration, KubeConfigLoader

_NAME = "chosen"


async def configuration_of(cluster: Mapping[str, Any], user: Mapping[str, str]) -> Configuration:
    """Both in the words of a kubeconfig, what is empty left out; paths absolute."""
    loader = KubeConfigLoader(
        config_dict={
            "clusters": [{"name": _NAME, "cluster": dict(cluster)}],
            "users": [{"name": _NAME, "user": dict(user)}],
            "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
        },
        active_context=_NAME,
    )
    configuration = Configuration()
    await loader.load_and_set(configuration)
    return configuration
