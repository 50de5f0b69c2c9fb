"""Whose a container of a run's pod is: only the node, and what takes the run id before it, say
anything of a build. All else was put there by others, such as a service mesh.
"""

from collections.abc import Iterator

from controller.domain.manifest.data_directories import run_id_variable
from controller.domain.objects import Container, ContainerStatus, Pod


def own_inits(pod: Pod) -> list[ContainerStatus]:
    """Of the init containers that take the run id and end."""
    ours = {c.name for c in pod.spec.init_containers or () if _prepares(c)}
    return [s for s in pod.status.init_container_statuses or () if s.name in ours]


def other_inits(pod: Pod) -> Iterator[tuple[ContainerStatus, bool]]:
    """Of the init containers of others, and whether each stays, as a native sidecar does: the
    containers behind it then wait for its start only [scene sidecar].
    """
    staying = {c.name for c in pod.spec.init_containers or () if _stays(c)}
    ours = {status.name for status in own_inits(pod)}
    for status in pod.status.init_container_statuses or ():
        if status.name not in ours:
            yield status, status.name in staying


def other_containers(pod: Pod, node: str) -> Iterator[ContainerStatus]:
    """Of all containers of others."""
    yield from (status for status, _ in other_inits(pod))
    yield from (s for s in pod.status.container_statuses or () if s.name != node)


def _prepares(container: Container) -> bool:
    return run_id_variable(container) is not None and not _stays(container)


def _stays(container: Container) -> bool:
    return container.restart_policy == "Always"
