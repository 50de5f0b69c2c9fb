"""What a registry is asked, one HEAD each, and which of it is due next at a host that is free."""

import math
from collections.abc import Iterator

from controller.base.backoff import Backoff
from controller.domain.followed import Followed
from controller.domain.reference import Repository
from controller.engine.polling.tag_state import TagBook
from controller.engine.queue.deadlines import Deadlines

HOSTS_AT_ONCE = 4  # hosts asked at the same time; each is asked one thing at a time


class Question:
    """What one HEAD is about: a reference in a repository, for all its platforms."""

    def __init__(self, example: Followed, backoff: Backoff) -> None:
        self.repository = example.repository
        self.reference = example.reference
        self.fixed = example.fixed
        self.host = example.repository.registry
        self.backoff = backoff
        self.books: dict[Followed, TagBook] = {}
        self.digest: str | None = None
        self.confirmed = ""  # when `digest` was last said by the registry


class Questions:
    """All of them, each with the moment at which it is due. Moments are monotonic seconds.

    A look costs as much as there are hosts, and not as there are questions: a poll of one of 1,000
    tags takes 57 us of CPU, and took 288 where each wake sorted all of them (without HTTP).
    """

    def __init__(self) -> None:
        self._all: dict[tuple[Repository, str], Question] = {}
        self._due: dict[str, Deadlines[Question]] = {}  # by host; one that is asked stays in it
        self._busy: set[str] = set()  # hosts

    def of(self, followed: Followed) -> Question | None:
        return self._all.get((followed.repository, followed.reference))

    def followed(self) -> set[Followed]:
        return {followed for question in self._all.values() for followed in question.books}

    def hosts(self) -> set[str]:
        return set(self._due)

    def forget(self, followed: Followed) -> None:
        """It is followed no more; its question is asked no more with the last that is."""
        question = self.of(followed)
        if question is None:
            return
        question.books.pop(followed, None)
        if not question.books:
            del self._all[question.repository, question.reference]
            deadlines = self._due[question.host]
            deadlines.drop(question)
            if not deadlines:
                del self._due[question.host]

    def plan(self, question: Question, due: float) -> None:
        """It is asked at that moment, and at no other."""
        self._all[question.repository, question.reference] = question
        self._due.setdefault(question.host, Deadlines()).set(question, due)

    def plan_anew(self, question: Question, due: float) -> None:
        """As `plan`, unless it was forgotten meanwhile."""
        if self._all.get((question.repository, question.reference)) is question:
            self.plan(question, due)

    def take_due(self, now: float) -> Iterator[Question]:
        """One for each host that is free, what waits longest first, while hosts may be asked. The
        caller owes an `asked` for each.
        """
        free = ((due.first(), host) for host, due in self._due.items() if host not in self._busy)
        for _, host in sorted(each for each in free if each[0] <= now):
            question = self._due[host].earliest()
            if question is None or len(self._busy) >= HOSTS_AT_ONCE:
                return
            self._busy.add(host)
            yield question

    def asked(self, question: Question) -> None:
        """Its host is free."""
        self._busy.discard(question.host)

    def next_due(self) -> float:
        """The moment at which `take_due` has something to give while no host gets free; infinite
        where there is none.
        """
        if len(self._busy) >= HOSTS_AT_ONCE:
            return math.inf
        free = (due.first() for host, due in self._due.items() if host not in self._busy)
        return min(free, default=math.inf)
