"""The Service of a Deployment's name: which port of the pod is asked."""

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.manifest.data_directories import CONTRACT
from controller.domain.manifest.go_values import whole
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.manifest.request import node_container_name
from controller.domain.objects import Container, Deployment, Service


def node_port(deployment: Deployment, service: Service | None) -> int:
    """The pod's port behind the Service of the Deployment's name: its port called `http`, else
    9650, else the only one. Raises TargetFault.
    """
    name = deployment.metadata.name
    if service is None:
        raise TargetFault(
            "NoService",
            f"there is no Service '{name}' with the label {names.TEST}: \"true\": make one that"
            f" selects the pod, with the node's HTTP port; {CONTRACT}",
        )
    selector = service.spec.selector or {}
    labels = deployment.spec.template.metadata.labels or {}
    if not selector or any(labels.get(key) != value for key, value in selector.items()):
        raise TargetFault(
            "ServiceSelectsOther",
            f"the selector of Service '{name}' is not the pod's: select the labels of the"
            " Deployment's pod template",
        )
    _check_links(deployment, service)
    ports = [p for p in service.spec.ports or () if p.protocol == "TCP"]
    chosen = (
        next((p for p in ports if p.name == "http"), None)
        or next((p for p in ports if 9650 in (p.port, p.target_port)), None)
        or (ports[0] if len(ports) == 1 else None)
    )
    container = deployment.spec.template.spec.container(node_container_name(deployment))
    port = _target_port(chosen.target_port or chosen.port, container) if chosen else None
    if port is None:
        raise TargetFault(
            "NoUsablePort",
            f"Service '{name}' has no usable port: name the node's HTTP port (9650) 'http', with a"
            " targetPort that the node's container has",
        )
    _check_listens(deployment, port)
    return port


def _check_listens(deployment: Deployment, port: int) -> None:
    """A node that says at which port it listens, and another that is asked, would never be heard:
    unless another container of the pod says that it listens there, and passes on.
    """
    pod, node = deployment.spec.template.spec, node_container_name(deployment)
    container = pod.container(node)
    said = NodeFlags.of(container).said("http-port") if container else None
    if said is None or said.hidden or whole(said.value) in (None, port):
        return
    others = (c for c in (*(pod.containers or ()), *(pod.init_containers or ())) if c.name != node)
    if any(port == each.container_port for c in others for each in c.ports or ()):
        return
    name, listens = shown(deployment.metadata.name, 63), shown(said.value, 40)
    raise TargetFault(
        "PortsDiffer",
        f"Service '{name}' leads to port {port} of the pod, and the node listens on {listens}"
        f" ({said.place}): write targetPort: {listens}, and the same in the container's ports",
    )


def _check_links(deployment: Deployment, service: Service) -> None:
    """A Service with an address gives the pods of its namespace variables that begin with its name
    [65], unless they want none.
    """
    name = deployment.metadata.name
    linked = deployment.spec.template.spec.enable_service_links is not False
    prefix = f"{name.upper().replace('-', '_')}_"
    if linked and service.spec.cluster_ip != "None" and prefix.startswith("AVAGO_"):
        raise TargetFault(
            "ServiceLinks",
            f"Service '{shown(name, 63)}' gives the pod variables that begin with {shown(prefix)},"
            " which avalanchego takes for its flags: write enableServiceLinks: false in the pod",
        )


def _target_port(target: int | str, container: Container | None) -> int | None:
    if isinstance(target, int):
        return target if 0 < target < 65536 else None
    ports = (container.ports if container else None) or ()
    return next((p.container_port for p in ports if p.name == target), None)
