"""The log of a container: which one is asked for, and how much of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import Cause, bad_request, invalid

# avalanchego's own: month, day and time with milliseconds, without a year.
_STAMP = re.compile(r"\[(\d\d)-(\d\d)\|(\d\d):(\d\d):(\d\d)\.(\d{3})\]")
_TRUE = {"1", "true", "True", "TRUE", "t", "T"}


@dataclass(frozen=True)
class LogOptions:
    """PodLogOptions, as far as they are played."""

    previous: bool = False  # of the container before
    timestamps: bool = False
    tail_lines: int | None = None  # None: all of them
    limit_bytes: int | None = None  # None: all of them


def read_options(query: Mapping[str, str], pod: str) -> LogOptions:
    """StatusError 400 for what is no number, 422 for a number out of its range."""
    tail, limit = _number(query, "tailLines"), _number(query, "limitBytes")
    causes = []
    if tail is not None and tail < 0:
        causes.append(_too_small("tailLines", tail, "greater than or equal to 0"))
    if limit is not None and limit < 1:
        causes.append(_too_small("limitBytes", limit, "greater than 0"))
    if causes:
        raise invalid("PodLogOptions", "", pod, causes)
    previous, timestamps = (query.get(key, "") in _TRUE for key in ("previous", "timestamps"))
    return LogOptions(previous, timestamps, tail, limit)


def container_of(pod: Object, wanted: str) -> str:
    """The container that is meant; StatusError 400 where several may be, or none is."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    own, inits = ([c["name"] for c in spec.get(f) or ()] for f in ("containers", "initContainers"))
    if wanted and wanted not in (*own, *inits):
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    if wanted or len(own) == 1:
        return wanted or own[0]
    choice = f"choose one of: [{' '.join(own)}]"
    if inits:
        choice += f" or one of the init containers: [{' '.join(inits)}]"
    raise bad_request(f"a container name must be specified for pod {name}, {choice}")


def cut(text: str, options: LogOptions, pod: Object) -> bytes:
    """The lines that are asked for. A limit of bytes counts from the first of them: what is too
    much is cut off at the end, within a line or a character.
    """
    lines = text.splitlines(keepends=True)
    if options.timestamps:
        # Lines carry no times of their own here, as they do in a runtime's file.
        began = (pod.get("status") or {}).get("startTime") or pod["metadata"]["creationTimestamp"]
        lines = list(_stamped(lines, datetime.fromisoformat(began)))
    if options.tail_lines is not None:
        lines = lines[-options.tail_lines :] if options.tail_lines else []
    return "".join(lines).encode()[: options.limit_bytes]


def _stamped(lines: list[str], began: datetime) -> Iterator[str]:
    """Each with the time that it says itself, or else that of the line before it."""
    now = began
    for line in lines:
        if found := _STAMP.match(line):
            month, day, hour, minute, second, millisecond = map(int, found.groups())
            now = datetime(
                began.year, month, day, hour, minute, second, millisecond * 1000, began.tzinfo
            )
            if now < began - timedelta(days=1):  # the year has ended since
                now = now.replace(year=now.year + 1)
        yield f"{now:%Y-%m-%dT%H:%M:%S.%f}000Z {line}"


def _number(query: Mapping[str, str], key: str) -> int | None:
    text = query.get(key, "")
    try:
        return int(text) if text else None
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _too_small(field: str, value: int, least: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {value}: must be {least}", field)
