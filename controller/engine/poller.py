"""Poller: keeps what each followed reference stands for, at the smallest cost to the registry.

A HEAD for each distinct tag and interval, however many Deployments and platforms follow it; a GET
only for a digest whose build neither this process nor the store knows; nothing more for a digest
once it is resolved. What was learned stays while registry or store are away.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from random import Random

from loguru import logger

from controller.base.backoff import Backoff
from controller.base.clock import Clock
from controller.base.errors import BootstrapError, Garbled, Unavailable
from controller.base.text import shown
from controller.domain.reference import Repository
from controller.engine.alarm import Alarm
from controller.engine.followed import (
    HEAD_CAP,
    Followed,
    Line,
    TagState,
    backoff_for,
    wait_asked,
)
from controller.engine.outages import Outages
from controller.engine.ports import Registry, StateStore
from controller.engine.tagmemory import TagMemory

__all__ = ["Followed", "Poller", "TagState"]

HOSTS_AT_ONCE = 4  # hosts asked at the same time; each is asked one thing at a time
JITTER = 0.1  # of the interval, either way: tags that began together drift apart


class _Subject:
    """What one HEAD is about: a reference in a repository, for all its platforms."""

    def __init__(self, example: Followed, backoff: Backoff) -> None:
        self.repository = example.repository
        self.reference = example.reference
        self.fixed = example.fixed
        self.host = example.repository.registry
        self.backoff = backoff
        self.lines: dict[Followed, Line] = {}
        self.digest: str | None = None
        self.confirmed = ""  # when `digest` was last said by the registry
        self.due = -math.inf  # at once


class Poller:
    """interval: seconds between two HEADs of a tag.

    on_change: called when a followed reference's resolution changed, or its error began, became
    lasting or ended; must only note it. on_registry: called with host and sentence when lasting
    trouble of a registry begins; with None when it ends, or nobody follows anything there any more.

    The states are what was last learned: reading them never waits, and they may be old. Nothing is
    promised about how soon a tag that moved is noticed while its registry is in trouble.
    """

    def __init__(  # noqa: PLR0913 four collaborators, two ears and a number
        self,
        registry: Registry,
        store: StateStore,
        clock: Clock,
        random: Random,
        *,
        interval: float,
        on_change: Callable[[Followed], None],
        on_registry: Callable[[str, str | None], None],
    ) -> None:
        self._registry = registry
        self._memory = TagMemory(store, clock)
        self._clock = clock
        self._random = random
        self._interval = interval
        self._on_change = on_change
        self._subjects: dict[tuple[Repository, str], _Subject] = {}
        self._outages = Outages(on_registry)
        self._busy: set[str] = set()
        self._alarm = Alarm(clock)

    def follow(self, wanted: Iterable[Followed]) -> None:
        """Sets all that is followed. New ones are asked for at once, each host one after the other;
        what is missing is forgotten; for the rest nothing changes.
        """
        wanted = set(wanted)
        for key, subject in list(self._subjects.items()):
            for gone in subject.lines.keys() - wanted:
                del subject.lines[gone]
            if not subject.lines:
                del self._subjects[key]
        for followed in sorted(wanted, key=str):  # by name: the same order for the same seed
            key = (followed.repository, followed.reference)
            if key not in self._subjects:
                self._subjects[key] = _Subject(followed, self._backoff())
            subject = self._subjects[key]
            if followed not in subject.lines:
                subject.lines[followed] = Line(followed, self._interval, self._clock, self._random)
                subject.due = -math.inf
                self._alarm.ring()
        self._outages.keep({subject.host for subject in self._subjects.values()})

    def state(self, followed: Followed) -> TagState:
        """What is known; an empty state for what is not followed, or was not asked for yet."""
        subject = self._subjects.get((followed.repository, followed.reference))
        line = subject.lines.get(followed) if subject else None
        return line.state(self._registry.quota(followed.repository)) if line else TagState()

    async def run(self) -> None:
        """Polls for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                for subject in self._take_due():
                    name = f"poll {subject.repository} {subject.reference}"
                    group.create_task(self._turn(subject), name=name)
                await self._alarm.wait(self._until_next())

    def _take_due(self) -> Iterator[_Subject]:
        now = self._clock.monotonic()
        for subject in sorted(self._subjects.values(), key=lambda subject: subject.due):
            if subject.due > now or len(self._busy) >= HOSTS_AT_ONCE:
                return
            if subject.host not in self._busy:
                self._busy.add(subject.host)
                yield subject

    def _until_next(self) -> float | None:
        """Seconds; None where only the end of a poll, or `follow`, makes anything due."""
        if len(self._busy) >= HOSTS_AT_ONCE:
            return None
        idle = [one.due for one in self._subjects.values() if one.host not in self._busy]
        due = min(idle, default=math.inf)
        return None if math.isinf(due) else due - self._clock.monotonic()

    async def _turn(self, subject: _Subject) -> None:
        try:
            await self._poll(subject)
        finally:
            self._busy.discard(subject.host)
            self._alarm.ring()

    async def _poll(self, subject: _Subject) -> None:
        lines = list(subject.lines.values())
        before = [line.look() for line in lines]
        try:
            await self._ask(subject, lines)
            subject.backoff.reset()
            subject.due = self._next_due(subject)
        except Exception as error:  # noqa: BLE001 a bug on one tag must stop no other
            if not isinstance(error, BootstrapError):
                logger.bind(reference=subject.reference).exception("poll failed")
                error = BootstrapError("polling failed by a mistake of this program: see its log")
            for line in lines:
                line.failed(error)
            delay = subject.backoff.next_delay(max(self._interval, wait_asked(error)))
            subject.due = self._clock.monotonic() + delay
        for line, look in zip(lines, before, strict=True):
            # What is not followed any more, or anew, is not spoken of.
            if subject.lines.get(line.followed) is line and line.look() != look:
                self._tell(line)
        if any(line not in lines for line in subject.lines.values()):
            subject.due = -math.inf  # a platform that came while we asked
        await self._memory.save()
        if not subject.fixed and subject.lines:
            fields = self._fields(subject)
            await self._memory.save_tag(str(subject.repository), subject.reference, fields)

    async def _ask(self, subject: _Subject, lines: list[Line]) -> None:
        """Raises where the reference itself could not be asked for; a build that could not be had
        is its line's failure alone.
        """
        digest = subject.reference
        if not subject.fixed:
            head = self._registry.head(subject.repository, subject.reference)
            digest = await self._heard(subject.host, subject, head)
            subject.confirmed = self._clock.now().isoformat()
        subject.digest = digest
        for line in lines:
            await self._resolve(line, digest)

    async def _resolve(self, line: Line, digest: str) -> None:
        followed = line.followed
        if line.resolution and line.resolution.digest == digest:
            line.resolved(digest, line.resolution.build)
            return
        build = await self._memory.build(digest, followed.platform)
        if build is None:
            if line.must_wait(digest):
                return
            asked = self._registry.build(followed.repository, digest, followed.platform)
            try:
                build = await self._heard(followed.repository.registry, line, asked)
            except BootstrapError as error:
                line.build_failed(digest, error)
                return
            self._memory.learn(digest, followed.platform, build)
        line.resolved(digest, build)

    async def _heard(self, host: str, question: object, asked: Awaitable[str]) -> str:
        """Asks, and notes whether the host answered."""
        try:
            answer = await asked
        except (Unavailable, Garbled) as error:
            self._outages.failed(host, question, shown(error))
            raise
        except BootstrapError:
            self._outages.answered(host)
            raise
        self._outages.answered(host)
        return answer

    def _next_due(self, subject: _Subject) -> float:
        if subject.fixed:
            open_lines = [line for line in subject.lines.values() if line.resolution is None]
            return min((line.retry_at for line in open_lines), default=math.inf)
        spread = 1.0 + JITTER * (2.0 * self._random.random() - 1.0)
        return self._clock.monotonic() + self._interval * spread

    def _tell(self, line: Line) -> None:
        followed = line.followed
        log = logger.bind(repository=str(followed.repository), reference=followed.reference)
        if line.error is not None:
            log.bind(error=line.error, lasting=line.lasting).warning("reference is not resolved")
        elif line.resolution is not None:
            log.bind(digest=line.resolution.digest, build=line.resolution.build).info(
                "reference is resolved"
            )
        self._on_change(followed)

    def _fields(self, subject: _Subject) -> dict[str, str]:
        """What the store shows of a tag: `build:<platform>` only where it belongs to `digest`."""
        fields = {"at": subject.confirmed, "digest": subject.digest or ""}
        for line in subject.lines.values():
            if line.resolution and line.resolution.digest == subject.digest:
                fields[f"build:{line.followed.platform}"] = line.resolution.build
            if line.error:
                fields["error"] = line.error
        if quota := self._registry.quota(subject.repository):
            fields |= {"quota_limit": str(quota.limit), "quota_remaining": str(quota.remaining)}
        return {name: value for name, value in fields.items() if value}

    def _backoff(self) -> Backoff:
        return backoff_for(self._interval, HEAD_CAP, self._clock, self._random)
