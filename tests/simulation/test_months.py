"""Months of testing on a simulated clock: the whole engine, its ports played in memory.

The same seed gives the same history, so a bad one can be looked at again.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from controller.base.errors import Unavailable
from controller.domain.build import Platform
from controller.domain.defaults import Rules
from controller.domain.record.record import Record, record_of
from controller.domain.reference import Reference
from controller.domain.run import Phase
from controller.engine.engine import Engine, EngineOptions, Ports
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.machine_engine import Ear
from tests.machine_objects import bare, deployment, with_annotations
from tests.simulation.played import (
    HOUR,
    Character,
    FickleStore,
    PlayedClock,
    PlayedCluster,
    PlayedProbe,
)

REPOSITORY = Reference.parse(bare()).repository
OPTIONS = EngineOptions(
    cluster=("played",),
    poll_interval=HOUR,
    resync_interval=12 * HOUR,
    settle=HOUR / 4,
    probe_interval=HOUR,
    rules=Rules(crash_calm=12 * HOUR),
)
TICK = HOUR / 4
SOUND, CRASHING, WOBBLY = Character(), Character(crashes=99), Character(crashes=4)


@dataclass
class Months:
    """Everything there is, and what happens to it."""

    seed: int
    store_lasts: bool = True  # False: it ends with the controller's process
    clock: PlayedClock = field(default_factory=PlayedClock)
    ear: Ear = field(default_factory=Ear)
    outcomes: Counter[str] = field(default_factory=Counter)
    pushed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.cluster = PlayedCluster(self.clock, Random(self.seed + 1), lost=0.1)
        self.registry = FakeRegistry(self.clock)
        self.store = FickleStore(self.clock)
        self.engine: asyncio.Task[None] | None = None
        self.indexes = 0
        for name in ("one", "two"):
            found = with_annotations(
                deployment(name, uid=f"uid-{name}"), soak="3h", keep_failed_data="6h", timeout="4d"
            )
            self.cluster.deployments[found.metadata.key] = found

    def push(self, character: Character | None) -> None:
        """A new build behind the tag; None pushes the one that is there under another index."""
        if character is not None:
            digest = f"sha256:{(len(self.pushed) + 1):08x}{'0' * 56}"
            self.pushed.append(digest)
            self.cluster.behaviour[digest] = character
            self.cluster.tags["latest"] = digest
        self.indexes += 1
        index = f"sha256:{self.indexes:08x}{'f' * 56}"
        self.registry.publish(REPOSITORY, "latest", index, {Platform(): self.pushed[-1]})

    def start(self) -> None:
        self.engine = asyncio.create_task(self._engine(), name="engine")

    async def _engine(self) -> None:
        ports = Ports(
            cluster=self.cluster,
            registry=self.registry,
            probe=PlayedProbe(self.cluster),
            store=self.store,
            sink=self.ear,
            witness=BlindWitness(),
            clock=self.clock,
            random=Random(self.random.getrandbits(32)),
            on_result=lambda _key, word, _seconds: self.outcomes.update([word]),
        )
        await Engine(ports, replace(OPTIONS, store_lasts=self.store_lasts)).run()

    async def crash(self) -> None:
        """The controller's process ends wherever it is."""
        if self.engine is not None:
            self.engine.cancel()
            await asyncio.wait({self.engine})
            self.engine = None
            if not self.store_lasts:
                self.store.forget()

    async def pass_time(self, hours: float) -> None:
        for _ in range(round(hours * HOUR / TICK)):
            self.cluster.tick()
            await self.clock.advance(TICK)

    def records(self) -> list[Record]:
        found = [record_of(d) for d in self.cluster.deployments.values()]
        return [r for r in found if isinstance(r, Record)]

    def transitions(self) -> list[tuple[str, str, str, str]]:
        """(id, run, phase, reason) of each transition that people were told, once."""
        told = (n for n in self.ear.notices if n.phase is not None)
        lines = [(n.id, n.run, str(n.phase), n.reason) for n in told]
        return list(dict.fromkeys(lines))


EVENTS = (
    "build",
    "build",
    "build",
    "re-push",
    "crash",
    "flush",
    "store",
    "registry",
    "clock",
    "calm",
)


# What happens where the store is of the process; a clock that is doubted makes a look each minute
WITHOUT_STORE = tuple(event for event in EVENTS if event not in ("flush", "store", "clock"))


