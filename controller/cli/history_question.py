"""What `history` is asked, and the answer: by what people type."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from controller.base.errors import Fault
from controller.base.text import shown
from controller.cli.moments import parse_moment
from controller.inspection.deployments import Inspection, inspecting
from controller.inspection.nearest import nearest, not_here
from controller.inspection.store_of_cluster import check_of_cluster
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings
from controller.views.build import BuildView
from controller.views.deployment import of_deployment
from controller.views.history import History, HistoryLine, read_history
from controller.views.history_sift import Sift, builds_named, builds_of_version, plain_version
from controller.views.known_builds import known_builds
from controller.views.reading import Reading
from store import MemoryStore, is_memory
from store.api import StateStore, StoreMisused, StoreUnavailable


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True)
class Question:
    """As it was typed; empty or None: not asked for."""

    target: str | None
    deployment: str | None  # `[NAMESPACE/]NAME`
    build: str
    version: str
    outcome: Outcome | None
    since: str
    until: str
    limit: int
    outcomes: bool  # only how runs ended

    @property
    def is_sifted(self) -> bool:
        words = (self.target, self.deployment, self.outcome, self.build, self.version)
        return self.outcomes or any(words) or bool(self.since or self.until)


@dataclass
class Found:
    lines: Sequence[HistoryLine]  # newest first, as many as were asked for at most
    cut: bool  # the search was given up: older ones may be missing
    more: bool  # more than were asked for
    trouble: str = ""  # why the store told nothing; empty: it did
    hints: list[str] = field(default_factory=list)  # what may have been meant, a sentence each


async def ask(question: Question, settings: Settings, around: Surroundings) -> Found:
    """Raises Fault for what is no time and no digest, and what `inspecting` raises."""
    now = around.clock.now()
    since = parse_moment(question.since, now, "--since") if question.since else 0.0
    until = parse_moment(question.until, now, "--until") if question.until else None
    async with inspecting(settings, around) as inspection:
        store = await inspection.wiring.store()
        try:
            await _check(inspection, store)
            return await _search(question, inspection, store, since, until)
        except (StoreUnavailable, StoreMisused) as error:
            why = str(error)
        found = await _search(question, inspection, MemoryStore(), since, until)
        found.trouble = shown(why, 400)
        return found


async def _check(inspection: Inspection, store: StateStore) -> None:
    """Raises StoreUnavailable and StoreMisused. A store may be empty where the records are, too."""
    if is_memory(inspection.wiring.settings.store.url):
        return
    if inspection.records() or await store.meta() is not None:
        await check_of_cluster(inspection, store)


async def _search(
    question: Question,
    inspection: Inspection,
    store: StateStore,
    since: float,
    until: float | None,
) -> Found:
    records, hints = inspection.records(), list[str]()
    phase = question.outcome.capitalize() if question.outcome else ""
    sift = Sift(await _builds(question, Reading(store, records), hints), phase, since)
    found: History = await read_history(
        store,
        records,
        target=question.target,
        deployment=_key(question, inspection),
        limit=question.limit + 1,
        outcomes=question.outcomes or bool(phase),
        before=until,
        sift=sift,
    )
    if not found.lines:
        hints += _meant(question, Reading(store, records), inspection)
    more = len(found.lines) > question.limit
    return Found(found.lines[: question.limit], found.cut, more, hints=hints)


def _key(question: Question, inspection: Inspection) -> str | None:
    """Of the Deployment that is asked for. Where a name means several, Fault."""
    name = question.deployment
    if name is None:
        return name
    keys = inspection.find(name)
    if len(keys) > 1:
        raise Fault(f"'{shown(name)}' names several: write one of {', '.join(keys)}")
    return keys[0] if keys else name


def _meant(question: Question, reading: Reading, inspection: Inspection) -> list[str]:
    """Names that are like those of which nothing was found: one that is gone may have a history."""
    hints, keys = list[str](), list(inspection.cluster.keys())
    name, target = question.deployment, question.target
    if name is not None and not inspection.find(name) and nearest(name, keys):
        hints.append(not_here(name, keys))
    now = {of_deployment(each.deployment).target for each in inspection.inspected()}
    known = sorted({*reading.targets(), *filter(None, now)})
    if target is not None and target not in known and known:
        near = ", ".join(nearest(target, known) or known[:5])
        hints.append(f"no Deployment here tests '{shown(target, 80)}': there are {near}")
    return hints


async def _builds(question: Question, reading: Reading, hints: list[str]) -> frozenset[str] | None:
    """Digests, or their beginnings; None where none is asked for."""
    if not question.version and not question.build:
        return None
    targets = [question.target] if question.target else reading.targets()
    known = await (await known_builds(reading, targets)).names()
    if reading.trouble:
        raise StoreUnavailable(reading.trouble)
    if reading.partial:
        hints.append(reading.partial)
    chosen = _by_digest(question.build, known)
    if question.version:
        of_version = builds_of_version(question.version, known)
        if not of_version:
            hints.append(_unknown(question.version, known))
        chosen = of_version if chosen is None else _both(chosen, of_version)
    return chosen


def _by_digest(build: str, known: list[BuildView]) -> frozenset[str] | None:
    if not build:
        return None
    try:
        return builds_named(build, known)
    except ValueError:
        raise Fault(
            f"--build: '{shown(build, 80)}' is no digest: write sha256: and its digits, or six of"
            " them at least; a version is asked for by --version"
        ) from None


def _both(beginnings: frozenset[str], builds: frozenset[str]) -> frozenset[str]:
    return frozenset(build for build in builds if any(map(build.startswith, beginnings)))


def _unknown(version: str, known: list[BuildView]) -> str:
    versions = dict.fromkeys(plain_version(each.version) for each in known if each.version)
    near = nearest(plain_version(version), versions) or list(versions)[:3]
    said = f"no build that was tested here says that it is {shown(version, 80)}"
    return f"{said}: known are such as {', '.join(near)}" if near else said
