"""What a monitor says where it cannot work, and that it goes on when it can."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.world import NAMESPACE, PERSON
from tests.controlled_world import SELDOM
from tests.monitored_world import MonitoredWorld, monitored_world

pytestmark = pytest.mark.jumping


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MonitoredWorld]:
    async with monitored_world(tmp_path, **SELDOM) as made:
        yield made


@pytest.mark.parametrize(
    ("verb", "resource", "name"),
    [
        ("patch", "deployments", "patch deployments.apps fuji"),
        ("watch", "pods", "watch pods"),
        ("update", "leases", "update leases.coordination.k8s.io fuji"),
    ],
)
async def test_a_role_that_lacks_a_right(
    world: MonitoredWorld, verb: str, resource: str, name: str
) -> None:
    """Is the right named in its log, and does the run begin when it is granted?"""
    world.monitors.denied.add((verb, resource))
    world.deploy_monitored("fuji")
    await world.until(lambda: world.has_said("missing right"))
    await world.until(lambda: world.has_said(f"missing right: {name}"))
    await world.until(lambda: len(world.monitors.refused) > 2)
    if verb != "watch":
        assert world.phase("fuji") == ""
    world.monitors.denied.clear()
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")


async def test_a_lease_that_is_missing(world: MonitoredWorld) -> None:
    """Is it said that its Lease cannot be made, and does it go on when somebody makes it?"""
    world.deploy("fuji", monitor=True)
    await world.until(lambda: any(a.resource == "leases" for a in world.monitors.refused))
    await world.until(lambda: world.has_said("create leases"))
    assert world.phase("fuji") == ""
    lease = {"metadata": {"name": "fuji", "namespace": NAMESPACE}}
    world.world.api.objects.create("leases", lease, PERSON)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")


async def test_a_deployment_without_the_label(world: MonitoredWorld) -> None:
    """Does the container end with 2, is the label named in its status, and does the next one work
    when it is there?
    """
    world.deploy_monitored("fuji", lambda d: d["metadata"].update(labels={"app": "fuji"}))

    def ended() -> str:
        pod = world.world.pod_of("fuji") or {}
        for status in (pod.get("status") or {}).get("initContainerStatuses") or ():
            last = status["lastState"].get("terminated") or {}
            if status["name"] == "monitor" and last.get("exitCode") == 2:
                return str(last["message"])
        return ""

    assert f'no label {names.TEST}: "true"' in await world.until(ended)
    world.world.change("fuji", lambda d: d["metadata"]["labels"].update({names.TEST: "true"}))
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
