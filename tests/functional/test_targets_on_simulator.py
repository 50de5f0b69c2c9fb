"""The eight ready targets at work: each as kubectl builds it, on the simulated cluster, with its
real init script and the whole controller.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.domain.target import SyncMode
from controller.simulator.registry import SimulatedBuild
from tests.bash_init import SCRIPT
from tests.kustomize import build, one, ready
from tests.target_world import (
    FIRST,
    REPOSITORY,
    SECOND,
    SOAK,
    TAG,
    TargetWorld,
    target_world,
)

pytestmark = pytest.mark.jumping

TARGETS = [f"{network}-{mode}" for network in ("mainnet", "fuji") for mode in SyncMode]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[TargetWorld]:
    async with target_world(tmp_path) as found:
        found.world.push(REPOSITORY, TAG, FIRST)
        yield found


def name_of(target: str) -> str:
    return f"bootstrap-{target}"


def passed(stage: TargetWorld, target: str, number: int, build: SimulatedBuild) -> bool:
    """Whether the run of that number passed, of this build and for this target."""
    outcomes = stage.outcomes(name_of(target))
    found = [(str(o.phase), o.target, o.build) for o in outcomes]
    assert all(phase == "Passed" for phase, _, _ in found), outcomes
    return found[number:] == [("Passed", target, build.digest())]


@pytest.mark.parametrize("target", TARGETS)
async def test_a_target_is_tested_build_after_build(stage: TargetWorld, target: str) -> None:
    """Does each ready target go from its tag to Passed, and on to the next build with fresh data in
    the place of the last run's?
    """
    name = name_of(target)
    stage.create(ready(target), soak=SOAK)
    volume = stage.world.volume(name)
    waiting = await stage.until(lambda: stage.executions(run=""))
    await stage.until(lambda: waiting[0].waits("no run id yet"))
    async with stage.controller():
        await stage.until(lambda: passed(stage, target, 0, FIRST))
        node = stage.world.node_of(name)
        assert node is not None
        settings = node.state.settings  # as avalanchego itself reads the manifest
        assert f"{settings.network}-{settings.mode}" == target
        assert settings.data_dir == f"/data/runs/{stage.run_id(name)}"
        first = stage.outcomes(name)[0].run
        stage.init.node_works(volume, first)
        kept = f"runs/{first}/db/000001.ldb"
        assert stage.tree(name)[kept] == f"written in {first}"

        stage.world.push(REPOSITORY, TAG, SECOND)
        await stage.until(lambda: passed(stage, target, 1, SECOND))
        second = stage.outcomes(name)[1].run
    assert second > first
    assert {path.split("/")[1] for path in stage.tree(name)} == {second}
    assert volume.touched == [f"began {first}", f"removed {first}", f"began {second}"]
    words = [(e.run, e.data) for e in stage.init.executions if e.word]
    assert words == [(first, "fresh"), (second, "fresh")]
    # The pod of before the first pin waited for a run id, and was told to stop.
    (waited,) = stage.executions(run="")
    assert waited.waits("no run id yet")
    assert waited.told_to_stop == 143


async def test_all_targets_at_once(stage: TargetWorld) -> None:
    """Do all eight, applied together, pass side by side, each on its own volume?"""
    stage.create(ready("all"), soak=SOAK)
    async with stage.controller():
        await stage.until(lambda: all(passed(stage, target, 0, FIRST) for target in TARGETS))
    for target in TARGETS:
        (outcome,) = stage.outcomes(name_of(target))
        runs = {path.split("/")[1] for path in stage.tree(name_of(target))}
        assert runs == {outcome.run}
    assert len(stage.executions(data="fresh")) == len(TARGETS)
    assert not stage.executions(data="resumed")


def test_the_script_that_was_run_is_the_one_that_is_mounted() -> None:
    """Is what these tests run what each overlay puts into its ConfigMap?"""
    for target in TARGETS:
        script = one(build(f"targets/overlays/{target}"), "ConfigMap")
        assert script["data"] == {SCRIPT.name: SCRIPT.read_text()}
