"""What the API server refuses, and what becomes of a request that got no answer."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from controller.base.errors import (
    Busy,
    Conflict,
    Forbidden,
    Garbled,
    LostReply,
    NotFound,
    Refused,
    Trouble,
    Unavailable,
)
from controller.base.http_errors import NotConnected, translated
from controller.base.http_limits import TooLong
from controller.base.text import shown, shown_ends
from controller.base.undecodable import UNDECODABLE
from controller.kube.api.resources import Operation

# A server that asks for more than an hour is not obeyed: it is a slip, and a person waits.
LONGEST_RETRY_AFTER = 3600.0


class Expired(Trouble):
    """The position in the history is too old (410): only a new list helps [9, 10]."""


class TurnedAway(Busy):
    """429: turned away before it was looked at, so a write was surely not applied [21]."""


class Unauthenticated(Refused):
    """401, with credentials that were read anew: they are wrong, or over."""


class Rejected(Conflict):
    """422: a failed `test` and a failed validation look alike, so only a reading tells [47]."""


class Denied(Refused):
    """This very request is turned down, and our rights are not why: by an admission policy or
    webhook, a quota, a limit of size. The status may be any [180].
    """


# What admission says [180]. `User "…" cannot …` is the authorizer's: those are our rights.
_DENIAL = re.compile(
    r"""admission\ webhook\ "[^"]*"\ denied\ the\ request
    | ValidatingAdmissionPolicy\ '.*\ denied\ request
    | "\ is\ forbidden:\ (?!User\ ")""",
    re.VERBOSE | re.DOTALL,
)


class StatusDetails(msgspec.Struct, frozen=True, rename="camel"):
    """What a Status says beside its sentence."""

    retry_after_seconds: int = 0  # 0: it does not say


class Status(msgspec.Struct, frozen=True):
    """The API server's own error object; each field empty where it says nothing."""

    kind: str = ""  # `Status`, or the body is something else
    code: int = 0  # as an HTTP status; an ERROR event of a watch has no other
    reason: str = ""  # CamelCase word such as `Expired`
    message: str = ""  # for people, of any length: to be shown with `shown`
    details: StatusDetails | None = None


_STATUS = msgspec.json.Decoder(Status)


def read_status(body: bytes) -> Status | None:
    """The Status in a body, or None for any other body: a proxy's page, text of the fair queue."""
    try:
        status = _STATUS.decode(body)
    except UNDECODABLE:
        return None
    return status if status.kind == "Status" else None


def retry_after_of(header: str | None) -> float | None:
    """Seconds of a Retry-After header; None for none and for its form as a date, which the API
    server does not send.
    """
    if header is None or not header.strip().isdecimal():
        return None
    return min(float(header.strip()[:9]), LONGEST_RETRY_AFTER)


def refusal(
    code: int, body: bytes | Status, operation: Operation, retry_after: float | None = None
) -> Trouble:
    """What a status other than 2xx means, whether it came as an HTTP status or in an ERROR event.

    retry_after: seconds of the header, if there was one. The body may be anything [21].
    """
    status = body if isinstance(body, Status) else read_status(body)
    reason = status.reason if status else ""
    if retry_after is None and status and status.details and status.details.retry_after_seconds > 0:
        retry_after = min(float(status.details.retry_after_seconds), LONGEST_RETRY_AFTER)
    # What a policy says of itself is last, and long.
    said = shown_ends(status.message, 400) if status else shown(_text(body))
    sentence = f"the API server answered {code} to {operation}" + (f": {said}" if said else "")
    if status and _DENIAL.search(status.message):
        return Denied(sentence)
    if code == 410 or reason in {"Expired", "Gone"}:
        return Expired(sentence)
    if code == 429:
        return TurnedAway(sentence, retry_after)
    if code == 503 and retry_after is not None:
        return Busy(sentence, retry_after)
    if code == 403:
        return Forbidden(f"not allowed to {operation}" + (f": {said}" if said else ""))
    simple: dict[int, type[Trouble]] = {
        401: Unauthenticated,
        404: NotFound,
        408: Unavailable,
        409: Conflict,
        422: Rejected,
    }
    if code in simple:
        return simple[code](sentence)
    if code >= 500:
        return Unavailable(sentence)
    return Garbled(sentence) if code < 400 else Denied(sentence)


@contextmanager
def translated_call(about: str, seconds: float, *, is_write: bool) -> Iterator[None]:
    """As `translated` of `base.http_errors`. A write that may have left is a LostReply: only a
    connection that never was proves that nothing was sent.
    """
    try:
        with translated(about, seconds):
            yield
    except (NotConnected, TooLong):
        raise
    except (Unavailable, Garbled) as exc:
        if is_write:
            raise LostReply(str(exc)) from exc
        raise


def _text(body: bytes | Status) -> str:
    return body[:400].decode(errors="replace") if isinstance(body, bytes) else body.message