async def live(seed: int, weeks: int, *, store_lasts: bool = True) -> Months:
    """Weeks in which something happens every half day to three days; then a quiet week."""
    months = Months(seed, store_lasts)
    months.push(SOUND)
    months.start()
    try:
        hours = 0.0
        while hours < weeks * 7 * 24:
            events = EVENTS if store_lasts else WITHOUT_STORE
            await happen(months, months.random.choice(events))
            quiet = months.random.uniform(12, 72)
            await months.pass_time(quiet)
            hours += quiet
        months.cluster.lost = 0.0
        months.cluster.ahead = 0.0  # or nothing passes
        await months.pass_time(7 * 24)
    finally:
        await months.crash()
    return months


async def happen(months: Months, event: str) -> None:
    match event:
        case "build":
            months.push(months.random.choice((SOUND, SOUND, WOBBLY, CRASHING)))
        case "re-push":
            months.push(None)
        case "crash":
            await months.crash()
            await months.pass_time(months.random.choice((0, 1, 10)))
            months.start()
        case "flush":
            months.store.forget()
        case "store":
            months.store.away = True
            await months.pass_time(months.random.choice((1, 20)))
            months.store.away = False
        case "registry":
            months.registry.failing = Unavailable("the registry is away")
            await months.pass_time(months.random.choice((1, 20)))
            months.registry.failing = None
        case "clock":
            months.cluster.ahead = months.random.choice((0.0, 300.0, -300.0))
        case _:
            pass


@pytest.mark.parametrize("seed", range(8))
async def test_months_pass_and_every_build_is_tested_once(seed: int) -> None:
    """Do I1, I3, I4 and I8 hold while builds, crashes, outages and losses come as they like?"""
    check(await live(seed, weeks=8))


async def test_months_pass_without_a_store_that_lasts() -> None:
    """Is it the same where each crash of the controller takes its store with it; and how many are
    told again what they were told, where a crash comes when nothing is left to do?
    """
    months = await live(1, weeks=6, store_lasts=False)
    check(months)
    told = Counter(n.id for n in months.ear.notices if n.phase is not None)
    assert set(told.values()) == {1}, told.most_common(3)


def check(months: Months) -> None:
    assert not months.outcomes["bug"]
    transitions = months.transitions()
    assert len({identity for identity, *_ in transitions}) == len(transitions), "an id told twice"
    started = Counter(
        run.partition("-")[2] for _, run, phase, _ in transitions if phase == "Starting"
    )
    assert started, "nothing happened"
    assert set(started.values()) == {1}, f"a build was tested twice: {started}"
    builds = {(build, key, run) for key, run, build in months.cluster.starts if run}
    assert len({build for build, *_ in builds}) == len(builds), "a build ran in two runs"
    ends = Counter(run for _, run, phase, _ in transitions if Phase(phase).over)
    assert set(ends.values()) == {1}, f"an end was told twice: {ends}"
    open_runs = {r.run.id for r in months.records() if r.run}
    assert {
        run for _, run, phase, _ in transitions if phase == "Starting"
    } == ends.keys() | open_runs
    assert not open_runs, "a week is enough for every run"
    check_verdicts(months)


def check_verdicts(months: Months) -> None:
    """Each build got the verdict that its character deserves."""
    verdicts = {
        run.partition("-")[2]: (phase, reason)
        for _, run, phase, reason in months.transitions()
        if Phase(phase).over
    }
    for build, character in months.cluster.behaviour.items():
        verdict = verdicts.get(build.partition(":")[2][:8])
        if verdict is None:
            continue  # the tag had moved on before anybody was free
        if character.crashes > 6:
            assert verdict == ("Failed", "CrashLoop"), build
        else:
            assert verdict == ("Passed", "Soaked"), build
    assert months.pushed[-1].partition(":")[2][:8] in verdicts, "the last build was not tested"


async def test_the_same_seed_is_the_same_history() -> None:
    """Can months that went wrong be lived again, step by step?"""
    first, second = await live(7, weeks=3), await live(7, weeks=3)
    assert [replace(n) for n in first.ear.notices] == second.ear.notices
    assert first.cluster.starts == second.cluster.starts
    assert first.cluster.deployments == second.cluster.deployments


async def test_another_seed_is_another_history() -> None:
    """Is it chance that decides, and not the order of the code alone?"""
    first, second = await live(7, weeks=2), await live(8, weeks=2)
    assert first.transitions() != second.transitions()
