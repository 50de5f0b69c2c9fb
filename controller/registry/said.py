"""What a registry or a token server says itself when it refuses: policy, quota, rights. No I/O.

docker shows the same words [150]. Of HTML nothing is passed on, and no secret that was sent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from controller.base.redact import redact
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE

LONGEST = 220  # characters: the sentence of a policy, and the rest of ours beside it
_LONGEST_BODY = 64 * 1024  # bytes: an answer with errors has some hundred
_MOST = 2  # errors of one answer
_SILENT = ("", "UNKNOWN")  # codes that add nothing to a message
_REASONS = ("message", "reason", "error")  # of a detail that is an object
# What is new in each answer: an id of the request, a moment. Sentences are compared and written
# where they differ.
_CHANGING = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


class _Error(msgspec.Struct):
    code: object = None
    message: object = None
    detail: object = None


class _Answer(msgspec.Struct):
    """All forms at once: a registry's [150], an OAuth2 endpoint's, and those of some products."""

    errors: list[_Error] | None = None
    error: object = None
    error_description: object = None
    message: object = None
    details: object = None


def said_in(body: bytes, content_type: str, secrets: Iterable[str] = ()) -> str:
    """One line of at most 220 characters; empty where nothing is said that people could read.

    secrets: what was sent, and must not come back in a sentence.
    """
    if not body or len(body) > _LONGEST_BODY:
        return ""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except UNDECODABLE:
        text = _plain(body, content_type)
    else:
        text = "; ".join(dict.fromkeys(filter(None, _parts(answer))))
    text = _CHANGING.sub("…", " ".join(text.split()))
    return shown(redact(text, tuple(secrets)), LONGEST)


def quoted(said: str) -> str:
    """The end of a sentence of ours: empty where nothing is said."""
    return f"; it says '{said}'" if said else ""


def _parts(answer: _Answer) -> Iterator[str]:
    if answer.errors:
        yield from map(_sentence, answer.errors[:_MOST])
        return
    yield _text(answer.error_description) or _text(answer.error)
    yield _text(answer.message)
    yield _text(answer.details)


def _sentence(error: _Error) -> str:
    code, message, detail = _text(error.code), _text(error.message), _detail(error.detail)
    if detail and detail not in message:
        message = f"{message} ({detail})" if message else detail
    if code in _SILENT or not message:
        return message or code
    return f"{code}: {message}"


def _detail(detail: object) -> str:
    """Of an object only what is a sentence: the rest repeats what was asked for."""
    if isinstance(detail, Mapping):
        return next(filter(None, (_text(detail.get(name)) for name in _REASONS)), "")
    return _text(detail)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _plain(body: bytes, content_type: str) -> str:
    """Docker Hub's abuse limit and its lockout answer in plain text [78]."""
    if content_type.partition(";")[0].strip().lower() != "text/plain":
        return ""
    text = body.decode(errors="replace").strip()
    return "" if text.startswith("<") else text
