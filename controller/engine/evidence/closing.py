"""Has the evidence gathered of each run that is over: at once, or by the controller after this."""

from dataclasses import asdict
from typing import Any

from controller.domain.decide.observation import Decision, Observation
from controller.domain.failure_class import class_of
from controller.domain.manifest.request import node_container_name
from controller.domain.pace.progress import Progress
from controller.domain.record.parts import Facts, cause_fields, fact_fields
from controller.domain.record.record import Record
from controller.domain.run import Phase
from controller.engine.evidence.gatherer import Ended, Gatherer

_KEPT = (Phase.PASSED, Phase.FAILED)  # what was aborted says nothing of its build


class Closing:
    """What `Reconciler` tells the gatherer."""

    def __init__(self, gatherer: Gatherer) -> None:
        self._gatherer = gatherer

    def ended(self, o: Observation, decision: Decision) -> None:
        """After the write of a decision that ended a run: what was observed of it is still here."""
        run = o.record.run if isinstance(o.record, Record) else None
        record = decision.record
        if run is None or record is None or record.run is not None:
            return
        attention = o.attention
        found = _of(
            o,
            record,
            facts=o.facts or run.facts,
            answer=attention.answer if attention else None,
            progress=_plain(attention.progress) if attention else None,
        )
        if found is not None:
            self._gatherer.begin(found)

    async def settled(self, o: Observation) -> None:
        """A run that ended under an earlier controller, which may not have come to it."""
        if not isinstance(o.record, Record) or o.record.run is not None:
            return
        outcome = o.record.outcome()
        if outcome is None or self._gatherer.has_begun(outcome.target, outcome.run):
            return  # as at nearly every look: what is below is made for nothing then
        found = _of(o, o.record, facts=Facts())
        if found is not None:
            await self._gatherer.ensure(found)

    async def stop(self) -> None:
        await self._gatherer.stop()


def _of(o: Observation, record: Record, *, facts: Facts, **known: Any) -> Ended | None:
    outcome = record.outcome()
    if outcome is None or outcome.phase not in _KEPT:
        return None
    fields = {
        **fact_fields(facts),
        "class": class_of(outcome.reason),
        **cause_fields(outcome.cause),
    }
    return Ended(
        record=record,
        outcome=outcome,
        pods=o.pods,
        container=node_container_name(o.deployment),
        facts={name: value for name, value in fields.items() if value},
        **known,
    )


def _plain(progress: Progress) -> dict[str, Any]:
    return {
        "stages": {key: asdict(stage) for key, stage in progress.stages.items()},
        "heights": dict(progress.heights),
        "moved_last": progress.doing,
    }
