"""Every recorded scene of a real avalanchego, replayed from its answers with their times and its
log, whole and as the kubelet keeps it, through the real probe, looks and machine.
"""

from fnmatch import fnmatchcase
from functools import cache

import pytest

from controller.base.errors import TargetFault
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from tests.replayed_manifest import manifest_as_written
from tests.replayed_node import asked_to_end
from tests.replayed_run import Replay
from tests.replayed_table import BLOCKED, ROWS, Row
from tests.scenes import scene, scenes

HOURS = 14  # longer than the patience of every condition


def rows(*, judged: bool = True, ended: bool | None = None) -> pytest.MarkDecorator:
    """judged: those that have a verdict. ended: those that ended by themselves, or those of the
    recorder's SIGTERM; None: both.
    """
    chosen = [
        row
        for row in ROWS
        if (row.verdict or not judged) and ended in (None, asked_to_end(scene(row.scene)) is None)
    ]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.scene)


@cache
def played(name: str, *, readable: bool) -> Replay:
    """To its verdict. readable: its logs may be read."""
    found = scene(name)
    replay = Replay(found, readable=readable)
    if asked_to_end(found) is None:
        replay.ends_and_is_restarted()
    else:
        replay.is_held(HOURS)
    return replay


def test_every_scene_has_its_row() -> None:
    """Does the table leave out none of the recordings, and name none twice?"""
    assert sorted(row.scene for row in ROWS) == sorted(found.name for found in scenes())


@rows(judged=False)
def test_the_target_of_its_manifest(row: Row) -> None:
    """Is it known from flags, variables and C's configuration what is tested, or is it refused?"""
    try:
        target = str(read_request(manifest_as_written(scene(row.scene)), Rules()).target)
    except TargetFault:
        target = BLOCKED
    assert target == row.target


@rows()
def test_its_phases(row: Row) -> None:
    """Does a run go through the phases that its node has shown, and no others?"""
    phases = played(row.scene, readable=True).phases
    assert tuple(phases[:-1]) == row.phases
    assert phases[-1] == row.verdict.partition(" ")[0]


@rows()
def test_its_conditions(row: Row) -> None:
    """Are people told of what keeps it from going on, while it lasts?"""
    told = played(row.scene, readable=True).conditions
    assert told >= set(row.conditions)
    assert bool(told) is bool(row.conditions)


@rows()
def test_its_verdict_and_side(row: Row) -> None:
    """With its log whole, is it put on the right side, by the right reason?"""
    assert fnmatchcase(_verdict(played(row.scene, readable=True)), row.verdict)


@rows()
def test_its_sentence(row: Row) -> None:
    """Does the verdict's sentence name what a person would look for?"""
    sentence = played(row.scene, readable=True).sentence
    assert [part for part in row.says if part not in sentence] == []


@rows()
def test_its_verdict_without_its_log(row: Row) -> None:
    """With the kubelet's 2,048 bytes alone, is no more judged than is known, and is it said what
    would tell?
    """
    replay = played(row.scene, readable=False)
    assert fnmatchcase(_verdict(replay), row.kept or row.verdict)
    says = row.says if row.kept_says is None else row.kept_says
    assert [part for part in says if part not in replay.sentence] == []


@rows(ended=True)
def test_its_ends_until_the_verdict(row: Row) -> None:
    """Does nobody wait for more ends than can teach something?"""
    ends = played(row.scene, readable=True).ends
    assert 1 <= ends <= Rules().crash_limit
    assert row.ends in (None, ends)


@rows(judged=False, ended=False)
def test_an_end_that_was_asked_for_is_no_failure(row: Row) -> None:
    """Where the cluster ends it by SIGTERM and another pod takes its place, twice, is nothing held
    against the build, and does nothing pass on its way down?
    """
    replay = Replay(scene(row.scene))
    replay.is_ended_and_replaced()
    assert replay.open
    assert replay.conditions == set()
    assert tuple(replay.phases) in (row.phases, row.phases[:1])


def _verdict(replay: Replay) -> str:
    return " ".join(replay.verdict).strip()
