"""Finds the evidence of a run in the store, and says why there is none. The store is enough: the
cluster is asked only about runs that its history does not know.
"""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from math import inf, nextafter
from typing import Any

import orjson

from controller.base.durations import format_duration
from controller.base.errors import BootstrapError, Fault, Refused
from controller.base.instants import instant
from controller.base.text import shown
from controller.domain.record.record import Record
from controller.domain.run import OPEN, Phase, is_run_id, run_time
from controller.domain.target import SLUG
from controller.engine.evidence.gatherer import KEEP_SECONDS
from controller.engine.evidence.parts import SUMMARY
from controller.engine.telling.history_body import body_of
from controller.inspection.deployments import inspecting
from controller.inspection.named_runs import failed_run
from controller.inspection.remembered import Memory
from controller.inspection.store_of_cluster import check_as_told
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings
from store import is_memory
from store.api import StateStore, StoreMisused, StoreUnavailable, Transition

EMPTY = "the store is empty: is it the controller's, and the prefix too?"
_EXAMPLE = "20261123t060000z-1a2b3c4d"
_DEPLOYMENT = re.compile(r"([a-z0-9-]{1,63}/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PAGE = 1000  # transitions read at once
_EARLIER = 86400.0  # seconds that a clock may have gone back between a run's id and its history
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a name that is safe to unpack


@dataclass(frozen=True)
class Wanted:
    """The run whose evidence is asked for."""

    run: str  # its id
    target: str = ""  # slug; empty: whichever has the run


@dataclass(frozen=True)
class RunEnd:
    """The last that is known of a run."""

    phase: str  # empty: how it ended is not known
    reason: str
    message: str
    at: float  # seconds since 1970


@dataclass(frozen=True)
class Evidence:
    """What the store has of a run."""

    target: str  # slug
    run: str  # its id
    parts: Mapping[str, bytes]  # file name to content
    ending: RunEnd

    @property
    def name(self) -> str:
        return f"{self.target}-{self.run}"


@dataclass(frozen=True)
class Nothing:
    """There is none."""

    why: str  # one sentence


def parse_wanted(text: str) -> Wanted | None:
    """From `[TARGET/]RUN`; None for a Deployment's `[NAMESPACE/]NAME`. Raises Fault."""
    target, slash, run = text.rpartition("/")
    if not is_run_id(run):
        if _DEPLOYMENT.fullmatch(text):
            return None
        raise Fault(
            f"'{shown(text, 80)}' is neither run nor Deployment: write an id such as {_EXAMPLE}, as"
            " `history` shows it, TARGET/RUN, or [NAMESPACE/]NAME"
        )
    if slash and not SLUG.fullmatch(target):
        raise Fault(
            f"'{shown(target, 80)}' is no target: write one such as fuji-c-chain-state-sync/{run}"
        )
    return Wanted(run, target)


async def find_evidence(settings: Settings, around: Surroundings, asked: str) -> Evidence | Nothing:
    """Of a run, or of the last that failed of a Deployment. Raises Fault for what is neither or
    means several, Refused for a store that fails, and what `inspecting` raises.
    """
    wanted = parse_wanted(asked)
    if is_memory(settings.store.url):
        return Nothing(
            "a memory:// store ends with the controller's process and cannot be read from another:"
            " name the store of a controller that has one with --store (BOOTSTRAP_STORE)"
        )
    if wanted is None:
        found = await _of_deployment(settings, around, asked)
        if isinstance(found, Nothing):
            return found
        wanted = found
    async with AsyncExitStack() as stack:
        store = await Wiring(settings, around, stack).store()
        try:
            await check_as_told(store, settings, around)
            return await _find(store, settings, around, wanted)
        except (StoreUnavailable, StoreMisused) as error:
            raise Refused(f"the store cannot be read: {error}") from error


async def _of_deployment(settings: Settings, around: Surroundings, name: str) -> Wanted | Nothing:
    async with inspecting(settings, around) as inspection:
        memories = await Memory(inspection).read()
        if memories.trouble:
            raise Refused(f"the store cannot be read: {memories.trouble}")
        run = await failed_run(memories, name)
    return Nothing(run) if isinstance(run, str) else Wanted(run.run, run.target)


async def _find(
    store: StateStore, settings: Settings, around: Surroundings, wanted: Wanted
) -> Evidence | Nothing:
    run, known, trouble = wanted.run, await _in_history(store, wanted), ""
    if not known and wanted.target:
        parts = await store.evidence(wanted.target, run)
        if parts:
            ending = RunEnd("", "", "", run_time(run).timestamp())
            return _evidence(wanted.target, run, parts, ending)
    remembered = bool(known)
    if not known:
        known, trouble = await _in_records(settings, around, wanted)
    if not known:
        of = f" of {wanted.target}" if wanted.target else ""
        empty = "" if await store.meta() else f"; {EMPTY}"
        return Nothing(f"no run {run}{of} is known: see `history`{trouble}{empty}")
    if len(known) > 1:
        choices = ", ".join(f"{target}/{run}" for target in sorted(known))
        raise Fault(f"several targets have a run {run}: write one of {choices}")
    target, ending = next(iter(known.items()))
    parts = await store.evidence(target, run)
    if parts:
        return _evidence(target, run, parts, ending)
    if not remembered and await store.meta() is None:
        return Nothing(f"nothing is kept of run {target}/{run}: {EMPTY}")
    return Nothing(_why_nothing(f"{target}/{run}", ending, around.clock.now().timestamp()))


def _why_nothing(name: str, ending: RunEnd, now: float) -> str:
    if ending.phase in OPEN:
        return f"run {name} is not over ({ending.phase}): evidence is gathered when it is"
    if ending.phase == Phase.ABORTED:
        return f"run {name} was aborted ({ending.reason}): only of a verdict is evidence kept"
    ended = f"run {name} ended at {instant(ending.at)}"
    if now - ending.at > KEEP_SECONDS:
        return f"{ended}: its evidence has expired, it is kept for {format_duration(KEEP_SECONDS)}"
    return f"{ended}, and nothing is kept of it: the controller's log says why, or that it waits"


async def _in_history(store: StateStore, wanted: Wanted) -> dict[str, RunEnd]:
    """Target to the run's last transition there."""
    found: dict[str, RunEnd] = {}
    oldest = run_time(wanted.run).timestamp() - _EARLIER
    before, seen = inf, set[str]()
    while before > oldest:
        limit = None if before == inf else before
        page = await store.places(wanted.target or None, limit=_PAGE, before=limit)
        fresh = [each for each in page if each.id not in seen]
        if not fresh:
            break
        seen = {each.id for each in page}
        named = [each for each in fresh if f".{wanted.run}." in each.id]
        for each in await store.transitions(wanted.target or None, named):
            if each.target:
                found.setdefault(each.target, _run_end_of(each))
        # More of the same second may be on the next page, and so it begins with that second.
        before = nextafter(page[-1].at, inf)
    return found


def _run_end_of(transition: Transition) -> RunEnd:
    body = body_of(transition)  # nothing of another hand's: the run is known all the same
    phase, reason, message = (body.get(name, "") for name in ("phase", "reason", "message"))
    return RunEnd(phase, reason, message, transition.at)


async def _in_records(
    settings: Settings, around: Surroundings, wanted: Wanted
) -> tuple[dict[str, RunEnd], str]:
    """What the Deployments' records know, and a half sentence if they could not be read."""
    try:
        async with inspecting(settings, around) as inspection:
            records = inspection.records()
    except BootstrapError as error:
        why = shown(str(error), 300)
        return {}, f"; and the Deployments' records could not be read: {why}"
    known = {t: e for record in records for t, e in _of_record(record, wanted.run).items()}
    return {t: e for t, e in known.items() if wanted.target in ("", t)}, ""


def _of_record(record: Record, run: str) -> dict[str, RunEnd]:
    known = {
        o.target: RunEnd(str(o.phase), o.reason, o.message, float(o.at))
        for o in record.outcomes
        if o.run == run
    }
    if record.run is not None and record.run.id == run:
        r = record.run
        known[r.target] = RunEnd(str(r.phase), r.reason, "", float(r.since))
    return known


def _evidence(target: str, run: str, parts: Mapping[str, bytes], ending: RunEnd) -> Evidence:
    """The summary among the parts is of the run's end itself, and goes before other memories."""
    kept = {name: part for name, part in parts.items() if _PART.fullmatch(name)}
    try:
        raw: Any = orjson.loads(kept.get(SUMMARY, b""))
        ending = RunEnd(
            str(raw["phase"]),
            str(raw["reason"]),
            str(raw.get("message", "")),
            datetime.fromisoformat(raw["ended"]).timestamp(),
        )
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        pass  # an older form, or cut: what history says will do
    return Evidence(target, run, kept, ending)
