"""Logs: the line that people and Datadog read, and that nothing in it can do harm."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from loguru import logger

from controller.base.logs import LONGEST_VALUE, MOST_ITEMS, configure_logs
from controller.domain.run import Phase


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Logs are the process's: what a test changes is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    silenced = logging.getLogger("datadog").level
    root.handlers = []  # pytest's own, which basicConfig would close
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.getLogger("datadog").setLevel(silenced)
    logger.remove()
    logger.add(sys.stderr)


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(level: str = "debug") -> io.StringIO:
    """A stream to which all logs now go as JSON."""
    stream = io.StringIO()
    configure_logs("json", level, stream)
    return stream


def fail() -> None:
    password = "hunter2"
    raise ValueError(f"a password of {len(password)} letters")


def test_a_line_has_the_fields_that_datadog_reads() -> None:
    """Are time, status, message and logger where Datadog looks for them, and ours below one key?"""
    stream = logged()
    logger.bind(status="Running", host="n", level=3, target="fuji").warning("run started")
    (entry,) = entries(stream)
    moment = datetime.fromisoformat(entry.pop("timestamp"))
    assert moment.utcoffset() is not None
    assert entry == {
        "status": "warning",
        "message": "run started",
        "logger": {"name": __name__},
        "bootstrap": {"status": "Running", "host": "n", "level": 3, "target": "fuji"},
    }


def test_time_is_utc_in_milliseconds() -> None:
    """Is the time ISO 8601, UTC, with milliseconds and a Z?"""
    stream = logged()
    logger.info("x")
    assert entries(stream)[0]["timestamp"][-5] == "."
    assert entries(stream)[0]["timestamp"].endswith("Z")


def test_an_exception_is_told_with_its_stack_and_no_values() -> None:
    """Does a stack show where, but never what the variables held?"""
    stream = logged()
    try:
        fail()
    except ValueError:
        logger.exception("it failed")
    (entry,) = entries(stream)
    assert entry["error"]["kind"] == "ValueError"
    assert entry["error"]["message"] == "a password of 7 letters"
    assert "in fail\n" in entry["error"]["stack"]
    assert entry["error"]["stack"].endswith("ValueError: a password of 7 letters")
    assert entry["message"] == "it failed"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_value_of_a_variable_is_ever_logged(log_format: str) -> None:
    """Is loguru's diagnosis, which prints the variables of each frame, off?"""
    stream = io.StringIO()
    configure_logs(log_format, "debug", stream)

    def open_store(given: str) -> None:
        raise ValueError("refused" if given else "")

    try:
        open_store("".join(["hun", "ter2"]))
    except ValueError:
        logger.exception("it failed")
    assert "refused" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_control_characters_cannot_forge_a_line() -> None:
    """Does text from outside stay on its line, in message, values, keys and stack?"""
    evil = "a\nb\x1b[2J\u2028\u202ec"
    for log_format in ("json", "text"):
        stream = io.StringIO()
        configure_logs(log_format, "debug", stream)
        logger.bind(**{"x\ny": evil, "list": [evil]}).info(evil)
        logger.opt(exception=ValueError(evil)).error("failed")
        for forbidden in ("\x1b", "\u2028", "\u202e", "\\u001b", "\\u202e", "x\ny", "x\\ny"):
            assert forbidden not in stream.getvalue()
        lines = stream.getvalue().splitlines()
        assert sum(not line.startswith(" ") for line in lines) == 2  # a stack is indented
        assert stream.getvalue().count("a b [2J c") == (4 if log_format == "json" else 3)


def test_what_is_huge_is_cut() -> None:
    """Can one bound object of the API server not make a line of megabytes?"""
    stream = logged()
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    logger.bind(
        text="é" * 100_000,
        many=list(range(10_000)),
        big={str(n): n for n in range(10_000)},
        deep=deep,
    ).info("m" * 100_000)
    (entry,) = entries(stream)
    assert len(entry["message"]) == 2000
    assert len(entry["bootstrap"]["text"]) == LONGEST_VALUE
    assert entry["bootstrap"]["text"].endswith("…")
    assert len(entry["bootstrap"]["many"]) == len(entry["bootstrap"]["big"]) == MOST_ITEMS
    assert len(stream.getvalue()) < 10_000


