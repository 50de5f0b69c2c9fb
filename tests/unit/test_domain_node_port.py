"""Which port of the pod is asked, and each Service that leads nowhere."""

import pytest
from msgspec.structs import replace as with_fields

from controller.base.errors import TargetFault
from controller.domain.manifest.node_port import node_port
from controller.domain.objects import (
    Container,
    ContainerPort,
    Deployment,
    Service,
    ServicePort,
)
from tests.machine_objects import deployment, service, variables


def port(
    number: int, target: int | str | None = None, name: str = "", protocol: str = "TCP"
) -> ServicePort:
    return ServicePort(name=name, protocol=protocol, port=number, target_port=target)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([port(9650, 9650, "http")], 9650),
        ([port(80, "http", "web")], 9650),  # the name of the container's port
        ([port(80, 8080)], 8080),  # the only one
        ([port(80)], 80),  # without a target it is the port itself
        ([port(9651, 9651, "staking"), port(1, 7000, "http")], 7000),  # by name first
        ([port(9651, 9651, "staking"), port(9650, 9650, "api")], 9650),  # then by the usual number
        ([port(9651, 9651, "staking"), port(80, 9650, "api")], 9650),
        ([port(53, 53, "dns", "UDP"), port(80, 9650, "api")], 9650),
    ],
)
def test_the_port_behind_the_service_is_found(ports: list[ServicePort], expected: int) -> None:
    """Is the port called http taken, else 9650, else the only one?"""
    assert node_port(deployment(), service(ports=ports)) == expected


@pytest.mark.parametrize(
    ("found", "reason", "remedy"),
    [
        (None, "NoService", "make one"),
        (service(selector={"app": "other"}), "ServiceSelectsOther", "select the labels"),
        (service(selector={"app": "fuji", "tier": "x"}), "ServiceSelectsOther", "pod template"),
        (service(selector={}), "ServiceSelectsOther", "pod template"),
        (service(ports=[]), "NoUsablePort", "9650"),
        (service(ports=[port(1, 1), port(2, 2)]), "NoUsablePort", "name the node's HTTP port"),
        (service(ports=[port(80, "api")]), "NoUsablePort", "targetPort"),
        (service(ports=[port(80, 9650, "", "UDP")]), "NoUsablePort", "9650"),
        (service(ports=[port(80, 70000)]), "NoUsablePort", "9650"),
    ],
)
def test_a_service_that_leads_nowhere_gets_one_sentence(
    found: Service | None, reason: str, remedy: str
) -> None:
    """Does each unusable Service get its reason, its name and what to write?"""
    with pytest.raises(TargetFault) as caught:
        node_port(deployment(), found)
    assert caught.value.reason == reason
    assert "'fuji'" in str(caught.value)
    assert remedy in str(caught.value)


def told(value: str, *more: Container) -> Deployment:
    """The node says that it listens there; beside it more containers."""
    tested = deployment(env=variables(AVAGO_NETWORK_ID="fuji", AVAGO_HTTP_PORT=value))
    pod = tested.spec.template.spec
    pod = with_fields(pod, containers=[*(pod.containers or ()), *more])
    template = with_fields(tested.spec.template, spec=pod)
    return with_fields(tested, spec=with_fields(tested.spec, template=template))


def test_a_node_on_another_port_than_the_services_is_refused() -> None:
    """Is it told which port the Service must lead to, instead of a node that is never heard?"""
    with pytest.raises(TargetFault, match="write targetPort: 9660") as caught:
        node_port(told("9660"), service())
    assert caught.value.reason == "PortsDiffer"


@pytest.mark.parametrize(
    ("tested", "target", "expected"),
    [
        (told("9660"), 9660, 9660),
        (told("0x25C2"), 9666, 9666),  # as Go reads a whole number
        (told("9660", Container("proxy", ports=[ContainerPort("", 8080)])), 8080, 8080),
    ],
)
def test_a_node_that_is_reached_there_is_fine(
    tested: Deployment, target: int, expected: int
) -> None:
    """Is a port let be that the node, or a container before it, says that it listens on?"""
    assert node_port(tested, service(ports=[port(80, target)])) == expected


def linked(name: str, *, links: bool | None, address: str) -> tuple[Deployment, Service]:
    """links: the pod's enableServiceLinks. address: the Service's, `None` for none."""
    tested, found = deployment(name), service(name)
    pod = with_fields(tested.spec.template.spec, enable_service_links=links)
    template = with_fields(tested.spec.template, spec=pod)
    return (
        with_fields(tested, spec=with_fields(tested.spec, template=template)),
        with_fields(found, spec=with_fields(found.spec, cluster_ip=address)),
    )


@pytest.mark.parametrize("links", [None, True])
def test_a_service_whose_variables_are_the_nodes_flags_is_refused(links: bool | None) -> None:
    """Can no Service make AVAGO_HTTP_PORT `tcp://...` behind its Deployment's back [65]?"""
    with pytest.raises(TargetFault) as caught:
        node_port(*linked("avago-http", links=links, address="10.96.0.7"))
    assert caught.value.reason == "ServiceLinks"
    assert "enableServiceLinks: false" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "links", "address"),
    [
        ("avago-http", False, "10.96.0.7"),
        ("avago-http", None, "None"),  # a Service without an address gives no variables
        ("avalanche-http", None, "10.96.0.7"),
    ],
)
def test_a_service_that_gives_the_node_nothing_is_fine(
    name: str, links: bool | None, address: str
) -> None:
    """Is a name let be that the node does not see, or not as one of its flags?"""
    assert node_port(*linked(name, links=links, address=address)) == 9650
