"""By which namespaces a cluster is known to its store.

Excluded: what then stands in a store (tests/functional/test_cluster_namespace.py).
"""

from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from controller.kube.api.client import KubeClient
from controller.kube.cluster_id import Identifying
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import load_settings
from tests.fakes import FakeClock
from tests.kube_samples.credentials import GivenCredentials

IN_POD = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}


def identifying(folder: Path, variables: dict[str, str], *, in_pod: bool) -> Identifying:
    """Of a process whose own namespace, or whose context's, is `own`."""
    (folder / "token").touch()
    environ = variables | (IN_POD if in_pod else {})
    around = Surroundings(FakeClock(), Random(1), environ, service_account=folder)
    wiring = Wiring(load_settings({}, environ), around, AsyncExitStack())
    return wiring.identifying(
        KubeClient(GivenCredentials("http://[::1]:1", namespace="own"), FakeClock())
    )


@pytest.mark.parametrize(
    ("in_pod", "watched", "given", "by"),
    [
        (True, "", "", ["own"]),
        (True, "*", "", ["own"]),
        (True, "b,a", "", ["own", "a", "b"]),
        (True, "b,own,a", "", ["own", "a", "b"]),
        (True, "b,a", "home", ["home", "own", "a", "b"]),
        (True, "b,a", "b", ["b", "own", "a"]),
        # What a context's namespace happens to be does not name a cluster that is told.
        (False, "b,a", "", ["a", "b"]),
        (False, "", "", ["own"]),
        (False, "*", "", ["own"]),
        (False, "b,a", "home", ["home", "a", "b"]),
    ],
)
def test_the_order_is_nobodys_choice(
    tmp_path: Path, in_pod: bool, watched: str, given: str, by: list[str]
) -> None:
    """Do a named namespace, the pod's own and then the watched ones by name tell the cluster?"""
    variables = {"BOOTSTRAP_NAMESPACES": watched, "BOOTSTRAP_CLUSTER_NAMESPACE": given}
    variables = {name: value for name, value in variables.items() if value}
    assert list(identifying(tmp_path, variables, in_pod=in_pod).all) == by
