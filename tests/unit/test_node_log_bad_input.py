"""A log that is cut, broken, endless or hostile: a sentence or silence, never a wrong side."""

import tracemalloc
from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.text import shown
from controller.domain.failure_class import FailureClass, class_of
from controller.domain.node_log.last_process import split_lines
from controller.domain.node_log.lines import LONGEST, Level, parse_line
from controller.inspection.log_explanation import explain_log
from tests.node_lines import BAD_BLOCK, in_json, plain
from tests.scenes import Scene, scene, scenes

SIDES = {"", *map(str, FailureClass)}


def explained(log: bytes, code: int | None) -> tuple[str, str]:
    """(reason, class)."""
    found = explain_log(split_lines(log.decode(errors="replace")), code)
    assert found.whose in SIDES
    assert len(found.sentence) < 600
    assert found.sentence == shown(found.sentence, 600)
    return found.reason, found.whose


@pytest.mark.parametrize("found", scenes(), ids=lambda s: s.name)
def test_a_log_that_is_cut_anywhere_blames_nobody_else(found: Scene) -> None:
    """Cut at its beginning, at its end, or at both: does a log speak of the side that it speaks of
    whole, or of none?
    """
    right = explained(found.log, found.exit_code)
    random = Random(found.name)
    for _ in range(25):
        begin, end = sorted(random.randrange(len(found.log) + 1) for _ in range(2))
        for part in (found.log[begin:], found.log[:end], found.log[begin:end]):
            _, whose = explained(part, found.exit_code)
            assert whose in (right[1], "", "unclear"), (begin, end)


@given(st.binary(max_size=3000), st.sampled_from([None, 0, 1, 2, 137, 255]))
def test_any_bytes_are_a_log(log: bytes, code: int | None) -> None:
    """Do bytes of any kind end in a sentence that can be shown?"""
    explained(log, code)


@given(st.text(max_size=300), st.sampled_from(["error", "msg", "logger", "level", "from"]))
def test_any_text_in_any_field_is_a_line(text: str, name: str) -> None:
    """Is a line read in which a field has any text?"""
    explained(orjson.dumps({"level": "fatal", "msg": "shutting down chain", name: text}), 1)
    explained(plain("FATAL", text, error=text).encode(), 1)


@pytest.mark.parametrize(
    "line",
    [
        '{"level":["fatal"],"msg":{"a":1},"error":[[[[]]]]}',
        '{"level":"fatal","msg":"shutting down chain","error":"failed to verify block (height=',
        "{" * 50_000,
        '{"level":"fatal"' + ',"a":' * 3000,
        "[11-26|14:59:16.714] FATAL " + 'a="' * 20_000,
        "[11-26|14:59:16.714] FATAL <" + "x" * 50_000,
        "panic: " + "(" * 50_000,
        "failed to verify block " + "1" * 50_000 + " (height=" + "9" * 50_000,
    ],
    ids=range(8),
)
def test_broken_lines_are_borne(line: str) -> None:
    """Is a line that is broken, nested or repeated without end only a line?"""
    explained(line.encode(), 1)


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    """Are control characters of a log's line shown as blanks?"""
    found = explain_log([in_json("fatal", "x \x1b[2J\x07", error="\x1b]0;title\x07 \u202e")], 1)
    assert "\x1b" not in found.sentence + found.line
    assert "\u202e" not in found.sentence + found.line


def test_a_line_of_megabytes_hides_nothing_after_it() -> None:
    """Is the cause found behind a line of 10 MB, whose end is not looked at?"""
    text = "x" * 10_000_000 + "\n" + BAD_BLOCK + "\n"
    assert explain_log(split_lines(text), 1).reason == "BadBlock"
    assert len(parse_line("x" * 10_000_000).text) == LONGEST


def test_an_endless_log_takes_no_memory() -> None:
    """Is a log of a hundred thousand lines read in the memory of a few?"""
    line = in_json("warn", "failing check", reason={"C": {"error": "x" * 300}})
    tracemalloc.start()
    found = explain_log((line for _ in range(100_000)), None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.reason, found.whose) == ("", "unclear")
    assert peak < 1_000_000


def test_what_a_peer_wrote_is_no_line_of_its_own() -> None:
    """Is the end of a line inside a field's text no beginning of another line?"""
    line = in_json("info", "peer said", error="\npanic: not ours\nfatal error: neither")
    assert explain_log([line], 1).reason == "CrashLoop"


def test_both_formats_say_the_same() -> None:
    """Are the fields of a line the same in the plain format and as JSON?"""
    fields = {"reason": "a b", "error": 'with "quotes" and {"braces": 1}'}
    read = [
        parse_line(make("fatal".upper(), "shutting down chain", "C Chain", **fields))
        for make in (plain, in_json)
    ]
    assert {(r.level, r.message, r.chain, tuple(sorted(r.fields.items()))) for r in read} == {
        (Level.FATAL, "shutting down chain", "C", tuple(sorted(fields.items())))
    }


def test_lines_of_the_vm_are_read_in_a_log_of_json() -> None:
    """Are the C-chain VM's plain lines, which name values without JSON, read as well?"""
    said = 'Section processing failed    type=bloombits error="no #4922"'
    text = f"[11-26|14:50:01.883] ERROR {said}"
    read = parse_line(text)
    assert (read.level, read.message) == (Level.ERROR, "Section processing failed")
    assert read.fields == {"type": "bloombits", "error": "no #4922"}


def test_every_side_has_a_class() -> None:
    """Does each ended scene's reason have a class?"""
    for name in ("bad-block", "panic", "disk-low", "wrong-genesis"):
        found = scene(name)
        reason, whose = explained(found.log, found.exit_code)
        assert class_of(reason) == whose != ""
