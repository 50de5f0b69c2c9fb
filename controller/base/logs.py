"""Logs: one line an entry, JSON for Datadog or text for people, through loguru.

Not here: what is logged. The message is constant and values are bound:
`logger.bind(target=..., delay_seconds=...).info("run started")`.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, TextIO

import orjson
from loguru import logger

from controller.base.text import shown

if TYPE_CHECKING:
    from loguru import Message, Record

LONGEST_MESSAGE = 2000  # characters; a line for people
LONGEST_VALUE = 1000  # of one bound value: an annotation fits, an object of the API server does not
LONGEST_STACK = (
    16_000  # Datadog cuts a log of more than 1 MB; a deep recursion is all the same line
)
MOST_ITEMS = 50  # of one bound list or mapping
DEEPEST = 4  # levels of lists in lists

# Its only words are those about datagrams that failed, once each; our sink tells them, once a
# trouble [134].
_SILENCED = ("datadog",)


def configure_logs(log_format: str, level: str, stream: TextIO) -> None:
    """Sends all logs of the process to the stream, those of the standard library's `logging` too
    (from WARNING: aiohttp, asyncio and redis chatter below it), and ends every earlier sink.

    log_format: `json`, `text`, or `auto`: text on a terminal. level: as `Settings.logs` has it.
    """
    as_text = log_format == "text" or (log_format == "auto" and stream.isatty())
    write = _writer(text_line if as_text else json_line, stream)
    logger.remove()
    # loguru's diagnose would print the values of variables beside each frame, secrets among them;
    # we write stacks ourselves, from names and lines alone
    logger.add(write, level=level.upper(), format="{message}", backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.WARNING, force=True)
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _writer(line: "Callable[[Record], str]", stream: TextIO) -> "Callable[[Message], None]":
    def write(message: "Message") -> None:
        stream.write(line(message.record))
        stream.flush()

    return write


def json_line(record: "Record") -> str:
    """One line of JSON with the fields that Datadog reads [139].

    What is bound stands under the one key `bootstrap`: at the top a `status`, `host` or `service`
    of ours would be taken for Datadog's own.
    """
    entry: dict[str, object] = {
        "timestamp": _timestamp(record),
        "status": record["level"].name.lower(),
        "message": _text(record["message"], LONGEST_MESSAGE),
        "logger": {"name": _text(record["name"] or "")},
    }
    if error := _error(record):
        entry["error"] = error
    if record["extra"]:
        entry["bootstrap"] = fit(record["extra"])
    return orjson.dumps(entry).decode() + "\n"


def text_line(record: "Record") -> str:
    """One line for people, and the stack below it if there is one."""
    values = fit(record["extra"])
    bound = "".join(
        f" {name}={value if isinstance(value, str) else orjson.dumps(value).decode()}"
        for name, value in (values.items() if isinstance(values, dict) else ())
    )
    message = _text(record["message"], LONGEST_MESSAGE)
    line = f"{_timestamp(record)} {record['level'].name:<7} {message}{bound}\n"
    if error := _error(record):
        stack = "".join(f"    {row}\n" for row in error["stack"].split("\n") if row)
        return line + stack
    return line


def fit(value: object, depth: int = 0) -> object:
    """The value as plain JSON can hold it: bounded in length, number and depth, and no control
    characters. What cannot even be turned into text is named by its type.
    """
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)  # beyond it readers of JSON round
    if depth < DEEPEST and isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {_text(name): fit(item, depth + 1) for name, item in items}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [fit(item, depth + 1) for item in list(value)[:MOST_ITEMS]]
    return _text(value)


def _text(value: object, limit: int = LONGEST_VALUE) -> str:
    try:
        text = shown(value, limit)
    except Exception:  # noqa: BLE001 a broken __str__ must not cost the line that it stands in
        text = f"<{type(value).__name__}>"
    return text.encode(errors="replace").decode()  # a lone surrogate is no UTF-8


def _timestamp(record: "Record") -> str:
    moment = record["time"].astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(record: "Record") -> dict[str, str]:
    """Kind, message and stack of the exception; an empty dict if there is none."""
    exception = record["exception"]
    if exception is None or exception.type is None or exception.value is None:
        return {}
    parts = traceback.format_exception(exception.type, exception.value, exception.traceback)
    rows = "".join(parts)[-LONGEST_STACK:].split("\n")  # the end is where it was raised
    return {
        "kind": exception.type.__qualname__,
        "message": _text(exception.value),
        "stack": "\n".join(_indent(row) + _text(row) for row in rows).rstrip(),
    }


def _indent(row: str) -> str:
    return row[: len(row) - len(row.lstrip(" "))][:40]


class _ToLoguru(logging.Handler):
    """Hands entries of the standard library's `logging` on to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._hand_on(record)
        except Exception:  # noqa: BLE001 a foreign library's broken entry must not fail its caller
            self.handleError(record)

    @staticmethod
    def _hand_on(record: logging.LogRecord) -> None:
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        named = logger.patch(lambda entry: entry.update({"name": record.name}))
        named.opt(exception=record.exc_info).log(level, record.getMessage())
