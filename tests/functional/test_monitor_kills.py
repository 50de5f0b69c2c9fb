"""A monitor that is killed at any of its requests: what another makes of it in its place."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.controlled_world import MINUTE
from tests.monitored_world import Blow, MonitoredWorld, monitored_world

pytestmark = pytest.mark.jumping

BUILD = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=2 * MINUTE))
ANNOTATIONS = {names.SOAK: "2m"}
# What a user may choose, and what makes fewer requests: seldom polled, and looked at.
SELDOM = {"poll_interval": "4m", "probe_interval": "1m", "resync_interval": "1h"}

PASSING = ["NewBuild", "NodeStarted", "Bootstrapped", "Soaked"]
PARTS = 4  # that the requests of a run are dealt into
WRITES = ("create", "update", "patch")


@dataclass(frozen=True)
class Ending:
    """How a run stands when nothing more happens."""

    requests: list[str]  # of all lives, without those about Leases
    outcomes: list[str]
    builds: tuple[str, ...]  # that count as tested
    phase: str
    open_run: bool
    reasons: list[str]  # that were told by Kubernetes Events
    logged: set[str]  # transitions that the log told
    lives: int
    struck: bool


async def played(folder: Path, blow: Blow | None) -> Ending:
    """One run from its first pod to its verdict, and a little more."""
    async with monitored_world(folder, BUILD, **SELDOM) as world:
        world.monitors.blow = blow
        world.deploy_monitored("fuji", annotations=ANNOTATIONS)
        await world.passes("fuji")
        await world.a_while(2)  # a life that begins anew asks once at its start
        record = world.record("fuji")
        assert record is not None
        return Ending(
            world.monitors.requests,
            world.outcomes("fuji"),
            tuple(build for builds in record.tested.values() for build in builds),
            str(record.phase),
            record.run is not None,
            world.reasons("fuji"),
            told(world),
            len(world.monitors.lives),
            world.monitors.struck,
        )


def told(world: MonitoredWorld) -> set[str]:
    """`Passed (Soaked)`, of each line of the log that tells a transition."""
    begin = "fuji-c-chain-state-sync: "
    return {
        line.removeprefix(begin).partition(" {")[0] for line in world.said if line.startswith(begin)
    }


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def assert_the_same(ending: Ending, quiet: Ending) -> None:
    """Another life of the monitor, and nothing else."""
    assert ending.struck
    assert 0 <= ending.lives - quiet.lives <= 1  # none, where its pod was to go at that moment
    assert ending.outcomes == quiet.outcomes
    assert ending.builds == quiet.builds
    assert (ending.phase, ending.open_run) == (quiet.phase, quiet.open_run)
    assert ending.reasons == quiet.reasons
    assert ending.logged >= quiet.logged


@pytest.mark.parametrize("part", range(PARTS))
async def test_killed_before_any_request(tmp_path: Path, part: int) -> None:
    """For every request of a whole run (every PARTS-th in each part): killed before it has an
    effect, does the next life come to the same record, and is each transition told?
    """
    quiet = await played(folder(tmp_path, "quiet"), None)
    assert (quiet.outcomes, quiet.phase, quiet.open_run) == (["Passed"], "Idle", False)
    assert quiet.reasons == PASSING
    assert len(quiet.logged) == len(PASSING)
    assert len(quiet.requests) > 20
    for number in range(part + 1, len(quiet.requests) + 1, PARTS):
        ending = await played(folder(tmp_path, str(number)), Blow(number))
        assert_the_same(ending, quiet)


@pytest.mark.parametrize("part", range(2))
async def test_killed_after_any_write(tmp_path: Path, part: int) -> None:
    """The same, killed when a write has had its effect and its answer has not come."""
    quiet = await played(folder(tmp_path, "quiet"), None)
    writes = [n for n, request in enumerate(quiet.requests, 1) if request.startswith(WRITES)]
    assert len(writes) > 6
    for number in writes[part::2]:
        ending = await played(folder(tmp_path, str(number)), Blow(number, after=True))
        assert_the_same(ending, quiet)