def test_any_value_can_be_logged() -> None:
    """Does a value that JSON cannot hold, or that cannot be shown, never cost the line?"""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    stream = logged()
    logger.bind(
        broken=Broken(),
        huge=2**80,
        small=-5,
        nan=float("nan"),
        raw=b"\x00\xff",
        surrogate="\ud800",
        phase=Phase.FAILED,
        none=None,
        error=ValueError("why"),
        keys={1: {2: "x"}},
    ).info("{braces} stay")
    (entry,) = entries(stream)
    assert entry["message"] == "{braces} stay"
    assert entry["bootstrap"] == {
        "broken": "<Broken>",
        "huge": str(2**80),
        "small": -5,
        "nan": None,
        "raw": r"b'\x00\xff'",
        "surrogate": "?",
        "phase": "Failed",
        "none": None,
        "error": "why",
        "keys": {"1": {"2": "x"}},
    }


def test_text_is_one_line_with_its_values() -> None:
    """Can a person read a line on a terminal?"""
    stream = Terminal()
    configure_logs("auto", "info", stream)
    logger.bind(target="fuji", delay_seconds=1.5, builds=["a"]).info("run started")
    moment, rest = stream.getvalue().split(" ", 1)
    assert datetime.fromisoformat(moment)
    assert rest == 'INFO    run started target=fuji delay_seconds=1.5 builds=["a"]\n'


def test_a_stack_is_shown_below_its_line_of_text() -> None:
    """Does a person on a terminal see where it failed, indented as Python shows it?"""
    stream = io.StringIO()
    configure_logs("text", "info", stream)
    try:
        fail()
    except ValueError:
        logger.exception("it failed")
    rows = stream.getvalue().split("\n")
    assert rows[0].endswith("ERROR   it failed")
    assert rows[1] == "    Traceback (most recent call last):"
    assert rows[2].startswith('      File "')
    assert rows[-2:] == ["    ValueError: a password of 7 letters", ""]


@pytest.mark.parametrize(
    ("log_format", "stream", "first"),
    [
        ("auto", Terminal(), "2"),
        ("auto", io.StringIO(), "{"),
        ("json", Terminal(), "{"),
        ("text", io.StringIO(), "2"),
    ],
)
def test_auto_is_text_only_on_a_terminal(log_format: str, stream: io.StringIO, first: str) -> None:
    """Does a pod get JSON and a person text, unless they say otherwise?"""
    configure_logs(log_format, "info", stream)
    logger.info("x")
    assert stream.getvalue().startswith(first)


def test_less_than_the_level_is_not_logged() -> None:
    """Is the level kept?"""
    stream = logged("warning")
    logger.info("no")
    logger.warning("yes")
    assert [entry["message"] for entry in entries(stream)] == ["yes"]


def test_logs_of_libraries_come_through_from_warning() -> None:
    """Is what aiohttp, asyncio and redis complain about in the same stream, under their names?"""
    stream = logged()
    for name in ("aiohttp.client", "asyncio", "kubernetes_asyncio", "redis.asyncio"):
        logging.getLogger(name).info("chatter %s", 1)
        logging.getLogger(name).error("trouble {of} %s", name)
    assert [(e["logger"]["name"], e["status"], e["message"]) for e in entries(stream)] == [
        (name, "error", f"trouble {{of}} {name}")
        for name in ("aiohttp.client", "asyncio", "kubernetes_asyncio", "redis.asyncio")
    ]


def test_an_exception_of_a_library_has_its_stack() -> None:
    """Is an unhandled error in a callback told with where it came from?"""
    stream = logged()
    try:
        fail()
    except ValueError:
        logging.getLogger("asyncio").exception("unhandled")
    (entry,) = entries(stream)
    assert entry["error"]["kind"] == "ValueError"
    assert "in fail\n" in entry["error"]["stack"]


def test_a_level_that_only_a_library_knows_is_kept() -> None:
    """Does a level of a library's own making come through by its number?"""
    stream = logged()
    logging.getLogger("redis").log(35, "between")
    assert entries(stream)[0]["message"] == "between"


def test_a_broken_entry_of_a_library_does_not_fail_its_caller(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """If a library's own log call is wrong, does the library go on?"""
    stream = logged()
    logging.getLogger("redis").error("two %s %s", "one")
    logging.getLogger("redis").error("next")
    assert [entry["message"] for entry in entries(stream)] == ["next"]
    assert "Logging error" in capsys.readouterr().err


def test_the_datadog_client_is_not_heard() -> None:
    """Is the agent's absence told by our sink once, and not by its client for every event?"""
    stream = logged()
    logging.getLogger("datadog.dogstatsd").warning("Error submitting packet")
    assert stream.getvalue() == ""


def test_logs_go_to_one_stream_only() -> None:
    """Does configuring again replace what was configured?"""
    first, second = logged(), logged()
    logger.info("x")
    assert first.getvalue() == ""
    assert len(entries(second)) == 1
