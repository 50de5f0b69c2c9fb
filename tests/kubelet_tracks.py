"""The recorded scenes of a real kubelet (tests/recordings/kubelet-1.36/README.md).

The recording has no times of its own: when a thing was seen is the newest time that it has, and
never before what was seen earlier.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from controller.domain import names

FOLDER = Path(__file__).parent / "recordings" / "kubelet-1.36"

Object = dict[str, Any]
# Of this century: a container that never started has 1970.
_STAMP = re.compile(r"\b(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")


@dataclass(frozen=True)
class Seen:
    """One event of a watch."""

    at: datetime
    type: str  # ADDED, MODIFIED or DELETED
    object: Object


@dataclass(frozen=True)
class Track:
    """All that was seen of one pod, oldest first."""

    pods: tuple[Seen, ...]
    events: tuple[Seen, ...]  # Kubernetes Events about it

    @property
    def name(self) -> str:
        return str(self.pods[0].object["metadata"]["name"])

    @property
    def uid(self) -> str:
        return str(self.pods[0].object["metadata"]["uid"])

    @property
    def begin(self) -> datetime:
        return self.pods[0].at

    @property
    def run(self) -> str:
        """Id of its run; empty for the pod of a template that is not pinned yet."""
        return str((self.pods[0].object["metadata"].get("annotations") or {}).get(names.RUN_ID, ""))

    @property
    def spec(self) -> Object:
        found: Object = self.pods[0].object["spec"]
        return found

    @property
    def statuses(self) -> list[Object]:
        return [seen.object["status"] for seen in self.pods]


@dataclass(frozen=True)
class Recording:
    name: str

    @cached_property
    def pods(self) -> tuple[Seen, ...]:
        return _seen(self.name, "pods")

    @cached_property
    def events(self) -> tuple[Seen, ...]:
        """Kubernetes Events, those of the controller that was there among them."""
        return _seen(self.name, "events")

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """By age of the pods."""
        uids = dict.fromkeys(seen.object["metadata"]["uid"] for seen in self.pods)
        return tuple(
            Track(
                tuple(s for s in self.pods if s.object["metadata"]["uid"] == uid),
                tuple(s for s in self.events if s.object["involvedObject"].get("uid") == uid),
            )
            for uid in uids
        )

    @property
    def unpinned(self) -> Track:
        """The first pod, of the template as people wrote it."""
        return next(track for track in self.tracks if not track.run)

    @property
    def of_run(self) -> tuple[Track, ...]:
        return tuple(track for track in self.tracks if track.run)


def recordings() -> tuple[Recording, ...]:
    """All of them, by name."""
    found = sorted(FOLDER.glob("*-pods.jsonl"))
    return tuple(Recording(path.name.removesuffix("-pods.jsonl")) for path in found)


def stamps(text: str) -> list[datetime]:
    """Times in a JSON document, to the second."""
    return [datetime.fromisoformat(found).replace(tzinfo=UTC) for found in _STAMP.findall(text)]


def _seen(name: str, kind: str) -> tuple[Seen, ...]:
    lines = (FOLDER / f"{name}-{kind}.jsonl").read_text().splitlines()
    found: list[Seen] = []
    for row in map(json.loads, lines):
        at = max([_time(row["object"]), *(seen.at for seen in found[-1:])])
        found.append(Seen(at, row["type"], row["object"]))
    return tuple(found)


def _time(obj: Object) -> datetime:
    """Its newest time; that of a deletion lies ahead, and sentences have times of others."""
    metadata = {k: v for k, v in obj["metadata"].items() if k != "deletionTimestamp"}
    return max(stamps(json.dumps(_without_messages({**obj, "metadata": metadata}))))


def _without_messages(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_messages(part) for k, part in value.items() if k != "message"}
    return [_without_messages(part) for part in value] if isinstance(value, list) else value
