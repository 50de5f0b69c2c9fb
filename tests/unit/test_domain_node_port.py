"""Which port of the pod is asked, and each Service that leads nowhere."""

import pytest

from controller.base.errors import TargetFault
from controller.domain.manifest.node_port import node_port
from controller.domain.objects import Service, ServicePort
from tests.machine_objects import deployment, service


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
