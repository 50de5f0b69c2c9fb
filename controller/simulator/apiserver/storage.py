"""What the cluster remembers: objects, one counter of changes, and a bounded window of history.

Storage knows no rule of any kind of object: those are in `objects`. It plays etcd and the watch
cache together, so a committed change is seen by every list and watch at once. (A real API server
may lag behind; rule `StaleList` of the faults plays that.)
"""

import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import orjson

from controller.base.clock import Clock
from controller.simulator.apiserver.resources import Object, key_of

# Changes kept for watches that begin in the past. etcd keeps five minutes [1]; a number of changes
# needs no clock, and this many Deployment changes (two versions each) are some tens of megabytes.
HISTORY = 5000

# Where counting begins: a cluster that was just made has had some thousands of writes already,
# and tests with small numbers would take one counter for another.
FIRST_VERSION = 1000


@dataclass(frozen=True)
class Change:
    """One committed write. Neither of its objects may be changed."""

    version: int
    type: str  # ADDED, MODIFIED or DELETED
    plural: str
    object: Object  # the new state; of a deletion the last one, with the deletion's own version
    previous: Object | None  # what was there before; None for what is new


@dataclass(frozen=True)
class Saved:
    """What `Storage.put_back` puts back."""

    plural: str
    version: int
    objects: dict[tuple[str, str], Object]


Subscriber = Callable[[Change], None]


def copied(obj: Object) -> Object:
    """A deep copy that shares nothing."""
    copy: Object = orjson.loads(orjson.dumps(obj))
    return copy


class Storage:
    """Objects by plural, namespace and name. Versions are integers, text only in the objects."""

    def __init__(self, clock: Clock, random: Random, history: int = HISTORY) -> None:
        self._clock = clock
        self._random = random
        self._history = history
        self._objects: dict[str, dict[tuple[str, str], Object]] = {}
        self._changes: list[Change] = []
        self.subscribers: list[Subscriber] = []
        self._undelivered: list[Change] = []
        self._delivering = False
        self.version = FIRST_VERSION
        self.compacted = FIRST_VERSION
        """Watches and lists that begin before this version are told 410."""

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """A copy of the object, or None."""
        obj = self.peek(plural, namespace, name)
        return copied(obj) if obj is not None else None

    def peek(self, plural: str, namespace: str, name: str) -> Object | None:
        """The stored object itself, not to be changed."""
        return self._objects.get(plural, {}).get((namespace, name))

    def objects(self, plural: str, namespace: str = "") -> list[Object]:
        """The stored objects, by namespace and name, not to be changed; no namespace means all."""
        objects = self._objects.get(plural, {})
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def list_at(self, plural: str, namespace: str, version: int) -> list[Object]:
        """The objects as they were at a version that is not compacted yet."""
        objects = dict(self._objects.get(plural, {}))
        for change in reversed(list(self.since(version))):
            if change.plural != plural:
                continue
            if change.previous is None:
                objects.pop(key_of(change.object), None)
            else:
                objects[key_of(change.object)] = change.previous
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def put(self, plural: str, obj: Object) -> Object:
        """Commits a new state and returns it as stored, with its resource version. The caller
        gives the object away.
        """
        previous = self.peek(plural, *key_of(obj))
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self._objects.setdefault(plural, {})[key_of(obj)] = obj
        self._commit("ADDED" if previous is None else "MODIFIED", plural, obj, previous)
        return obj

    def remove(self, plural: str, namespace: str, name: str) -> Object:
        """Commits a deletion and returns the last state with the deletion's version; KeyError
        where there is nothing.
        """
        previous = self._objects[plural].pop((namespace, name))
        self.version += 1
        last = copied(previous)
        last["metadata"]["resourceVersion"] = str(self.version)
        self._commit("DELETED", plural, last, previous)
        return last

    def since(self, version: int) -> Iterator[Change]:
        """The changes after a version, oldest first."""
        start = bisect_right(self._changes, version, key=lambda change: change.version)
        yield from self._changes[start:]

    def compact(self, version: int | None = None) -> None:
        """Forgets the history up to a version (by default all of it), as etcd does in time."""
        self.compacted = max(self.compacted, self.version if version is None else version)
        start = bisect_right(self._changes, self.compacted, key=lambda change: change.version)
        del self._changes[:start]

    def saved(self, plural: str) -> Saved:
        """A backup of one kind of objects, and of the counter."""
        return Saved(plural, self.version, dict(self._objects.get(plural, {})))

    def put_back(self, saved: Saved) -> None:
        """etcd restored: those objects are as they were, the counter counts on from there, and no
        history is kept. Watches from later positions hear nothing [12]; who plays a controller in
        this process hears what has changed, as one that lists anew.
        """
        before = dict(self._objects.get(saved.plural, {}))
        self._objects[saved.plural] = dict(saved.objects)
        self.version = self.compacted = saved.version
        self._changes.clear()
        for key, obj in saved.objects.items():
            if before.get(key) is not obj:
                version = int(obj["metadata"]["resourceVersion"])
                kind = "MODIFIED" if key in before else "ADDED"
                self._undelivered.append(Change(version, kind, saved.plural, obj, before.get(key)))
        self._deliver()

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Calls back for every committed change, in order, before the writer is answered; what the
        callback itself writes is delivered after that. Returns what ends the subscription.
        """
        self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback) if callback in self.subscribers else None

    def new_uid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def timestamp(self) -> str:
        """Now, in whole seconds, as `creationTimestamp` is written."""
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _commit(self, kind: str, plural: str, obj: Object, previous: Object | None) -> None:
        change = Change(self.version, kind, plural, obj, previous)
        self._changes.append(change)
        if len(self._changes) > self._history:
            self.compact(self._changes[len(self._changes) - self._history - 1].version)
        self._undelivered.append(change)
        self._deliver()

    def _deliver(self) -> None:
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._undelivered:
                change = self._undelivered.pop(0)
                for callback in list(self.subscribers):
                    callback(change)
        finally:
            self._delivering = False
