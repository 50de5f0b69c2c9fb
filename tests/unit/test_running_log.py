"""When the log of a node that runs is read, and what is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from controller.domain.evidence import Place, PodEvent, Read
from controller.domain.health.conditions import Condition, Span
from controller.domain.health.look import Overheard
from controller.domain.health.observed_time import Attention
from controller.domain.node_http import NodeAnswer
from controller.domain.objects import Pod
from controller.domain.pods.run_pods import RunPods, view_pods
from controller.domain.record.record import OpenRun
from controller.engine.probing.running_log import LINES, SYNC_GAPS, RunningLogReader
from tests.fakes import FakeClock
from tests.machine_objects import BUSY, SOUND
from tests.machine_scene import MOVING, SUMMARY, Scene, full_sync, newer_peer, scene

NOT_BEGUN = replace(MOVING, counters={"P/fetched": 1.0})


class Onlooker:
    """A witness that says what a test gives it, and counts."""

    def __init__(self) -> None:
        self.found = Read("nothing of note\n")
        self.reads: list[tuple[str, bool, int]] = []

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500
    ) -> Read:
        self.reads.append((container, previous, lines))
        return self.found

    async def events(self, pod: Pod) -> tuple[Sequence[PodEvent], str]:
        return (), ""

    async def place(self, pod: Pod) -> Place:
        return Place()


class Desk:
    """One run, and looks at it once a minute."""

    def __init__(self, of: Scene) -> None:
        self.scene = of
        self.witness = Onlooker()
        self.clock = FakeClock()
        self.reader = RunningLogReader(self.witness, self.clock)
        self.attention = Attention(self.run.id)

    @property
    def run(self) -> OpenRun:
        run = self.scene.world.record(self.scene.key).run
        assert run is not None
        return run

    @property
    def pods(self) -> RunPods:
        return view_pods(self.scene.world.pods[self.scene.key], self.run, "node")

    async def looks(
        self,
        answer: NodeAnswer | None,
        minutes: int,
        spans: Mapping[Condition, Span] | None = None,
        synced: str = "",
    ) -> Overheard | None:
        """What the last of these looks knows of the log."""
        for _ in range(minutes):
            await self.clock.advance(60.0)
            pods = self.pods
            overheard = self.attention.overheard
            self.attention = replace(
                self.attention,
                answer=answer,
                answered_life=pods.life,
                spans=spans or {},
                synced=synced,
                overheard=overheard if overheard and overheard.life == pods.life else None,
            )
            found = await self.reader.read(self.run, pods, self.attention)
            if found is not None:
                self.attention = replace(self.attention, overheard=found)
        return self.attention.overheard

    @property
    def reads(self) -> int:
        return len(self.witness.reads)


def lasting(condition: Condition, seconds: float) -> dict[Condition, Span]:
    return {condition: Span(seconds, "")}


async def test_it_is_looked_for_once_c_has_begun() -> None:
    """Is the log left alone while P bootstraps, and read within a minute of C's beginning?"""
    desk = Desk(scene())
    await desk.looks(NOT_BEGUN, 300)
    assert desk.reads == 0
    await desk.looks(MOVING, 1)
    assert desk.witness.reads == [("node", False, LINES)]


async def test_a_handful_of_readings_is_all() -> None:
    """Is a log that says nothing read each ten minutes, then each hour, and then no more?"""
    desk = Desk(scene())
    await desk.looks(MOVING, 51)
    assert desk.reads == 6
    await desk.looks(MOVING, 60 * 24 * 7)
    assert desk.reads == len(SYNC_GAPS) + 1


async def test_what_is_known_is_not_read_again() -> None:
    """Does the word that was looked for end the looking?"""
    desk = Desk(scene())
    desk.witness.found = Read(SUMMARY.format("Skipped"))
    found = await desk.looks(MOVING, 60)
    assert desk.reads == 1
    assert found is not None
    assert found.words.sync_mode == "Skipped"


async def test_what_the_counters_tell_need_not_be_read() -> None:
    """Is no log read of a node whose counters tell of its state sync?"""
    desk = Desk(scene())
    await desk.looks(MOVING, 60, synced="Received")
    assert desk.reads == 0


async def test_once_more_when_it_has_bootstrapped() -> None:
    """Is the last chance taken, once, to hear how C came to its state?"""
    desk = Desk(scene())
    await desk.looks(replace(SOUND, counters={}), 30)
    assert desk.reads == 1


async def test_another_life_is_read_anew() -> None:
    """Has each process a log of its own?"""
    desk = Desk(scene())
    desk.witness.found = Read(SUMMARY.format("Skipped"))
    await desk.looks(MOVING, 5)
    desk.scene.shows(desk.scene.made(restarts=1))
    desk.witness.found = Read("")
    found = await desk.looks(MOVING, 1)
    assert desk.reads == 2
    assert found is not None
    assert found.words.sync_mode == ""


async def test_a_full_sync_has_nothing_to_be_read() -> None:
    """Is the log of a node that bootstraps in full, and moves, never read?"""
    desk = Desk(full_sync())
    await desk.looks(MOVING, 600)
    assert desk.reads == 0


async def test_without_metrics_nobody_knows_when_c_begins() -> None:
    """Is it looked for all the same where no counter tells?"""
    desk = Desk(scene())
    await desk.looks(BUSY, 1)
    assert desk.reads == 1


@pytest.mark.parametrize(
    "condition", [Condition.NO_PEERS, Condition.STILL, Condition.NOTHING_FETCHED]
)
async def test_trouble_is_looked_into_seldom(condition: Condition) -> None:
    """Is the log read when trouble has lasted for minutes, and then each half hour?"""
    desk = Desk(full_sync())
    await desk.looks(MOVING, 10, spans=lasting(condition, 290))
    assert desk.reads == 0
    await desk.looks(MOVING, 1, spans=lasting(condition, 300))
    assert desk.reads == 1
    await desk.looks(MOVING, 29, spans=lasting(condition, 2000))
    assert desk.reads == 1
    await desk.looks(MOVING, 1, spans=lasting(condition, 2000))
    assert desk.reads == 2


async def test_a_right_that_is_not_granted_is_told() -> None:
    """Is a log that may not be read told as such, and nothing more?"""
    desk = Desk(scene())
    desk.witness.found = Read(unread="missing right: get pods/log")
    found = await desk.looks(MOVING, 1)
    assert found is not None
    assert found.unread == "missing right: get pods/log"
    assert found.words.sync_mode == ""


async def test_a_line_that_has_rotated_away_was_there() -> None:
    """Does a later reading, without the line or of nothing, not take back what it said?"""
    desk = Desk(full_sync())
    trouble = lasting(Condition.NO_PEERS, 2000)
    desk.witness.found = Read(newer_peer(desk.scene))
    await desk.looks(MOVING, 1, spans=trouble)
    desk.witness.found = Read("other lines\n")
    found = await desk.looks(MOVING, 31, spans=trouble)
    assert desk.reads == 2
    assert found is not None
    assert found.words.newer == ("avalanchego/1.16.0",)
    desk.witness.found = Read(unread="the API server is away")
    found = await desk.looks(MOVING, 31, spans=trouble)
    assert found is not None
    assert found.words.newer == ("avalanchego/1.16.0",)


async def test_nobody_runs() -> None:
    """Is no log read of a node that does not run?"""
    desk = Desk(scene())
    desk.scene.shows(desk.scene.made(running=False))
    await desk.looks(None, 30, spans=lasting(Condition.NO_PEERS, 2000))
    assert desk.reads == 0
