"""Which credentials are ours: the pod's own, or a kubeconfig's."""

from collections.abc import Mapping
from pathlib import Path

from controller.base.clock import Clock
from controller.kube.login.credentials import Credentials
from controller.kube.login.service_account import (
    SERVICE_ACCOUNT,
    in_cluster,
    load_in_cluster,
)


async def load_credentials(
    kubeconfig: str | None,
    context: str | None,
    environ: Mapping[str, str],
    clock: Clock,
    service_account: Path = SERVICE_ACCOUNT,
) -> Credentials:
    """In the cluster if we are in one and no kubeconfig or context was asked for; else the
    kubeconfig: the one given, that of KUBECONFIG, or ~/.kube/config.

    Raises SettingsFault with a sentence that says what is wrong with it.
    """
    if not kubeconfig and not context and in_cluster(environ, service_account):
        return load_in_cluster(environ, clock, service_account)
    # Imported here: in the cluster nobody needs YAML and plugins.
    from controller.kube.login.kubeconfig.credentials import load_kubeconfig

    return await load_kubeconfig(kubeconfig, context, environ, clock)
