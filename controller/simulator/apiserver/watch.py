"""WATCH: one stream of events, from the past or from now, until its time is up [9-20, 27]."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import orjson

from controller.base.clock import Clock
from controller.simulator.apiserver.lines import Lines
from controller.simulator.apiserver.listing import check_list_options, parse_version
from controller.simulator.apiserver.resources import Object, Resource, key_of
from controller.simulator.apiserver.selectors import Matcher, matcher
from controller.simulator.apiserver.server_faults import ErrorEvent
from controller.simulator.apiserver.statuses import bad_request, too_old
from controller.simulator.apiserver.storage import Change, Storage
from controller.simulator.apiserver.views import View

# A bookmark about each minute [13].
BOOKMARK_INTERVAL = 60.0
# The last bookmark comes this long before the deadline; a shorter watch gets none
# (recording 12 has one, 14 has not).
LAST_BOOKMARK = 2.0
# A watch without timeoutSeconds lives this long, at random [15].
DEFAULT_TIMEOUT = (1800.0, 3600.0)
# Events that wait for a slow consumer before it is cut off [26].
BUFFER = 1000

_INITIAL_END = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True)
class WatchSettings:
    bookmark_interval: float = BOOKMARK_INTERVAL  # seconds
    buffer: int = BUFFER  # events


class Watch:
    """One watch. Made before the headers are sent, so that what it raises is an HTTP status, and so
    that nothing committed after it is missed.
    """

    def __init__(
        self,
        storage: Storage,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        view: View,
    ) -> None:
        check_list_options(query, watch=True)
        self._storage = storage
        self._resource = resource
        self._namespace = namespace
        self._view = view
        self._match: Matcher | None = matcher(
            query.get("labelSelector", ""), query.get("fieldSelector", ""), resource
        )
        self._bookmarks = query.get("allowWatchBookmarks") in {"1", "true"}
        self._initial = query.get("sendInitialEvents") in {"1", "true"}
        self._declined = "sendInitialEvents" in query and not self._initial
        self._from = parse_version(query.get("resourceVersion", ""))
        self._timeout = _seconds(query.get("timeoutSeconds", ""))
        self._queue: deque[tuple[str, Object]] = deque()
        self._limit = 0
        self._wake = asyncio.Event()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._over = False

    def begin(self, random: Random, buffer: int) -> None:
        """Listens from now on, and lines up what the stream starts with."""
        self._unsubscribe = self._storage.subscribe(self._hear)
        self._line_up(random)
        self._limit = len(self._queue) + buffer

    async def run(
        self,
        lines: Lines,
        clock: Clock,
        random: Random,
        bookmark_interval: float,
        fault: ErrorEvent | None = None,
    ) -> None:
        """Writes events until the time is up, `close` is called, the client is too slow, or `fault`
        has its turn.
        """
        timers = [asyncio.ensure_future(self._end(clock, random))]
        if self._bookmarks:
            timers.append(asyncio.ensure_future(self._mark(clock, bookmark_interval)))
        try:
            await lines.before_first()
            await self._write_all(lines, fault)
        finally:
            for timer in timers:
                timer.cancel()
            await asyncio.gather(*timers, return_exceptions=True)

    def close(self) -> None:
        """Ends the stream after what waits in it."""
        self._over = True
        self._wake.set()

    def forget(self) -> None:
        """Listens no more."""
        self._unsubscribe()

    async def _write_all(self, lines: Lines, fault: ErrorEvent | None) -> None:
        written = 0
        while True:
            if fault is not None and written >= fault.after:
                await lines.write(_line("ERROR", fault.status.body))
                return
            if self._queue:
                await lines.write(_line(*self._queue.popleft()))
                written += 1
            elif self._over:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    def _line_up(self, random: Random) -> None:
        """What exists, or what has happened since."""
        storage = self._storage
        if self._initial or (not self._from and not self._declined):
            objects = [
                obj
                for obj in storage.objects(self._resource.plural, self._namespace)
                if self._match is None or self._match(obj)
            ]
            random.shuffle(objects)  # the order is arbitrary [14]
            for obj in objects:
                self._queue.append(("ADDED", self._view.one(obj)))
            if self._initial and self._bookmarks:
                self._bookmark(_INITIAL_END)
        elif self._from < storage.compacted:
            error = too_old(self._from, storage.compacted)
            self._queue.append(("ERROR", error.body))
            self._over = True
        else:
            for change in storage.since(self._from):
                self._offer(change)

    def _hear(self, change: Change) -> None:
        if self._over:
            return
        if len(self._queue) >= self._limit > 0:
            self._queue.clear()
            self.close()
            return
        self._offer(change)
        self._wake.set()

    def _offer(self, change: Change) -> None:
        """Turns a change into this watch's event: an object that enters the selection is ADDED,
        one that leaves it is DELETED, in its last selected state with the new version [27].
        """
        if change.plural != self._resource.plural or change.version <= self._from:
            return  # events up to a version from the future are dropped too [12]
        if self._namespace and key_of(change.object)[0] != self._namespace:
            return
        selected = self._match or (lambda obj: True)
        now = change.type != "DELETED" and selected(change.object)
        before = change.previous is not None and selected(change.previous)
        if now:
            self._queue.append(("MODIFIED" if before else "ADDED", self._view.one(change.object)))
        elif before and change.previous is not None:
            metadata = {
                **change.previous["metadata"],
                "resourceVersion": change.object["metadata"]["resourceVersion"],
            }
            last = {**change.previous, "metadata": metadata}
            self._queue.append(("DELETED", self._view.one(last)))

    def _bookmark(self, annotations: Object | None = None) -> None:
        if self._storage.version < self._from:
            return
        metadata: Object = {"resourceVersion": str(self._storage.version)}
        if annotations:
            metadata["annotations"] = annotations
        self._queue.append(("BOOKMARK", self._view.bookmark(metadata)))
        self._wake.set()

    async def _mark(self, clock: Clock, interval: float) -> None:
        while True:
            await clock.sleep(interval)
            self._bookmark()

    async def _end(self, clock: Clock, random: Random) -> None:
        timeout = self._timeout or random.uniform(*DEFAULT_TIMEOUT)
        if timeout > LAST_BOOKMARK:
            await clock.sleep(timeout - LAST_BOOKMARK)
            if self._bookmarks:
                self._bookmark()
            timeout = LAST_BOOKMARK
        await clock.sleep(timeout)
        self.close()


def _line(kind: str, obj: Object) -> bytes:
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    try:
        return max(0.0, float(int(text)))
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
