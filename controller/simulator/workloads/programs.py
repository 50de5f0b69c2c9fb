"""Programs of others in pods: what this package knows nothing of, and plays all the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.base.clock import Clock
from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.initcontainer import InitContainer, PreparesData
from controller.simulator.workloads.processes import Process


@dataclass(frozen=True)
class Call:
    """What a container is started with."""

    container: str
    words: tuple[str, ...]  # command and args in one; empty where the image has its own
    environment: Mapping[str, str]  # as the kubelet makes it, with the downward API
    pod: Object  # as it was when its machine took it; not to be changed
    clock: Clock  # the machine's
    # From a port of the pod to the one of this machine where its node really listens, on 127.0.0.1;
    # None while nobody listens there. Asked anew for each connection.
    localhost: Callable[[int], int | None]

    @property
    def account(self) -> str:
        """Name of the pod's service account."""
        return str(self.pod["spec"]["serviceAccountName"])


# A process that is not running yet; None for what this is no program of: the usual rules hold.
Programs = Callable[[Call], Process | None]


def no_programs(_: Call) -> Process | None:
    return None


@dataclass(frozen=True)
class Software:
    """What runs in the containers of a machine."""

    init_container: InitContainer = field(default_factory=PreparesData)
    programs: Programs = no_programs
