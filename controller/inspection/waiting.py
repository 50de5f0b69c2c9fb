"""When what a person waits for has come to a Deployment: its record is watched."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from controller.domain import names
from controller.domain.record.levers import unanswered
from controller.domain.record.record import Outcome, Record
from controller.domain.run import OPEN, Phase
from controller.inspection.deployments import InspectedDeployment, Inspection, inspected


class Awaited(StrEnum):
    PASSED = "passed"  # the run passes
    VERDICT = "verdict"  # the run passes or fails
    IDLE = "idle"  # no run is open, and no build is due


@dataclass(frozen=True)
class Stand:
    """How it stands with what is waited for."""

    over: bool  # it has come, or cannot come without a person
    met: bool  # it has come
    said: str  # in one sentence


class Waiting:
    """For one Deployment. The run is the one that is open at the first look; where a person has
    asked for one that has not begun, the next; else the last.
    """

    def __init__(self, awaited: Awaited) -> None:
        self._awaited = awaited
        self._run: str | None = None  # None: not looked at yet; empty: the next
        self._last = ""  # latest run at the first look

    def look(self, each: InspectedDeployment | None) -> Stand:
        if each is None:
            return Stand(True, False, "it is not there, or not labelled any more")
        if each.fault:
            return Stand(True, False, each.fault)
        record = each.record
        if record is None:
            return Stand(False, False, "no controller has seen it yet")
        if self._run is None:
            self._run, self._last = _awaited_run(each, record), record.last_run
        if not self._run and record.last_run != self._last:
            self._run = record.last_run
        if self._awaited is Awaited.IDLE:
            return _idle(each, record)
        return self._verdict(each, record)

    def _verdict(self, each: InspectedDeployment, record: Record) -> Stand:
        run = self._run
        ended = next((o for o in record.outcomes if run and o.run == run), None)
        if ended is not None:
            return Stand(True, self._is_met(ended), _told(ended))
        open_run = record.run is not None and record.run.id == run
        if not open_run and run and record.last_run != run:
            return Stand(True, False, f"nobody remembers how run {run} ended")
        return Stand(not open_run and record.phase is Phase.BLOCKED, False, _now(each, record))

    def _is_met(self, ended: Outcome) -> bool:
        if self._awaited is Awaited.PASSED:
            return ended.phase is Phase.PASSED
        return ended.phase in (Phase.PASSED, Phase.FAILED)


class Tell:
    """Hears how it goes on."""

    def say(self, sentence: str) -> None:
        """Nothing, unless somebody wants to hear it."""


async def wait_for(
    inspection: Inspection, key: str, awaited: Awaited, tell: Tell, longest: float | None
) -> Stand:
    """longest: seconds; None for ever. Where they are over, `over` is False in what is returned.
    tell: hears each sentence that is new.
    """
    changed = asyncio.Event()
    inspection.cluster.on_change(lambda other: changed.set() if other == key else None)
    waiting, clock = Waiting(awaited), inspection.wiring.around.clock
    last = [Stand(False, False, "")]

    async def follow() -> None:
        while True:
            changed.clear()
            deployment = inspection.cluster.deployment(key)
            stand = waiting.look(None if deployment is None else inspected(deployment))
            if stand.said != last[0].said and not stand.over:
                tell.say(stand.said)
            last[0] = stand
            if stand.over:
                return
            await changed.wait()

    with suppress(TimeoutError):
        await (follow() if longest is None else clock.within(longest, follow()))
    return last[0]


def _awaited_run(each: InspectedDeployment, record: Record) -> str:
    if record.run is not None:
        return record.run.id
    queued = each.deployment.metadata.written(names.TEST_BUILD)
    asked = record.again or (queued and record.taken != queued)
    if asked or unanswered(each.deployment, record, names.RETEST):
        return ""
    return record.last_run


def _idle(each: InspectedDeployment, record: Record) -> Stand:
    at_rest = record.run is None and record.phase is Phase.IDLE
    queued = each.deployment.metadata.written(names.TEST_BUILD)
    asked = bool(queued) and record.taken != queued
    if at_rest and record.reason in ("UpToDate", "Duplicate") and not asked and not record.again:
        return Stand(True, True, _now(each, record))
    stuck = record.run is None and record.phase in (Phase.BLOCKED, Phase.SUSPENDED)
    return Stand(stuck, False, _now(each, record))


def _told(ended: Outcome) -> str:
    said = f": {ended.message}" if ended.message else ""
    return f"run {ended.run} {str(ended.phase).lower()} ({ended.reason}){said}"


def _now(each: InspectedDeployment, record: Record) -> str:
    """Without what changes at each look, as the progress does."""
    run = record.run
    if run is not None and run.phase in OPEN:
        return f"run {run.id} is {run.phase} ({run.reason})"
    said = each.deployment.metadata.annotation(names.MESSAGE) or record.message
    return f"{record.phase} ({record.reason}): {said}"
