"""The container that is the node: named by a person, and checked to be one that can be."""

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.manifest.monitor import is_monitor
from controller.domain.objects import Container, PodSpec


def node_container(pod: PodSpec, name: str) -> Container:
    """The ordinary container of that name. Raises TargetFault where it is none, or the monitor."""
    found = pod.container(name)
    if found is None or is_monitor(found):
        raise _fault(pod, name, found)
    return found


def _fault(pod: PodSpec, name: str, found: Container | None) -> TargetFault:
    """found: the ordinary container of that name."""
    said = shown(name, 63)
    there = ", ".join(shown(c.name, 40) for c in pod.containers or () if not is_monitor(c))
    instead = f"name the node's container in the annotation {names.CONTAINER}"
    init = next((c for c in pod.init_containers or () if c.name == name), None)
    named = found or init
    if named is not None and is_monitor(named):
        return TargetFault(
            "MonitorIsNotTheNode",
            f"container '{said}' runs the monitor and not avalanchego (there is: {there or 'none'})"
            f": {instead}",
        )
    if init is not None:
        return TargetFault(
            "NoSuchContainer",
            f"container '{said}' is an init container, and a node is an ordinary one (there is:"
            f" {there or 'none'}): {instead}",
        )
    return TargetFault(
        "NoSuchContainer",
        f"there is no container '{said}' (there is: {there or 'none'}): {instead}",
    )
