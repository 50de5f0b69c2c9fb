"""Recorded answers and logs that come in pieces: never an error, and never a wrong side."""

from random import Random

import pytest

from controller.domain.failure_class import FailureClass
from tests.replayed_node import asked_to_end
from tests.replayed_run import Replay
from tests.replayed_table import ROWS, Row
from tests.scenes import KEPT_BY_KUBELET, scene

HOURS = 1.5  # longer than a soak, shorter than any patience with what stands
ANSWER = [row for row in ROWS if scene(row.scene).answers]
END = [row for row in ROWS if asked_to_end(scene(row.scene)) is None]


def _played(row: Row, share: float) -> Replay:
    """share: of its bodies that are cut somewhere before their end, by the row's own chance."""
    found, random = scene(row.scene), Random(row.scene)

    def cut(body: bytes) -> bytes:
        torn = random.random() < share and body
        return body[: random.randrange(len(body))] if torn else body

    replay = Replay(found, readable=False, cut=cut)
    if asked_to_end(found) is None:
        replay.lives(float(found.about["seconds"]))
    else:
        replay.is_held(HOURS)
    return replay


@pytest.mark.parametrize("row", ANSWER, ids=lambda row: row.scene)
def test_answers_in_pieces_judge_nobody(row: Row) -> None:
    """With each body cut somewhere, is nothing passed, and nobody blamed?"""
    assert _played(row, 1.0).open


@pytest.mark.parametrize("row", ANSWER, ids=lambda row: row.scene)
def test_some_answers_in_pieces_put_nothing_on_another_side(row: Row) -> None:
    """With two bodies of five cut, does nothing pass, and is what is judged on the scene's side?"""
    replay = _played(row, 0.4)
    assert replay.verdict[0] != "Passed"
    assert replay.open or _side(replay) in _sides(row)


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("row", END, ids=lambda row: row.scene)
def test_a_log_in_pieces_puts_nothing_on_another_side(row: Row, part: int) -> None:
    """With a log that begins and ends somewhere, whole lines or not, is the side the scene's or
    unclear, whether the log or its last 2,048 bytes are read?
    """
    found, random = scene(row.scene), Random(f"{row.scene} {part}")
    end = random.randrange(len(found.log)) if part else len(found.log)
    log = found.log[random.randrange(end + 1) : end] if part % 2 else found.log[:end]
    for readable in (True, False):
        replay = Replay(found, readable=readable, log=log)
        replay.ends_and_is_restarted()
        assert not replay.open
        assert _side(replay) in _sides(row), (len(log), log[-KEPT_BY_KUBELET:])


def _side(replay: Replay) -> str:
    return replay.verdict[2]


def _sides(row: Row) -> set[str]:
    return {row.verdict.rpartition(" ")[2], FailureClass.UNCLEAR}
