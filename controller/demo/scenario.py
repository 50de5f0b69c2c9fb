"""What happens in the demo, step by step, and what must have come of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from controller.base.clock import Clock
from controller.demo.process import ControllerProcess
from controller.domain import names
from controller.domain.record.record import Outcome, Record, decode_record
from controller.domain.target import SyncMode
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Speed
from controller.simulator.world import NAMESPACE, World

REPOSITORY, TAG = "avaplatform/avalanchego", "latest"
STEP = 25.0  # seconds that a step may take; a third of it is usual

FIRST = SimulatedBuild("1.14.0", "a1" * 20, Plan(bootstrap_seconds=2.0))
SECOND = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=3.0))
CRASHES = SimulatedBuild("1.14.2", "c3" * 20, Plan(bootstrap_seconds=9.0, crash_after=0.3))

# Three targets; the fourth Deployment shares the first one's target, so builds are shared out.
DEPLOYMENTS: dict[str, tuple[str, SyncMode]] = {
    "fuji-state-sync": ("fuji", SyncMode.STATE),
    "fuji-state-sync-b": ("fuji", SyncMode.STATE),
    "fuji-full-sync": ("fuji", SyncMode.FULL),
    "mainnet-p-chain": ("mainnet", SyncMode.P_CHAIN),
}
TARGETS = 3

Say = Callable[[str], None]


@dataclass
class Demo:
    """One performance."""

    world: World
    process: ControllerProcess
    clock: Clock
    say: Say  # is given each step in words

    async def play(self) -> None:
        """Raises TimeoutError where something does not come, with how the world stands."""
        for step in (
            self._first_build,
            self._killed_in_the_middle,
            self._pushed_again,
            self._crashing_build,
        ):
            await step()

    async def _first_build(self) -> None:
        self.world.push(REPOSITORY, TAG, FIRST)
        for name, (network, mode) in DEPLOYMENTS.items():
            self.world.deploy(name, network=network, mode=mode, annotations={names.SOAK: "1s"})
        await self.process.start()
        self.say(
            f"{TAG} is avalanchego {FIRST.version}; four Deployments are labelled, two of them"
            " for the same target: the build is tested once on each of the three targets"
        )
        await self._until_over(FIRST, "Passed")

    async def _killed_in_the_middle(self) -> None:
        self.world.push(REPOSITORY, TAG, SECOND)
        self.say(f"{TAG} moves to {SECOND.version}; it is pinned by digest and followed")
        await self.world.until(lambda: self._open(SECOND) == TARGETS, within=STEP)
        await self.process.kill()
        self.say("the controller is killed in mid-run (SIGKILL), and its store with it")
        await self.process.start()
        self.say("and started again: it takes the open runs up from the Deployments' records")
        await self._until_over(SECOND, "Passed")

    async def _pushed_again(self) -> None:
        before = self.world.registry.counts.heads
        self.world.repush(REPOSITORY, TAG)
        self.say(f"{TAG} is pushed again without a change of build: nothing is to be tested")
        await self.world.until(lambda: self.world.registry.counts.heads >= before + 3, within=STEP)

    async def _crashing_build(self) -> None:
        self.world.push(REPOSITORY, TAG, CRASHES)
        self.say(f"{TAG} moves to {CRASHES.version}, which cannot verify a block of the history")
        await self._until_over(CRASHES, "Failed")

    async def _until_over(self, build: SimulatedBuild, phase: str) -> None:
        await self.world.until(lambda: self._over(build, phase) == TARGETS, within=STEP)

    def records(self) -> Iterator[Record]:
        for name in DEPLOYMENTS:
            annotations = self.world.deployment(name)["metadata"].get("annotations") or {}
            if names.RECORD in annotations:
                yield decode_record(annotations[names.RECORD], NAMESPACE, name)

    def outcomes(self) -> list[Outcome]:
        return [outcome for record in self.records() for outcome in record.outcomes]

    def _open(self, build: SimulatedBuild) -> int:
        runs = [record.run for record in self.records() if record.run is not None]
        return sum(run.build == build.digest() and run.started > 0 for run in runs)

    def _over(self, build: SimulatedBuild, phase: str) -> int:
        return sum((o.build, o.phase) == (build.digest(), phase) for o in self.outcomes())

    def faults(self) -> list[str]:
        """What should not have been; empty when all is as it should be."""
        expected = {FIRST.digest(): "Passed", SECOND.digest(): "Passed", CRASHES.digest(): "Failed"}
        outcomes, faults = self.outcomes(), []
        for build, phase in expected.items():
            ends = {o.target: str(o.phase) for o in outcomes if o.build == build}
            if list(ends.values()) != [phase] * TARGETS:
                faults.append(f"{build} should have {phase.lower()} once on each target: {ends}")
        if len(outcomes) != len(expected) * TARGETS:
            faults.append(f"{len(outcomes)} runs have ended, not {len(expected) * TARGETS}")
        return faults


def demo_world(clock: Clock, random: Random) -> World:
    return World(clock, random, speed=Speed(restart_cap=0.4))


def log_path(folder: Path) -> Path:
    return folder / "controller.log"
