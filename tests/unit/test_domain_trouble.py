"""What is wrong with an open run stands in its message the moment it is seen, at few writes."""

from datetime import timedelta
from itertools import pairwise

import pytest

from controller.domain import names
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.objects import StateWaiting
from controller.domain.run import Phase
from tests.fakes import EPOCH
from tests.machine_objects import SOUND
from tests.machine_scene import MOVING, Scene, moved, scene
from tests.node_lines import UNKNOWN_FATAL

BACK_OFF = StateWaiting(reason="CrashLoopBackOff", message="back-off 10s restarting failed node")
NO_PULL = StateWaiting(reason="ErrImagePull", message="toomanyrequests: rate limit")
UNREACHED = NodeAnswer(AnswerKind.UNREACHED, "no route to host")
MOST_A_DAY = 15  # writes of a message for trouble that stands


def message(s: Scene) -> str:
    """As `kubectl describe` shows it."""
    annotations = s.world.deployments[s.key].metadata.annotations
    assert annotations is not None
    return annotations[names.MESSAGE]


def writes(s: Scene) -> int:
    """So far: the record counts them, and its steps."""
    record = s.world.record(s.key)
    return record.seq - len(record.steps)


def look(s: Scene, answer: NodeAnswer | None = None) -> str:
    """One, half a minute after the last; the message after it."""
    s.world.probe(s.key, answer)
    s.world.settle(s.key)
    return message(s)


def is_down(s: Scene, restarts: int, code: int, reason: str) -> None:
    """The node has ended, and the kubelet waits before it starts it again."""
    shown = s.made(
        restarts=restarts, exit_code=code, last_reason=reason, running=False, waiting=BACK_OFF
    )
    s.shows(shown)


def test_an_end_of_the_node_is_said_at_once() -> None:
    """After five OOM kills: does the message say how the node ended, how many in a row it was, and
    what makes it a verdict?
    """
    found = scene()
    found.ends(5, 137, reason="OOMKilled")
    assert "is bootstrapping" in message(found)
    assert "5 in a row, with exit code 137 (out of memory)" in message(found)
    assert "it was started again; the run fails at 6 in a row, none up for 6h" in message(found)


def test_an_end_is_said_before_the_node_is_started_again() -> None:
    """While the kubelet waits for minutes: is the end counted that is not made good yet, and its
    number the same when it is?
    """
    found = scene()
    found.shows(found.made(restarts=1, exit_code=137, last_reason="OOMKilled"))
    assert "once, with exit code 137 (out of memory)" in look(found, MOVING)
    is_down(found, 1, 137, "OOMKilled")
    said = look(found)
    assert "2 in a row, with exit code 137 (out of memory)" in said
    assert "it waits to be started again" in said
    found.ends_with(2, 137, reason="OOMKilled")
    assert "2 in a row" in message(found)
    assert "it was started again" in message(found)


def test_why_it_ended_is_said() -> None:
    """Does the message have the line that tells?"""
    found = scene()
    found.ends(1, 1, line=UNKNOWN_FATAL)
    assert "once, with exit code 1: C: shutting down chain: x" in message(found)


def test_an_end_is_forgotten_with_the_ends_before() -> None:
    """Up for six hours: is the plain sentence back?"""
    found = scene()
    plain = message(found)
    found.ends(2, 137, reason="OOMKilled")
    for number in range(800):
        said = look(found, moved(number))
    assert said == plain


def test_a_condition_is_said_at_once_and_not_after() -> None:
    """A pull that is refused: is it said with its beginning and its end, long before it is told,
    and the plain sentence put back?
    """
    found = scene()
    plain = look(found, MOVING)
    found.shows(found.made(waiting=NO_PULL, started=None, running=False))
    since = (found.world.now + timedelta(seconds=30)).strftime("%Y-%m-%d %H:%M UTC")
    said = look(found)
    assert said.startswith(f"{plain}: ImagePull since {since}: toomanyrequests: rate limit; ")
    assert said.endswith("the run fails (ImagePull) if it lasts for 6h of observed time")
    assert found.told == []
    found.shows(found.made())
    look(found, MOVING)
    assert look(found, MOVING) == plain


