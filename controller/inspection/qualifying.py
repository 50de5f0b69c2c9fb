"""Has a build passed everywhere that matters? Asked of records, store and registry, once or until
it is decided.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from controller.base.clock import Clock
from controller.domain import names
from controller.engine.ports import Registry
from controller.inspection.deployments import InspectedDeployment, Inspection
from controller.inspection.remembered import Memories, Memory
from controller.inspection.word_meaning import Found, find_meaning, followers
from controller.views.build import BuildOnTarget, BuildView
from controller.views.deployment import DeploymentView
from controller.views.known_builds import known_builds
from controller.views.meaning import Meaning, nearest, without_siblings
from controller.views.qualification import Ground, Qualification, qualification, verdict_on

LOOK_EVERY = 20.0  # seconds between looks that no change of a Deployment brings about


@dataclass(frozen=True)
class Answer:
    """What is known now."""

    qualification: Qualification | None  # None: nothing is known by that word
    nearest: tuple[str, ...] = ()  # names of builds, or of targets where such are not known
    missing: tuple[str, ...] = ()  # required targets that nobody has
    said: tuple[str, ...] = ()  # what a person should know beside, a sentence each
    trouble: str = ""  # why the store told less
    partial: str = ""  # how far was looked, where older runs may be missing; empty: far enough


class Qualifying:
    """One question, and its answer whenever it is asked again. What the word means is looked up
    once: a tag that moves meanwhile is another question.
    """

    def __init__(
        self,
        inspection: Inspection,
        word: str,
        required: Sequence[str],
        *,
        siblings: bool = True,
    ) -> None:
        """required: targets; none: those of each labelled Deployment. siblings: whether other
        builds of the same commit stand in for it.
        """
        self._inspection = inspection
        self._memory = Memory(inspection)
        self._word = word
        self._siblings = siblings
        self._required = tuple(dict.fromkeys(required))
        self._found: Found | None = None
        self._partial = ""  # how far was looked for what the word means
        self._registry: Registry | None = None

    async def answer(self) -> Answer:
        """Raises Fault for a word that means several builds, and Trouble."""
        memories = await self._memory.read()
        targets = sorted({*memories.targets, *self._required})
        known = await known_builds(memories.reading, targets)
        missing = tuple(set(self._required) - set(memories.targets) - known.targets)
        if missing:
            known_targets = tuple(memories.targets)
            return Answer(None, known_targets, tuple(sorted(missing)), trouble=memories.trouble)
        close: tuple[str, ...] = ()
        if self._found is None or self._found.meaning is None:
            builds = await known.names()
            self._partial = memories.reading.partial
            self._found = await find_meaning(
                self._word,
                builds,
                followers(self._asked(memories)),
                memories.reading.store,
                await self._opened(),
            )
            close = () if self._found.meaning else tuple(nearest(self._word, builds))
        found, means = self._found, self._found.meaning
        if means is not None and not self._siblings:
            means = without_siblings(means)
        if means is None:
            return Answer(
                None, close, said=found.said, trouble=memories.trouble, partial=self._partial
            )
        meant = await known.views((*means.builds, *means.siblings))
        grounds = [await self._ground(t, means, meant, memories) for t in self._wanted(memories)]
        verdicts = [verdict_on(ground, means) for ground in grounds]
        partial = self._partial or memories.reading.partial
        answer = qualification(means, verdicts, partial)
        return Answer(answer, said=found.said, trouble=memories.trouble, partial=partial)

    async def answers(self) -> AsyncIterator[Answer]:
        """The first at once, then another with each change, and each LOOK_EVERY seconds; never
        ends.
        """
        changed = asyncio.Event()
        self._inspection.cluster.on_change(lambda _key: changed.set())
        clock = self._inspection.wiring.around.clock
        while True:
            changed.clear()
            yield await self.answer()
            with suppress(TimeoutError):  # the store may tell more by then
                await clock.within(LOOK_EVERY, changed.wait())

    def _asked(self, memories: Memories) -> list[InspectedDeployment]:
        """Those whose repositories say what a tag is."""
        views = zip(memories.deployments, memories.inspected, strict=True)
        here = [each for view, each in views if view.target in self._required]
        return here or list(memories.inspected)

    async def _opened(self) -> Registry:
        if self._registry is None:
            self._registry = await self._inspection.wiring.registry()
        return self._registry

    def _wanted(self, memories: Memories) -> list[str]:
        """Required, or those of each labelled Deployment: by its name where its target is not
        known.
        """
        now = {each.target or each.deployment for each in memories.deployments}
        return list(self._required) or sorted(now)

    async def _ground(
        self, target: str, means: Meaning, meant: Sequence[BuildView], memories: Memories
    ) -> Ground:
        here = [each for each in memories.deployments if target in (each.target, each.deployment)]
        all_builds = (*means.builds, *means.siblings)
        if "/" in target:  # no slug
            why = f"which target it has is not known: {here[0].message}"
            return Ground(target=target, runs=(), deployments=tuple(here), unreadable=why)
        runs = await memories.reading.runs_of_builds(target, all_builds)
        states = [on for build in meant for on in build.targets]
        keys = {each.deployment for each in here}
        objects = [each for each in memories.inspected if each.deployment.metadata.key in keys]
        return Ground(
            target=target,
            runs=tuple(runs),
            states=_of_target(target, states),
            deployments=tuple(here),
            unreadable=_unreadable(here, objects, memories),
            queued=_queued(objects, {self._word, *means.builds}),
        )


async def until_decided(
    question: Qualifying, clock: Clock, longest: float | None, tell: Callable[[str], None]
) -> tuple[Answer, bool]:
    """The last answer, and whether the time was over before it was decided. It also ends where
    nothing is known by the word, and where a person has ended a run. longest: seconds; None for
    ever. tell: hears what changes on a target, in a sentence.
    """
    last: list[Answer] = []
    before: dict[str, tuple[str, str]] = {}

    async def follow() -> None:
        async for answer in question.answers():
            last[:] = [answer]
            found = answer.qualification
            if found is None or found.decided or found.stuck:
                return
            for each in found.targets:
                now = (each.state, each.run.phase if each.run else each.message)
                if before.get(each.target) != now:
                    before[each.target] = now
                    tell(f"{each.target}: {each.state}: {each.message}")

    try:
        await (follow() if longest is None else clock.within(longest, follow()))
    except TimeoutError:
        return (last[0] if last else await question.answer()), True
    return last[0], False


def _of_target(target: str, states: Sequence[BuildOnTarget]) -> tuple[BuildOnTarget, ...]:
    return tuple(on for on in states if on.target == target)


def _unreadable(
    views: Sequence[DeploymentView], objects: Sequence[InspectedDeployment], memories: Memories
) -> str:
    """Why a verdict may be missing that only a record here has."""
    for view in views:
        if view.fault:
            return f"the record of {view.deployment} cannot be read: {view.fault}"
    believed = {record.key: record for record in memories.reading.records}
    for each in objects:
        if each.record is not None and each.record.outcomes:
            mine = believed.get(each.record.key)
            if mine is None or mine.outcomes != each.record.outcomes:
                return (
                    f"the record of {each.record.key} was written by another hand, and its pods"
                    " bear nothing of it out: it is not believed"
                )
    return ""


def _queued(objects: Sequence[InspectedDeployment], words: set[str]) -> tuple[str, ...]:
    asked = [(each.deployment.metadata, each.record) for each in objects]
    return tuple(
        meta.key
        for meta, record in asked
        if (queued := meta.written(names.TEST_BUILD)) in words
        and (record is None or record.taken != queued)
    )
