"""Text from outside, made fit to be shown: in a log line, an annotation, a table, an Event."""

import re

from controller.base.redact import redact

# Control characters, ends of lines that terminals do not know, marks of direction, and what has no
# width; but for those that a text of many lines may keep.
_NEVER = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_UNSHOWABLE = re.compile(rf"[\t\n{_NEVER}]+")
_UNSHOWABLE_IN_LINES = re.compile(rf"[{_NEVER}]")
_FIGURES = re.compile(r"[0-9a-fA-F]*\d[0-9a-fA-F:.-]*")


def shown(text: object, limit: int = 200) -> str:
    """One line of at most `limit` characters: control characters and direction marks become a
    space, and what was cut is marked with an ellipsis. What looks like a secret is not shown: what
    programs say of themselves may name the password that they were refused with.
    """
    line = _UNSHOWABLE.sub(" ", redact(str(text)[: 4 * limit])).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown_ends(text: str, limit: int = 200) -> str:
    """As `shown`, but what is cut is the middle: of what one program says of another the cause is
    last, as in `failed to pull image "…": …: not found`.
    """
    line = shown(
        text if len(text) <= 4 * limit else text[: 2 * limit] + text[-2 * limit :], 4 * limit
    )
    head = limit // 3
    return line if len(line) <= limit else line[:head] + "…" + line[head + 1 - limit :]


def shown_lines(text: str) -> str:
    """As `shown`, but lines stay lines and tabs stay tabs, and nothing is cut: each such character
    becomes one space.
    """
    return _UNSHOWABLE_IN_LINES.sub(" ", text)


def cut_bytes(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    return raw[: limit - 3].decode(errors="ignore") + "…"


def cut_before(head: str, tail: str, limit: int) -> str:
    """Both in at most `limit` bytes: what is cut is the head, and the tail only where it is too
    long by itself.
    """
    return cut_bytes(cut_bytes(head, max(3, limit - len(tail.encode()))) + tail, limit)


def without_figures(text: str) -> str:
    """For comparing: two sentences that differ in numbers, ids and addresses alone are alike."""
    return _FIGURES.sub("#", text)
