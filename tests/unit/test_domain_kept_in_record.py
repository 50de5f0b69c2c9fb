"""Where no store outlives the controller, a record says all that the next process must know."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.decide.machine import decide
from controller.domain.decide.run_notes import are_due
from controller.domain.health.observed_time import Attention
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.objects import StateWaiting
from controller.domain.record.record import Record
from controller.domain.run import Phase
from tests.machine_engine import at_once
from tests.machine_objects import BUSY, SOUND, build, deployment, with_annotations, word
from tests.machine_scene import HOUR, MOVING, Scene, full_sync, moved, scene
from tests.machine_world import World, observation

NO_PULL = StateWaiting(reason="ErrImagePull", message="toomanyrequests: rate limit")
SYNCING = NodeAnswer(
    AnswerKind.ANSWERED,
    "",
    failing={"bootstrapped": "no"},
    counters={"C/state-synced": 9000.0, "C/fetched": 0.0, "C/executed": 0.0},
    peers=5,
)
# A later process over the same data: its counters begin anew
SYNCED = replace(
    SOUND,
    counters={"C/state-synced": 0.0, "C/fetched": 9.0, "C/executed": 9.0},
    heights={"C": 9000},
)


def alone(*, store_lasts: bool = False) -> tuple[World, str]:
    world = World(store_lasts=store_lasts)
    return world, world.add(with_annotations(deployment(), soak="10m"))


def left_to_itself(s: Scene) -> Scene:
    """Nothing outlives its controller from now on."""
    s.world.store_lasts = False
    s.world.begin_anew()
    return s


def shown(world: World, key: str) -> tuple[str | None, str | None]:
    meta = world.deployments[key].metadata
    return meta.label(names.PHASE), meta.annotation(names.MESSAGE)


def opened(s: Scene) -> bool:
    return s.world.record(s.key).run is not None


def lives(s: Scene, answer: NodeAnswer | None, *, minutes: float, most_hours: float) -> float:
    """One process after the other, each for so long, until the run is over; hours that it took."""
    begun = s.world.now
    looks = 0
    while opened(s) and (s.world.now - begun).total_seconds() < most_hours * HOUR:
        looks += 1
        s.world.probe(s.key, moved(looks) if answer is MOVING else answer)
        s.world.settle(s.key)
        if looks % round(2 * minutes) == 0:
            s.world.begin_anew()
    return (s.world.now - begun).total_seconds() / HOUR


def test_what_was_told_is_not_told_again() -> None:
    """After a pass that people heard of: does the next process tell them nothing, write nothing?"""
    world, key = alone()
    world.pass_run(key)
    assert [str(n.phase) for n in world.notices][-1] == "Passed"
    before = world.deployments[key]
    world.begin_anew()
    world.settle(key)
    assert world.notices == []
    assert world.deployments[key] == before


def test_what_nobody_was_told_is_told_by_the_next_process() -> None:
    """A process ends between the patch of a verdict and its notices: who tells of it?"""
    world, key = alone()
    world.bootstrap(key)
    while world.record(key).run is not None:
        world.probe(key)
        world.look(key)
    world.begin_anew()
    world.settle(key)
    assert [str(n.phase) for n in world.notices] == ["Passed"]


def test_one_write_is_for_all_that_was_told() -> None:
    """A run begins, which has told nothing yet: how many writes are its claim, pin and notices?"""
    world, key = alone()
    world.settle(key)
    record = world.record(key)
    assert record.seq == 3  # is due, is pinned, was told
    assert (record.told, record.steps) == (2, ())


def test_nobody_sees_that_write() -> None:
    """Do label and message stay as they are when the record says what was told?"""
    world, key = alone()
    for _ in range(3):
        world.look(key)
    before, record = shown(world, key), world.record(key)
    world.settle(key)
    assert world.record(key).seq == record.seq + 1
    assert shown(world, key) == before
    assert world.record(key).since == record.since


def test_a_store_that_lasts_spares_the_write() -> None:
    """While a run is open: is nothing written for what the store remembers?"""
    world, key = alone(store_lasts=True)
    world.bootstrap(key)
    o = replace(world.observe(key), told=99, heard=99)
    assert world.record(key).steps
    assert decide(o).write is None


def test_that_a_run_has_ended_is_noted_once_people_know() -> None:
    """A run has ended: is it noted, once, when all sinks have been told, and if history has it not,
    its steps kept; so that with an empty store in the place of the old one it is no news?
    """
    world, key = alone(store_lasts=True)
    world.pass_run(key)
    o, record = world.observe(key), world.record(key)
    last = record.steps[-1].seq
    assert decide(replace(o, heard=last - 1)).write is None
    noted = decide(replace(o, heard=last))
    assert noted.record is not None
    assert (noted.record.told, noted.record.heard) == (0, last)
    assert noted.record.steps == record.steps
    world.carry_out(key, noted)
    again = replace(world.observe(key), heard=last)
    assert decide(again).write is None
    caught_up = decide(replace(again, told=last))
    assert caught_up.write is None


@pytest.mark.parametrize("minutes", [10, 29, 45])
def test_a_timeout_comes_however_often_the_process_ends(minutes: float) -> None:
    """A run of at most three hours, whose controller starts anew again and again: is it over after
    twice that time, and not before it?
    """
    found = left_to_itself(scene())
    made = with_annotations(found.world.deployments[found.key], timeout="3h")
    found.world.change(found.key, made)
    took = lives(found, MOVING, minutes=minutes, most_hours=12)
    assert found.verdict[:2] == ("Failed", "Timeout")
    assert 3 <= took <= 6.1


def test_a_process_that_stays_writes_once_in_half_an_hour() -> None:
    """Ten hours of a node that bootstraps: how often is the record written for its sake?"""
    found = left_to_itself(scene())
    lives(found, MOVING, minutes=2 * 24 * 60, most_hours=0.05)
    before, at = found.world.record(found.key).seq, shown(found.world, found.key)
    lives(found, MOVING, minutes=2 * 24 * 60, most_hours=10)
    assert 19 <= found.world.record(found.key).seq - before <= 23
    assert shown(found.world, found.key) == at


@pytest.mark.parametrize("minutes", [20, 50])
def test_an_image_that_cannot_be_pulled_fails_whoever_looks(minutes: float) -> None:
    """No node runs, so there is no timeout: is the time for which its pod was kept from running
    known to the next process?
    """
    found = left_to_itself(scene())
    found.shows(found.made(running=False, started=None, waiting=NO_PULL))
    took = lives(found, None, minutes=minutes, most_hours=48)
    assert found.verdict[:2] == ("Failed", "ImagePull")
    assert 6 <= took <= 13


def test_trouble_that_was_over_begins_anew() -> None:
    """Five hours without the image, then it was there for a while: are the five hours over too?"""
    found = left_to_itself(scene())
    unpulled = found.made(running=False, started=None, waiting=NO_PULL)
    found.shows(unpulled)
    lives(found, None, minutes=50, most_hours=5)
    found.shows(found.made())
    found.looks(BUSY, 0.1)
    found.world.begin_anew()
    found.shows(unpulled)
    lives(found, None, minutes=50, most_hours=4)
    assert opened(found)


def test_a_note_of_what_is_over_is_taken_back() -> None:
    """The image is there again, nothing else is to be written: is the note of it taken back?"""
    found = left_to_itself(scene())
    run = found.world.record(found.key).run
    assert run is not None
    noted = with_fields(run, lasted_for={"ImagePull": 600})
    seen = observation(deployment(), attention=Attention(run.id, looks=2))
    assert are_due(noted, seen)
    assert not are_due(run, seen)


@pytest.mark.parametrize("store_lasts", [False, True])
def test_a_state_that_was_synced_is_not_forgotten(*, store_lasts: bool) -> None:
    """A target with full sync, whose node received its state from peers, then its pod and the
    controller in it were replaced: does the run pass by what the next processes count?
    """
    found = full_sync()
    if not store_lasts:
        left_to_itself(found)
    found.looks(SYNCING, 0.2)
    if not store_lasts:
        found.world.begin_anew()
    said = word(found.run, "resumed", resumes=1)
    found.shows(found.made(uid="pod-next", said=said))
    found.looks(SYNCED, 0.5)
    assert found.verdict[:2] == ("Failed", "OtherSyncMode")


def test_the_next_process_has_the_claims_of_the_record() -> None:
    """Whose is the build that was tested, by the store of a process that has just started?"""
    world, key = alone()
    run = world.pass_run(key)
    target = next(iter(world.record(key).tested))
    world.begin_anew()
    world.settle(key)
    claim = at_once(world.store.claimed(target, build("a")))
    assert claim is not None
    assert (claim.run, claim.owner) == (run, key)
    assert at_once(world.store.pending(key)) is None


def test_a_pass_is_compared_with_those_of_the_record() -> None:
    """The ninth pass, each under a process of its own: which runs is it compared with?"""
    world, key = alone()
    for letter in "123456789":
        world.begin_anew()
        world.tags["latest"], world.earlier = letter, ()
        world.start_run(key)
        world.kubelet(key)
        for answer in (BUSY, BUSY, SOUND):
            world.settle(key)
            world.probe(key, answer)
        world.finish(key)
        world.pass_time(HOUR)
    outcome = world.record(key).outcome()
    assert outcome is not None
    assert outcome.phase is Phase.PASSED
    assert "the median of 8 runs like it" in outcome.message


def test_the_notes_of_a_run_end_with_it() -> None:
    """Does a record without an open run have nothing of what was noted of one?"""
    world, key = alone()
    world.pass_run(key)
    record: Record = world.record(key)
    assert record.run is None
    assert "progress" not in (world.deployments[key].metadata.annotation(names.RECORD) or "")
