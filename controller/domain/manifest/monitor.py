"""The monitor in a pod template: the container that looks after its own Deployment."""

from collections.abc import Iterable
from itertools import pairwise

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.manifest.command_line import CommandLine
from controller.domain.manifest.data_directories import run_id_variable
from controller.domain.manifest.environment import Environment
from controller.domain.objects import Container, Deployment, PodSpec
from controller.domain.reference import repository_of

_PROGRAM = "bootstrap-controller"  # of the package, and the end of its image's repository
_MODULE = ("-m", "controller")  # of Python
_COMMAND = "monitor"
# restartPolicy of an init container that the others do not wait for; on by default since Kubernetes
# 1.29, and dropped where it is off [K pkg/features/kube_features.go, SidecarContainers]
_SIDECAR = "Always"


def monitor_container(deployment: Deployment) -> str | None:
    """The name of the container that runs the monitor; None where none does. Init containers first,
    as the kubelet starts them.
    """
    return next((c.name for c in _monitors(deployment.spec.template.spec)), None)


def is_monitor(container: Container) -> bool:
    """Whether a container's command line is that of `bootstrap-controller monitor`, by itself or in
    a shell's script.
    """
    # Seldom true: the words of a long script are not split for nothing.
    if not any(_COMMAND in text for text in _texts(container)):
        return False
    words = CommandLine.of(container, Environment(container)).words
    if any(second == _COMMAND and _is_program(first) for first, second in pairwise(words)):
        return True
    calls = zip(words, words[1:], words[2:], strict=False)
    if (*_MODULE, _COMMAND) in calls:
        return True
    return not container.command and words[:1] == (_COMMAND,) and _is_image(container.image)


def check_monitor(pod: PodSpec, node: Container) -> None:
    """Raises TargetFault for a monitor that cannot do its work where it stands."""
    monitors = list(_monitors(pod))
    if not monitors:
        return
    name = shown(monitors[0].name, 63)
    if len(monitors) > 1:
        raise TargetFault(
            "TwoMonitors",
            f"containers '{name}' and '{shown(monitors[1].name, 63)}' both run the monitor, under"
            " the one name of their pod: leave one of them out",
        )
    place = next((i for i, c in enumerate(pod.init_containers or ()) if is_monitor(c)), None)
    if place is None:
        raise TargetFault(
            "MonitorNotSidecar",
            f"the monitor '{name}' is an ordinary container, which starts only when the init"
            " containers are done, and they wait for the run id that it has to write: make it the"
            f" first of initContainers, with restartPolicy: {_SIDECAR}",
        )
    inits = list(pod.init_containers or ())
    if inits[place].restart_policy != _SIDECAR:
        raise TargetFault(
            "MonitorNotSidecar",
            f"the monitor '{name}' is an init container without restartPolicy: {_SIDECAR}, so that"
            " its pod would wait for ever for it to end: write that, which needs Kubernetes 1.29"
            " or later (an older one drops the field; leave such a cluster to a controller)",
        )
    before = next((c for c in inits[:place] if run_id_variable(c)), None)
    if before is not None:
        raise TargetFault(
            "MonitorNotFirst",
            f"the monitor '{name}' stands behind init container '{shown(before.name, 63)}', which"
            " waits for the run id that the monitor has to write: put it first",
        )
    own = repository_of(inits[place].image)
    if own is not None and own == repository_of(node.image):
        raise TargetFault(
            "MonitorOfNodeImage",
            f"the monitor '{name}' is of the node's repository, so that a pin would replace it with"
            " the build that is tested: give it an image of another repository",
        )


def _monitors(pod: PodSpec) -> Iterable[Container]:
    everything = (*(pod.init_containers or ()), *(pod.containers or ()))
    return (container for container in everything if is_monitor(container))


def _texts(container: Container) -> Iterable[str]:
    yield from container.command or ()
    yield from container.args or ()
    yield from (variable.value for variable in container.env or ())


def _is_program(word: str) -> bool:
    return word.rpartition("/")[2] == _PROGRAM


def _is_image(image: str) -> bool:
    repository = repository_of(image)
    return repository is not None and repository.path.endswith(_PROGRAM)