def test_what_one_look_shows_is_not_said() -> None:
    """A node that does not answer a look: is it in no trouble yet, but at the second?"""
    found = scene()
    plain = message(found)
    starting = NodeAnswer(AnswerKind.STARTING, "connection refused")
    assert look(found, starting) == plain
    assert "NotAnswering since" in look(found, starting)


def test_the_newest_trouble_comes_first() -> None:
    """Is what began last read first?"""
    found = scene()
    found.ends(1, 1)
    found.looks(UNREACHED, 2 / 60)
    said = message(found)
    assert 0 < said.index("Unreached") < said.index("the node ended")


def test_trouble_is_said_in_the_next_phase_too() -> None:
    """A node that was started again and bootstraps: does the new sentence go on with its ends?"""
    found = scene()
    found.ends(1, 1)
    look(found, SOUND)
    run = found.world.record(found.key).run
    assert run is not None
    assert run.phase is Phase.SOAKING
    assert "it passes after 10m" in message(found)
    assert "the node ended" in message(found)
    steps = found.world.record(found.key).steps
    assert "the node ended" not in steps[-1].message


@pytest.mark.parametrize("other_words", [False, True])
def test_trouble_that_stands_is_written_seldom(other_words: bool) -> None:
    """A day of one condition, whatever its sentence: are there few writes, and none for time that
    passes?
    """
    found = scene()
    look(found, MOVING)
    before = writes(found)
    for number in range(2 * 60 * 24):
        detail = f"no route to host 10.0.0.{number}" if other_words else "no route to host"
        said = look(found, NodeAnswer(AnswerKind.UNREACHED, detail))
    assert "Unreached since 2026-11-23 06:01 UTC: no route to host" in said
    assert 1 <= writes(found) - before <= MOST_A_DAY


def test_trouble_that_comes_and_goes_is_written_once_a_minute() -> None:
    """A pull that fails at every other look, of one in ten seconds: is the message written anew
    once a minute at most, and is it right again when a minute is over?
    """
    found = scene()
    look(found, MOVING)
    at: list[float] = []
    for number in range(300):
        if number % 2 and number < 280:
            found.shows(found.made(waiting=NO_PULL, started=None, running=False))
        else:
            found.shows(found.made(started=EPOCH))
        before = message(found)
        found.world.probe(found.key, MOVING, seconds=10)
        found.world.settle(found.key)
        if message(found) != before:
            at.append((found.world.now - EPOCH).total_seconds())
    assert len(at) > 10
    assert min(later - sooner for sooner, later in pairwise(at)) >= 60
    assert "ImagePull" not in message(found)


def test_a_new_controller_says_nothing_else_before_its_first_look() -> None:
    """Nothing is known of a condition by who has not looked: does the message stay?"""
    found = scene()
    found.shows(found.made(waiting=NO_PULL, started=None, running=False))
    said = look(found)
    before = writes(found)
    del found.world.attention[found.key]
    found.world.settle(found.key)
    assert message(found) == said
    assert look(found) == said
    assert writes(found) == before


def test_a_message_that_must_wait_is_written_in_time() -> None:
    """Trouble that ends too soon after the last writing: does the decision ask for a look as soon
    as the message may be written?
    """
    found = scene()
    look(found, MOVING)
    found.shows(found.made(waiting=NO_PULL, started=None, running=False))
    look(found)
    found.shows(found.made())
    found.world.probe(found.key, MOVING, seconds=20)
    decision = found.world.settle(found.key)
    assert "ImagePull" in message(found)
    assert decision.again_in == 40


def test_trouble_is_told_when_it_lasts() -> None:
    """Do people hear of a condition as late as before, though the message says it?"""
    found = scene()
    look(found, MOVING)
    found.looks(UNREACHED, 9 / 60)
    assert found.told == []
    assert "Unreached" in message(found)
    found.looks(UNREACHED, 3 / 60)
    assert found.told == ["Unreached"]
