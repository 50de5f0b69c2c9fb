"""How long a bootstrap took: by the cluster's own time stamps, whoever looked or did not."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from controller.domain.objects import Pod, PodCondition
from controller.domain.record.record import Outcome
from tests.machine_objects import BUSY, SOUND, deployment
from tests.machine_scene import HOUR, KEY, scene
from tests.machine_world import World

READINESS = {"httpGet": {"path": "/ext/health/readiness", "port": 9650}}


def ready(found: Pod, at: datetime, probe: dict[str, object] | None = None) -> Pod:
    """The pod as it is once its readiness probe has succeeded."""
    container = found.spec.container("node")
    assert container is not None
    spec = replace(found.spec, containers=[replace(container, readiness_probe=probe or READINESS)])
    told = PodCondition(type="Ready", status="True", last_transition_time=at)
    return replace(found, spec=spec, status=replace(found.status, conditions=[told]))


def bootstrapped(after: float, probe: dict[str, object] | None = None) -> Outcome:
    """A run whose controller was away from the node's start for an hour, and whose pod was ready
    that many seconds after the start.
    """
    world = World()
    key = world.add(deployment())
    world.start_run(key)
    world.kubelet(key)
    started = world.now
    world.settle(key)
    (made,) = world.pods[key]
    world.pods[key] = (ready(made, started + timedelta(seconds=after), probe),)
    world.pass_time(HOUR)
    world.probe(key, SOUND)
    world.settle(key)
    world.finish(key)
    outcome = world.record(key).outcome()
    assert outcome is not None
    return outcome


def test_a_duration_is_from_the_first_start_until_the_pod_was_ready() -> None:
    """Does a bootstrap take what it took, though nobody looked at it?"""
    outcome = bootstrapped(1500)
    assert outcome.lasted == 1500
    assert outcome.message.startswith("bootstrapped in 25m")


@pytest.mark.parametrize(
    ("after", "probe"),
    [
        (1500, {"httpGet": {"path": "/ext/health/liveness", "port": 9650}}),
        (1500, {"tcpSocket": {"port": 9650}}),
        (-60, None),  # of a clock that was put forward
        (30 * HOUR, None),  # and of one that was put back
    ],
)
def test_a_stamp_that_says_nothing_of_the_node_is_not_used(
    after: float, probe: dict[str, object] | None
) -> None:
    """Is it told as when the node was first seen to be ready, where the pod cannot tell?"""
    assert bootstrapped(after, probe).lasted == HOUR + 30


def test_what_was_observed_is_told_beside_where_it_is_less() -> None:
    """Are 25 seconds of which six were observed told as 25, and as six for comparison?"""
    found = scene()
    for answer, seconds in ((BUSY, 0), (BUSY, 6), (SOUND, 19)):
        found.world.probe(KEY, answer, seconds=seconds, gap=10)
        found.world.settle(KEY)
    run = found.world.record(KEY).run
    assert run is not None
    assert (run.lasted, run.took) == (25, 6.0)
    assert "bootstrapped in 25s (6s of it observed)" in found.world.record(KEY).message
