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
    follow: bool = False  # go on as it grows
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
    keys = ("previous", "follow", "timestamps")
    previous, follow, timestamps = (query.get(key, "") in _TRUE for key in keys)
    return LogOptions(previous, follow, timestamps, tail, limit)


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


class LogCut:
    """The lines that are asked for, of one reader. A limit of bytes counts from the first of them:
    what is too much is cut off at the end, within a line or a character.
    """

    def __init__(self, options: LogOptions, pod: Object) -> None:
        self._options = options
        # Lines carry no times of their own here, as they do in a runtime's file.
        began = (pod.get("status") or {}).get("startTime") or pod["metadata"]["creationTimestamp"]
        self._began = self._now = datetime.fromisoformat(began)
        self._left = options.limit_bytes  # None: no limit

    @property
    def full(self) -> bool:
        """The limit is reached: there is no more for this reader."""
        return self._left == 0

    def first(self, text: str) -> bytes:
        """Of all that there is."""
        lines = self._stamped(text)
        if self._options.tail_lines is not None:
            lines = lines[-self._options.tail_lines :] if self._options.tail_lines else []
        return self._limited(lines)

    def more(self, text: str) -> bytes:
        """Of what was written since."""
        return self._limited(self._stamped(text))

    def _limited(self, lines: list[str]) -> bytes:
        part = "".join(lines).encode()[: self._left]
        if self._left is not None:
            self._left -= len(part)
        return part

    def _stamped(self, text: str) -> list[str]:
        lines = text.splitlines(keepends=True)
        return list(self._with_times(lines)) if self._options.timestamps else lines

    def _with_times(self, lines: list[str]) -> Iterator[str]:
        """Each with the time that it says itself, or else that of the line before it."""
        for line in lines:
            self._now = _said_at(line, self._began) or self._now
            yield f"{self._now:%Y-%m-%dT%H:%M:%S.%f}000Z {line}"


def _said_at(line: str, began: datetime) -> datetime | None:
    if not (found := _STAMP.match(line)):
        return None
    month, day, hour, minute, second, millisecond = map(int, found.groups())
    at = datetime(began.year, month, day, hour, minute, second, millisecond * 1000, began.tzinfo)
    # Where it seems to be before the pod, the year has ended since.
    return at.replace(year=at.year + 1) if at < began - timedelta(days=1) else at


def _number(query: Mapping[str, str], key: str) -> int | None:
    text = query.get(key, "")
    try:
        return int(text) if text else None
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _too_small(field: str, value: int, least: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {value}: must be {least}", field)
