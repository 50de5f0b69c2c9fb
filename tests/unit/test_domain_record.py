"""The record: what is written is what is read, within its size, and nothing else is believed."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace as with_fields

from controller.base.errors import TargetFault
from controller.domain.defaults import Rules
from controller.domain.record.record import (
    SCHEMA,
    OpenRun,
    Outcome,
    Record,
    Seen,
    Step,
    decode_record,
    encode_record,
)
from controller.domain.run import Phase
from tests.machine_objects import bare, build, deployment, pinned
from tests.machine_world import World

RULES = Rules()
RUN = OpenRun(
    id="20261123t060000z-aaaaaaaa",
    build=build("a"),
    image=pinned("a"),
    target="fuji-c-chain-state-sync",
    network="fuji",
    mode="c-chain-state-sync",
    config="0123456789abcdef",
    phase=Phase.SOAKING,
    reason="Bootstrapped",
    decided=1795413600,
    since=1795417200,
    digest=build("b"),
    found=(bare(),),
    started=1795413700,
    bootstrapped=1795417200,
    observed=3500.5,
    reverts=1,
    fault="NoService",
    seen=Seen(pod="uid", restarts=2, crashes=1, exit=137, data="resumed", resumes=3),
)
OUTCOME = Outcome(
    run="20261122t060000z-bbbbbbbb",
    build=build("b"),
    target="fuji-c-chain-state-sync",
    phase=Phase.FAILED,
    reason="CrashLoop",
    at=1795400000,
    began=1795390000,
    message='said "no"',
    observed=12.5,
    resumes=4,
)
STEP = Step(
    seq=6, before="Bootstrapping", phase="Soaking", reason="Bootstrapped", at=1, message="m"
)
RECORD = Record(
    schema=SCHEMA,
    namespace="bootstrap",
    name="fuji",
    uid="uid-1",
    seq=7,
    phase=Phase.SOAKING,
    reason="Bootstrapped",
    message="a sentence with ünïcode",
    since=1795417200,
    run=RUN,
    outcomes=(OUTCOME,),
    tested={"fuji-c-chain-state-sync": (build("b"), build("c"))},
    levers={"bootstrap.avax.network/retest-requested-at": "2026"},
    config="0123456789abcdef",
    last_run="20261123t060000z-aaaaaaaa",
    again="retest",
    voids=1,
    void_build=build("c"),
    released="20261122t060000z-bbbbbbbb",
    told=5,
    steps=(STEP,),
)


def decode(text: str) -> Record:
    return decode_record(text, "bootstrap", "fuji")


def fault(text: str) -> TargetFault:
    with pytest.raises(TargetFault) as caught:
        decode(text)
    return caught.value


def changed(**entries: Any) -> str:
    return json.dumps({**msgspec.to_builtins(RECORD), **entries})


def test_what_is_written_is_what_is_read() -> None:
    """Does every field survive the annotation?"""
    assert decode(encode_record(RECORD, RULES)) == RECORD


def test_the_same_record_is_the_same_text() -> None:
    """Can a record be compared byte by byte, as the patch does?"""
    text = encode_record(RECORD, RULES)
    assert encode_record(decode(text), RULES) == text


def test_steps_that_everybody_has_are_left_out() -> None:
    """Is only kept what somebody may still have to be told?"""
    steps = tuple(with_fields(STEP, seq=n) for n in range(1, 9))
    kept = decode(encode_record(with_fields(RECORD, steps=steps), RULES)).steps
    assert [s.seq for s in kept] == [6, 7, 8]


def test_outcomes_and_builds_are_bounded() -> None:
    """Are the last ten outcomes and the last hundred builds kept?"""
    outcomes = tuple(with_fields(OUTCOME, at=n) for n in range(30))
    builds = tuple(f"sha256:{n:064x}" for n in range(300))
    full = with_fields(RECORD, outcomes=outcomes, tested={"fuji-full-sync": builds})
    kept = decode(encode_record(full, RULES))
    assert [o.at for o in kept.outcomes] == list(range(20, 30))
    assert kept.tested == {"fuji-full-sync": builds[-100:]}


def test_the_worst_record_fits_and_keeps_what_matters() -> None:
    """Does a record of the longest everything stay within 16 KiB and keep its open run?"""
    said = '"' * 512  # each of them takes two bytes in JSON
    image = "r" * 250 + "/" + "p" * 255 + ":" + "t" * 128 + "@" + build("a")
    target = f"network-{'9' * 10}-p-chain-full-sync-only-{'s' * 32}"
    run = with_fields(RUN, image=image, found=(image,) * 4, target=target)
    worst = with_fields(
        RECORD,
        message=said,
        run=run,
        outcomes=tuple(with_fields(OUTCOME, message=said, at=n) for n in range(10)),
        steps=tuple(with_fields(STEP, seq=6 + n, message=said) for n in range(8)),
        tested={f"{target[:-2]}{n:02}": (f"sha256:{n:064x}",) for n in range(100)},
        levers={f"bootstrap.avax.network/{n}": '"' * 64 for n in ("retest", "abort", "end-hold")},
    )
    text = encode_record(worst, RULES)
    kept = decode(text)
    assert len(text.encode()) <= RULES.record_bytes
    assert kept.run == run
    assert kept.outcomes[-1].at == 9
    assert f"{target[:-2]}99" in kept.tested
    assert (kept.seq, kept.last_run, kept.levers) == (worst.seq, worst.last_run, worst.levers)


def test_tested_builds_are_dearer_than_progress() -> None:
    """Is progress of the open run left out before a build is forgotten that was tested?"""
    noted = with_fields(RUN, progress='"' * 2048)
    builds = tuple(f"sha256:{n:064x}" for n in range(100))
    outcomes = tuple(with_fields(OUTCOME, message='"' * 512, at=n) for n in range(10))
    full = with_fields(RECORD, run=noted, outcomes=outcomes, tested={"fuji-full-sync": builds})
    small = with_fields(full, outcomes=())
    rules = replace(RULES, record_bytes=13 * 1024)
    assert decode(encode_record(small, rules)).run == noted
    kept = decode(encode_record(full, rules))
    assert kept.run == RUN
    assert kept.tested == full.tested


def test_a_record_that_cannot_be_cut_further_is_written_all_the_same() -> None:
    """Does the cutting come to an end whatever a person wrote into it?"""
    text = encode_record(with_fields(RECORD, uid="u" * 40_000), RULES)
    assert decode(text).run == RUN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        "null",
        '"text"',
        "[" * 100_000,
        '{"schema": 1}',
        changed(seq="seven"),
        changed(phase="Sleeping"),
        changed(tested=[1, 2]),
        changed(run={"id": "x"}),
        changed(schema="one"),
        changed(schema=None),
        changed(last_run="yesterday"),
        changed(tested={"a target": [build("a")]}),
        changed(tested={"": [build("a")]}),
        changed(run={**msgspec.to_builtins(RUN), "id": "20261399t060000z-aaaaaaaa"}),
        "x" * 200_000,
    ],
)
def test_a_record_that_does_not_parse_is_the_owners_to_mend(text: str) -> None:
    """Is everything that is no record refused with a sentence that says what to do?"""
    found = fault(text)
    assert found.reason == "RecordUnreadable"
    assert "put back what the controller wrote, or remove it" in str(found)
    assert len(str(found)) < 500


@pytest.mark.parametrize("more", [{}, {"run": "of another shape"}])
def test_a_newer_schema_is_not_touched(more: dict[str, Any]) -> None:
    """Is a record of a newer controller refused as such, whatever its fields have become?"""
    found = fault(changed(schema=SCHEMA + 1, **more))
    assert found.reason == "RecordTooNew"
    assert f"schema {SCHEMA + 1}" in str(found)


@pytest.mark.parametrize("entries", [{"name": "other"}, {"namespace": "other"}])
def test_a_copied_record_is_refused(entries: dict[str, str]) -> None:
    """Is a record that names another Deployment told from one that is broken?"""
    found = fault(changed(**entries))
    assert found.reason == "RecordCopied"
    assert "remove it" in str(found)


def test_fields_of_the_future_are_skipped() -> None:
    """Can a record of the same schema with more fields still be read?"""
    assert decode(changed(colour="red")) == RECORD


def test_what_the_machine_writes_in_a_whole_run_can_be_read() -> None:
    """Do the records of a real run survive their own reading, each of them?"""
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    record = world.record(key)
    assert decode(encode_record(record, RULES)) == with_fields(
        record, steps=tuple(s for s in record.steps if s.seq > record.told)[-RULES.steps :]
    )
