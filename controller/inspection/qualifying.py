"""Has a build passed everywhere that matters? Asked of records, store and registry, once or until
it is decided.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from controller.domain import names
from controller.engine.ports import Registry
from controller.inspection.deployments import InspectedDeployment, Inspection
from controller.inspection.remembered import Memories, Memory
from controller.inspection.word_meaning import Found, find_meaning, followers
from controller.views.build import BuildOnTarget, BuildView
from controller.views.deployment import DeploymentView
from controller.views.meaning import Meaning, nearest
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


class Qualifying:
    """One question, and its answer whenever it is asked again. What the word means is looked up
    once: a tag that moves meanwhile is another question.
    """

    def __init__(self, inspection: Inspection, word: str, required: Sequence[str]) -> None:
        self._inspection = inspection
        self._memory = Memory(inspection)
        self._word = word
        self._required = tuple(dict.fromkeys(required))
        self._found: Found | None = None
        self._registry: Registry | None = None

    async def answer(self) -> Answer:
        """Raises Fault for a word that means several builds, and Trouble."""
        memories = await self._memory.read()
        targets = sorted({*memories.targets, *self._required})
        builds = await memories.reading.builds(targets)
        missing = tuple(set(self._required) - set(memories.targets) - _tested(builds))
        if missing:
            close = tuple(memories.targets)
            return Answer(None, close, tuple(sorted(missing)), trouble=memories.trouble)
        if self._found is None or self._found.meaning is None:
            self._found = await find_meaning(
                self._word,
                builds,
                followers(memories.inspected),
                memories.reading.store,
                await self._opened(),
            )
        found, means = self._found, self._found.meaning
        if means is None:
            close = tuple(nearest(self._word, builds))
            return Answer(None, close, said=found.said, trouble=memories.trouble)
        grounds = [await self._ground(t, means, builds, memories) for t in self._wanted(memories)]
        verdicts = [verdict_on(ground, means) for ground in grounds]
        answer = qualification(means, verdicts)
        return Answer(answer, said=found.said, trouble=memories.trouble)

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
        self, target: str, means: Meaning, builds: Sequence[BuildView], memories: Memories
    ) -> Ground:
        here = [each for each in memories.deployments if target in (each.target, each.deployment)]
        all_builds = (*means.builds, *means.siblings)
        if "/" in target:  # no slug
            why = f"which target it has is not known: {here[0].message}"
            return Ground(target=target, runs=(), deployments=tuple(here), unreadable=why)
        runs = await memories.reading.runs_of_builds(target, all_builds)
        states = [on for build in builds if build.build in all_builds for on in build.targets]
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


def _tested(builds: Sequence[BuildView]) -> set[str]:
    return {on.target for build in builds for on in build.targets}


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
        if (queued := meta.annotation(names.TEST_BUILD)) in words
        and (record is None or record.taken != queued)
    )
