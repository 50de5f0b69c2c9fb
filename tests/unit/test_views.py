"""What people look at is read from records and store together, and from whichever is there."""

from collections.abc import Sequence

from controller.domain.record.record import OpenRun, Outcome, Record
from controller.domain.run import Phase
from controller.views.known_builds import known_builds
from controller.views.parts import as_json
from controller.views.reading import Reading
from store.api import Claim, Meta, StoreUnavailable, Transition
from store.memory import MemoryStore
from store.passing_on import PassingStore
from tests.machine_engine import at_once, still_store

TARGET = "fuji-full-sync"
A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")
FIRST, SECOND, THIRD = (f"2026112{day}t060000z-aaaaaaaa" for day in (1, 2, 3))
RECORD = Record(
    schema=1,
    namespace="bootstrap",
    name="fuji",
    uid="u",
    message="it goes on",
    run=OpenRun(
        id=THIRD,
        build=C,
        image=f"avaplatform/avalanchego:latest@{C}",
        target=TARGET,
        network="fuji",
        mode="full-sync",
        config="c",
        phase=Phase.SOAKING,
        reason="Bootstrapped",
        decided=1_795_413_600,
        since=1_795_414_200,
        started=1_795_413_660,
    ),
    outcomes=(
        Outcome(run=SECOND, build=B, target=TARGET, phase=Phase.FAILED, reason="BadBlock",
                at=1_794_900_000, began=1_794_800_000, message="C cannot verify block 5"),
    ),
    tested={TARGET: (A, B, C)},
)  # fmt: skip


class Away(PassingStore):
    """A store that is not reached."""

    def _reach(self) -> MemoryStore:
        raise StoreUnavailable("redis://r:6379 is not reached: connection refused")


def filled() -> MemoryStore:
    """What a controller has written of an older run, and of builds that its tag pointed to."""
    store = still_store()
    at_once(store.refill(Meta(1, "e", 0, "c"), [Claim(TARGET, A, FIRST, "bootstrap/fuji")]))
    body = f'{{"phase":"Passed","run":"{FIRST}"}}'.encode()
    at_once(store.append([Transition("t1", TARGET, 1_794_700_000.0, body)]))
    fields = {"phase": "Passed", "build": A, "version": "avalanchego/1.14.0", "took": "3600"}
    at_once(store.put_run(TARGET, FIRST, fields))
    at_once(store.put_run(TARGET, SECOND, {"phase": "Bootstrapping", "instance_type": "i4i"}))
    for at, build in enumerate((A, B, C, D)):
        at_once(store.note_seen(TARGET, build, at=1_794_000_000.0 + at))
    return store


def ended(reading: Reading, limit: int = 10) -> Sequence[tuple[str, str]]:
    return [(run.run, run.phase) for run in at_once(reading.ended(TARGET, limit=limit))]


def test_runs_of_record_and_store_are_one_list() -> None:
    """Is a run that only the store remembers beside one of the record, newest first?"""
    reading = Reading(filled(), [RECORD])
    assert ended(reading) == [(SECOND, "Failed"), (FIRST, "Passed")]
    assert ended(reading, limit=1) == [(SECOND, "Failed")]


def test_the_record_is_believed_first() -> None:
    """Is the record's word taken where both know a run, and the store's where only it does?"""
    run = at_once(Reading(filled(), [RECORD]).run(TARGET, SECOND))
    assert run is not None
    assert (run.phase, run.reason, run.side) == ("Failed", "BadBlock", "client")
    assert run.machine.instance_type == "i4i"


def test_a_store_that_is_away_leaves_the_records() -> None:
    """Are the records told, and why there is no more?"""
    reading = Reading(Away(still_store()), [RECORD])
    assert ended(reading) == [(SECOND, "Failed")]
    assert "connection refused" in reading.trouble


def test_each_build_has_its_state_on_a_target() -> None:
    """Is a build passed, failed, open, or passed by, each under its name?"""
    reading = Reading(filled(), [RECORD])
    known = at_once(known_builds(reading, [TARGET]))
    builds = at_once(known.views(known.digests))
    assert {b.build: b.targets[0].state for b in builds} == {
        A: "passed", B: "failed", C: "open", D: "passed by",
    }  # fmt: skip
    assert builds[0].build == C, "the newest stands first"


def test_json_has_times_that_programs_read() -> None:
    """Are times RFC 3339 in UTC, and what is not known null?"""
    (run,) = Reading(still_store(), [RECORD]).open()
    text = as_json(run).decode()
    assert '"started": "2026-11-23T' in text
    assert '"ended": null' in text
