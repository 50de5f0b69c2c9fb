"""A recorded pod's documents, told again of another pod, run, build and time; and its crash loop
gone on with beyond the recording, at the kubelet's own pace.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.kubelet_tracks import Object, Track

_STAMP = re.compile(r"\b(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d+)?Z)")
_BACK_OFF = re.compile(r"back-off (?:(\d+)m)?(?:(\d+)s)? ")
LONGEST_BACK_OFF = 300  # seconds [62]


@dataclass(frozen=True)
class Retold:
    """What stands for what."""

    track: Track
    pod: Object  # ours, as it is stored
    run: str  # id of our run; empty before there is one
    digest: str  # of our build
    begin: datetime  # when ours began
    # How often the data had been there before this pod; None: as recorded.
    resumes: int | None = None

    @property
    def shift(self) -> timedelta:
        return self.begin.replace(microsecond=0) - self.track.begin

    def document(self, document: Any) -> Any:
        """A status, or an Event."""
        text = json.dumps(document)
        metadata = self.pod["metadata"]
        for image in re.findall(r"@(sha256:\w{64})", json.dumps(self.track.spec)):
            text = text.replace(image, self.digest)
        if self.run:
            text = text.replace(self.track.run, self.run)
        text = text.replace(self.track.name, metadata["name"]).replace(
            self.track.uid, metadata["uid"]
        )
        text = re.sub(r"_rec\d\(", f"_{metadata['namespace']}(", text)
        if self.resumes:
            word = rf"\"data\":\"resumed\",\"resumes\":{self.resumes}"
            text = text.replace(r"\"data\":\"fresh\",\"resumes\":0", word)
        return json.loads(_STAMP.sub(self._moved, text))

    def _moved(self, stamp: re.Match[str]) -> str:
        time = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC) + self.shift
        return f"{time:%Y-%m-%dT%H:%M:%S}{stamp[2]}"


def container(status: Object, name: str) -> Object:
    """Its status; empty before it has one."""
    found = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return next((each for each in found if each["name"] == name), {})


def looping(status: Object) -> str:
    """Name of the container that waits for its next start; empty where none does."""
    for field in ("initContainerStatuses", "containerStatuses"):
        for each in status.get(field, ()):
            if each["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff":
                return str(each["name"])
    return ""


def goes_on(statuses: list[Object]) -> Iterator[tuple[float, Object]]:
    """The life of a container in a crash loop, again and again: seconds to wait, and the status.
    statuses: of its pod until now, the last of which waits for the next start.
    """
    last, name = statuses[-1], looping(statuses[-1])
    count = container(last, name)["restartCount"]
    # One that never starts is counted up with its failure.
    cycle = [s for s in statuses if container(s, name).get("restartCount") == count]
    begins = _began(container(cycle[0], name))
    while True:
        pause = _back_off(container(last, name))
        ended = _finished(container(last, name))
        again = ended + timedelta(seconds=pause)
        yield pause, _next(last, cycle[0], name, again - begins, pause)
        for before, status in pairwise(cycle):
            shown = (_moment(container(status, name)) - _moment(container(before, name))).seconds
            yield shown, _next(last, status, name, again - begins, pause)
        last = _next(last, cycle[-1], name, again - begins, pause)


def _next(last: Object, shape: Object, name: str, shift: timedelta, pause: float) -> Object:
    """The status `last` with this container as it was in `shape`, so much later."""
    made = deepcopy(last)
    theirs, mine = container(shape, name), container(made, name)
    before = mine["lastState"]
    moved = _with_times(deepcopy(theirs), shift)
    number = mine["restartCount"] + 1
    text = json.dumps(moved).replace(theirs["containerID"], _id(theirs["containerID"], number))
    text = _BACK_OFF.sub(f"back-off {_go(min(2 * pause, LONGEST_BACK_OFF))} ", text)
    mine.clear()
    mine.update(json.loads(text) | {"restartCount": number})
    if theirs["lastState"].get("terminated", {}).get("containerID") != theirs["containerID"]:
        mine["lastState"] = before  # that of the process before
    return made


def _with_times(value: Any, shift: timedelta) -> Any:
    def moved(stamp: re.Match[str]) -> str:
        time = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC) + shift
        return f"{time:%Y-%m-%dT%H:%M:%S}{stamp[2]}"

    return json.loads(_STAMP.sub(moved, json.dumps(value)))


def _id(theirs: str, number: int) -> str:
    return f"containerd://{hashlib.sha256(f'{theirs} {number}'.encode()).hexdigest()}"


def _back_off(status: Object) -> float:
    found = _BACK_OFF.search(status["state"]["waiting"]["message"])
    assert found is not None
    return 60.0 * int(found[1] or 0) + int(found[2] or 0)


def _go(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _began(status: Object) -> datetime:
    """When the process of the first status of a cycle began, or failed to."""
    if "running" in status["state"]:
        return _time(status["state"]["running"]["startedAt"])
    ended = status["state"].get("terminated") or status["lastState"]["terminated"]
    started = _time(ended["startedAt"])
    return started if started.year > 2000 else _time(ended["finishedAt"])


def _finished(status: Object) -> datetime:
    return _time(status["lastState"]["terminated"]["finishedAt"])


def _moment(status: Object) -> datetime:
    """When it came to be so."""
    state = status["state"]
    if "running" in state:
        return _time(state["running"]["startedAt"])
    ended = state.get("terminated") or status["lastState"]["terminated"]
    return _time(ended["finishedAt"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
