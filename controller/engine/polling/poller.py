"""Poller: keeps what each followed reference stands for, at the smallest cost to the registry.

A HEAD for each distinct tag and interval, however many Deployments and platforms follow it; a GET
only for a digest whose build neither this process nor the store knows; nothing more for a digest
once it is resolved. What was learned stays while registry or store are away.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from random import Random

from loguru import logger

from controller.base.backoff import Backoff
from controller.base.clock import Clock
from controller.base.errors import BootstrapError, Garbled, Unavailable
from controller.base.text import shown
from controller.domain.followed import Followed
from controller.engine.polling.questions import Question, Questions
from controller.engine.polling.registry_outages import Outages
from controller.engine.polling.tag_memory import TagMemory
from controller.engine.polling.tag_state import (
    HEAD_CAP,
    LONGEST_ERROR,
    TagBook,
    TagState,
    backoff_for,
    wait_asked,
)
from controller.engine.ports import Registry, StateStore
from controller.engine.queue.alarm import Alarm

JITTER = 0.1  # of the interval, either way: tags that began together drift apart


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
        self._questions = Questions()
        self._outages = Outages(on_registry)
        self._alarm = Alarm(clock)

    def follow(self, wanted: Iterable[Followed]) -> None:
        """Sets all that is followed, as `change` does."""
        wanted, known = set(wanted), self._questions.followed()
        self.change(wanted - known, known - wanted)

    def change(self, more: Iterable[Followed], gone: Iterable[Followed]) -> None:
        """What is followed from now on, and no more. New ones are asked for at once, each host one
        after the other; what is gone is forgotten; for the rest nothing changes.
        """
        for followed in gone:
            self._questions.forget(followed)
        for followed in sorted(more, key=str):  # by name: the same order for the same seed
            question = self._questions.of(followed) or Question(followed, self._backoff())
            if followed not in question.books:
                book = TagBook(followed, self._interval, self._clock, self._random)
                question.books[followed] = book
                self._questions.plan(question, -math.inf)
                self._alarm.ring()
        self._outages.keep(self._questions.hosts())

    def state(self, followed: Followed) -> TagState:
        """What is known; an empty state for what is not followed, or was not asked for yet."""
        question = self._questions.of(followed)
        book = question.books.get(followed) if question else None
        return book.state(self._registry.quota(followed.repository)) if book else TagState()

    def refilled(self) -> None:
        """The store may have forgotten everything."""
        self._memory.refilled()

    async def run(self) -> None:
        """Polls for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                for question in self._questions.take_due(self._clock.monotonic()):
                    name = f"poll {question.repository} {question.reference}"
                    group.create_task(self._turn(question), name=name)
                await self._alarm.wait(self._until_next())

    def _until_next(self) -> float | None:
        """Seconds; None where only the end of a poll, or `follow`, makes anything due."""
        due = self._questions.next_due()
        return None if math.isinf(due) else due - self._clock.monotonic()

    async def _turn(self, question: Question) -> None:
        try:
            await self._poll(question)
        finally:
            self._questions.asked(question)
            self._alarm.ring()

    async def _poll(self, question: Question) -> None:
        books = list(question.books.values())
        before = [book.look() for book in books]
        try:
            await self._ask(question, books)
            question.backoff.reset()
            due = self._next_due(question)
        except Exception as error:  # noqa: BLE001 a bug on one tag must stop no other
            if not isinstance(error, BootstrapError):
                logger.bind(reference=question.reference).exception("poll failed")
                error = BootstrapError("polling failed by a mistake of this program: see its log")
            for book in books:
                book.failed(error)
            delay = question.backoff.next_delay(max(self._interval, wait_asked(error)))
            due = self._clock.monotonic() + delay
        for book, look in zip(books, before, strict=True):
            # What is not followed any more, or anew, is not spoken of.
            if question.books.get(book.followed) is book and book.look() != look:
                self._tell(book)
        if any(book not in books for book in question.books.values()):
            due = -math.inf  # a platform that came while we asked
        self._questions.plan_anew(question, due)
        await self._memory.save()
        if not question.fixed and question.books:
            fields = self._fields(question)
            await self._memory.save_tag(str(question.repository), question.reference, fields)

    async def _ask(self, question: Question, books: list[TagBook]) -> None:
        """Raises where the reference itself could not be asked for; a build that could not be had
        is its book's failure alone.
        """
        digest = question.reference
        if not question.fixed:
            head = self._registry.head(question.repository, question.reference)
            digest = await self._heard(question.host, question, head)
            question.confirmed = self._clock.now().isoformat()
        question.digest = digest
        for book in books:
            await self._resolve(book, digest)

    async def _resolve(self, book: TagBook, digest: str) -> None:
        followed = book.followed
        if book.resolution and book.resolution.digest == digest:
            book.resolved(digest, book.resolution.build)
            return
        build = await self._memory.build(digest, followed.platform)
        if build is None:
            if book.must_wait(digest):
                return
            asked = self._registry.build(followed.repository, digest, followed.platform)
            try:
                build = await self._heard(followed.repository.registry, book, asked)
            except BootstrapError as error:
                book.build_failed(digest, error)
                return
            self._memory.learn(digest, followed.platform, build)
        book.resolved(digest, build)

    async def _heard(self, host: str, question: object, asked: Awaitable[str]) -> str:
        """Asks, and notes whether the host answered."""
        try:
            answer = await asked
        except (Unavailable, Garbled) as error:
            self._outages.failed(host, question, shown(error, LONGEST_ERROR))
            raise
        except BootstrapError:
            self._outages.answered(host)
            raise
        self._outages.answered(host)
        return answer

    def _next_due(self, question: Question) -> float:
        if question.fixed:
            open_books = [book for book in question.books.values() if book.resolution is None]
            return min((book.retry_at for book in open_books), default=math.inf)
        spread = 1.0 + JITTER * (2.0 * self._random.random() - 1.0)
        return self._clock.monotonic() + self._interval * spread

    def _tell(self, book: TagBook) -> None:
        followed = book.followed
        log = logger.bind(repository=str(followed.repository), reference=followed.reference)
        if book.error is not None:
            log.bind(error=book.error, lasting=book.lasting).warning("reference is not resolved")
        elif book.resolution is not None:
            log.bind(digest=book.resolution.digest, build=book.resolution.build).info(
                "reference is resolved"
            )
        self._on_change(followed)

    def _fields(self, question: Question) -> dict[str, str]:
        """What the store shows of a tag: `build:<platform>` only where it belongs to `digest`."""
        fields = {"at": question.confirmed, "digest": question.digest or ""}
        for book in question.books.values():
            if book.resolution and book.resolution.digest == question.digest:
                fields[f"build:{book.followed.platform}"] = book.resolution.build
            if book.error:
                fields["error"] = book.error
        if quota := self._registry.quota(question.repository):
            fields |= {"quota_limit": str(quota.limit), "quota_remaining": str(quota.remaining)}
        return {name: value for name, value in fields.items() if value}

    def _backoff(self) -> Backoff:
        return backoff_for(self._interval, HEAD_CAP, self._clock, self._random)
