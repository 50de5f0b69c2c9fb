"""What is found in a history by the ids of its transitions, held against reading all of it."""

from collections.abc import Sequence
from random import Random

import orjson
import pytest

from controller.domain.run import is_of_build
from controller.engine.probing.earlier_runs import passed_runs
from controller.engine.telling.notices import run_in
from controller.views.history import read_history
from controller.views.history_sift import Sift
from controller.views.reading import Reading
from store.api import StateStore, Transition
from tests.machine_engine import at_once, still_store

TARGET = "fuji-full-sync"
BUILDS = [f"sha256:{digit * 8}{other * 56}" for digit in "ab" for other in "12"]
PHASES = ("Starting", "Bootstrapping", "Soaking", "Passed", "Failed", "Held")


def written(seed: int) -> tuple[StateStore, list[Transition]]:
    """A history of runs whose phases are in any order, of transitions without a run, and of some
    that another hand has named.
    """
    random, store = Random(seed), still_store()
    lines = [_line(random, number) for number in range(60)]
    at_once(store.append(lines))
    for line in lines:
        body = orjson.loads(line.body)
        if body.get("run"):
            at_once(store.put_run(TARGET, body["run"], {"build": body["build"], "phase": "Passed"}))
    return store, lines


def _line(random: Random, number: int) -> Transition:
    build = random.choice(BUILDS)
    run = f"202611{random.randint(10, 12)}t060000z-{build[7:15]}"
    body = {"run": run, "build": build, "phase": random.choice(PHASES), "deployment": "ns/a"}
    name = random.choice([f"ns.a.{run}.{number}", f"another's-{number}", f"ns.a.idle.{number}"])
    if ".idle." in name:
        body["run"] = ""
    return Transition(name, TARGET, float(random.randint(1, 30)), orjson.dumps(body))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("builds", [BUILDS[:1], BUILDS[1:3], ["sha256:aaaaaa"]])
def test_history_of_builds_is_that_of_a_plain_walk(seed: int, builds: Sequence[str]) -> None:
    """Are the lines of a build those that a walk through all bodies finds?"""
    store, lines = written(seed)
    sift = Sift(frozenset(builds))
    found = at_once(read_history(store, [], target=None, deployment=None, limit=1000, sift=sift))
    plain = [
        line.id
        for line in lines
        if any(orjson.loads(line.body)["build"].startswith(build) for build in builds)
    ]
    assert sorted(line.id for line in found.lines) == sorted(plain)


@pytest.mark.parametrize("seed", range(20))
def test_runs_of_builds_are_those_of_a_plain_walk(seed: int) -> None:
    """Are the runs of a build that ended those that a walk through all bodies finds?"""
    store, lines = written(seed)
    bodies = [orjson.loads(line.body) for line in lines]
    for build in BUILDS:
        found = at_once(Reading(store, []).runs_of_builds(TARGET, [build]))
        over = {b["run"] for b in bodies if b["run"] and b["phase"] in ("Passed", "Failed")}
        mine = {run for run in over if at_once(store.run(TARGET, run))["build"] == build}
        assert {run.run for run in found} == mine


@pytest.mark.parametrize("seed", range(20))
def test_passed_runs_are_those_of_a_plain_walk(seed: int) -> None:
    """Is each run compared with that passed as its last word says?"""
    store, lines = written(seed)
    newest_first = sorted(lines, key=lambda line: (line.at, line.id), reverse=True)
    last: dict[str, tuple[str, float]] = {}
    for line in newest_first:
        body = orjson.loads(line.body)
        if body["run"] and body["phase"] in ("Passed", "Failed"):
            last.setdefault(body["run"], (body["phase"], line.at))
    found = at_once(passed_runs(store, TARGET, before=""))
    passed = {run for run, (phase, _) in last.items() if phase == "Passed"}
    assert passed <= {past.run for past in found}


@pytest.mark.parametrize(
    ("identity", "run"),
    [
        ("bootstrap.a.20261123t060000z-1a1a1a1a.4", "20261123t060000z-1a1a1a1a"),
        ("bootstrap.a.b.20261123t060000z-1a1a1a1a.4", "20261123t060000z-1a1a1a1a"),
        ("bootstrap.a.idle.4", ""),
        ("20261123t060000z-1a1a1a1a", ""),
        ("", ""),
    ],
)
def test_run_in_an_id(identity: str, run: str) -> None:
    """Is the run of a transition told by its id, where it is formed as ours are?"""
    assert run_in(identity) == run


@pytest.mark.parametrize(
    ("builds", "is_one"),
    [
        (["sha256:1a1a1a1a00"], True),
        (["sha256:1a1a1a"], True),
        (["sha256:1a1a1a1b"], False),
        (["sha256:2b2b2b2b", "sha256:1a1a1a1a"], True),
        ([], False),
    ],
)
def test_build_of_a_run(builds: list[str], *, is_one: bool) -> None:
    """Is it told by its id which builds a run may be of?"""
    assert is_of_build("20261123t060000z-1a1a1a1a", *builds) is is_one
