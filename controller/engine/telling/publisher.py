"""Carries what follows from the records to where people look: sinks, history, mirror (I4).

The record is the truth; all this can be caught up from it. A step is told again after a crash if
it is not known to have been told, never lost. Known it is by the record, which is written for it
when a run has ended (`domain.decide.kept_in_record`), and of what came since by the mirror.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from controller.base.text import cut_bytes
from controller.domain.decide.observing import has_come_to_be
from controller.domain.notice import Notice
from controller.domain.objects import Deployment
from controller.domain.record.parts import cause_fields
from controller.domain.record.record import Record, Step
from controller.domain.record.steps import steps_after, up_to_last_end
from controller.engine.ports import Sink, StateStore
from controller.engine.telling.apart import Apart
from controller.engine.telling.mirror import mirror_fields, run_fields
from controller.engine.telling.notices import notice_of, transition_of
from store.api import StoreItemUnusable, StoreMisused, StoreUnavailable, Transition

# Lines of history that wait for a store that is away, for one Deployment: of some twenty runs.
_WAITING = 100

# Lines that fail one after the other: then it is the history that cannot be used, not one of them.
_IN_A_ROW = 3

# Of a line of history. A record that we write has shorter ones; one written by hand may have any.
_MESSAGE_BYTES = 4096


@dataclass
class Published:
    """How far one Deployment's record has been carried: each is a `seq` of it."""

    told: int = 0  # to the sinks
    kept: int = 0  # to history
    mirrored: int = -1  # to the mirror; -1: never, as far as this process knows
    asked: bool = False  # whether the store has told what an earlier process had told
    done: Record | None = None  # all that this very object tells of has been carried
    # Lines that history has not got yet, by `seq`: a record keeps its last few steps only
    waiting: dict[int, Transition] = field(default_factory=dict)


class Publisher:
    """Gives each transition to the sinks at least once, and to history once."""

    def __init__(self, store: StateStore, sink: Sink) -> None:
        self._store = store
        self._sink = sink
        self._published: dict[str, Published] = {}

    def told(self, key: str) -> int:
        """`seq` of the last step that the sinks and history both have."""
        published = self._published.get(key)
        return min(published.told, published.kept) if published else 0

    def heard(self, key: str) -> int:
        """`seq` of the last step that all sinks have, whether history has it or not."""
        published = self._published.get(key)
        return published.told if published else 0

    def behind(self, record: Record) -> list[Step]:
        """Steps that sinks and history may not have yet; none of a record that is not ours."""
        published = self._published.get(record.key)
        if published is None:
            return []
        told = max(record.told, min(published.told, published.kept))
        return steps_after(record, told)

    async def publish(self, deployment: Deployment, record: Record, text: str) -> None:
        """Raises StoreUnavailable or StoreMisused after the sinks were told: history and mirror are
        caught up at the next try. What cannot be used in the store keeps nothing else from it.
        """
        published = self._published.setdefault(
            record.key, Published(told=max(record.told, record.heard))
        )
        if published.done is record:
            return
        trouble = None if published.asked else await self._recall(record, published)
        steps = steps_after(record, published.told)
        for step in up_to_last_end(steps) if trouble else steps:
            await self._sink.tell(notice_of(record, step, deployment.metadata.uid))
            published.told = step.seq
        published.told = max(published.told, record.told)
        self._note_waiting(record, published)
        if trouble is not None:
            raise trouble
        spoilt = Apart()
        with spoilt:
            await self._keep(record, published)
        if published.mirrored != record.seq:
            for (target, run), fields in run_fields(record).items():
                with spoilt:
                    await self._store.put_run(target, run, fields)
            fields = mirror_fields(record, text) | {
                "told": str(min(published.told, published.kept))
            }
            with spoilt:
                await self._store.mirror(record.key, fields)
            with spoilt:
                await self._settle(record)
            if spoilt.error is None:
                published.mirrored = record.seq
        if published.mirrored == record.seq and not self.behind(record):
            published.done = record
        spoilt.end()

    async def tell(self, notice: Notice) -> None:
        """A notice that is no transition."""
        await self._sink.tell(notice)

    def refilled(self) -> None:
        """The store may have forgotten everything: history and mirror are written again."""
        for published in self._published.values():
            published.kept, published.mirrored, published.done = 0, -1, None

    def forget(self, key: str) -> None:
        self._published.pop(key, None)

    async def _recall(
        self, record: Record, published: Published
    ) -> StoreUnavailable | StoreMisused | None:
        """After a start: what an earlier controller is known to have told. Returns why the store
        cannot say it. The record alone is exact up to the end of a run.
        """
        fields = dict[str, str]()
        try:
            with Apart():  # a copy that cannot be read says nothing
                fields = await self._store.mirrored(record.key)
        except (StoreUnavailable, StoreMisused) as error:
            return error
        published.asked = True
        told = fields.get("told", "")
        if told.isdecimal() and fields.get("seq", "").isdecimal():
            published.kept = min(int(told[-18:]), record.seq)
            published.told = max(published.told, published.kept)
        return None

    def _note_waiting(self, record: Record, published: Published) -> None:
        steps = steps_after(record, published.kept)
        lines = dict(zip((s.seq for s in steps), history_of(record, steps), strict=True))
        lines |= published.waiting  # made when the record still knew all of them
        published.waiting = dict(sorted(lines.items())[-_WAITING:])

    async def _keep(self, record: Record, published: Published) -> None:
        waiting = published.waiting
        if waiting:
            lines = list(waiting.values())
            try:
                await self._store.append(lines)
            except StoreItemUnusable:  # one of them: the others are kept
                spoilt, failed = Apart(), 0
                for line in lines:
                    failed += 1
                    with spoilt:
                        await self._store.append([line])
                        failed = 0
                    if failed == _IN_A_ROW:
                        break
                spoilt.end()
            published.kept = max(waiting)
            published.waiting = {}
        published.kept = max(published.kept, record.told)

    async def _settle(self, record: Record) -> None:
        """A pending claim whose run the record knows is pending no more."""
        claim = await self._store.pending(record.key)
        if claim is not None and has_come_to_be(claim.run, record):
            await self._store.settle(claim)


def history_of(record: Record, steps: Iterable[Step]) -> list[Transition]:
    """The lines of history that these steps of the record are."""
    return [transition_of(record, step, _body(record, step)) for step in steps]


def _body(record: Record, step: Step) -> bytes:
    notice = notice_of(record, step, "")
    return orjson.dumps(
        {
            "at": notice.at.isoformat(),
            "deployment": notice.deployment,
            "target": notice.target,
            "run": notice.run,
            "build": notice.build,
            "before": step.before,
            "phase": step.phase,
            "reason": step.reason,
            "message": cut_bytes(step.message, _MESSAGE_BYTES),
            **_cause(record, step),
        }
    )


def _cause(record: Record, step: Step) -> dict[str, str]:
    """Of a failure by ends of the node."""
    outcome = next((o for o in record.outcomes if o.run == step.run), None)
    if outcome is None or (step.phase, step.reason) != (outcome.phase, outcome.reason):
        return {}
    return cause_fields(outcome.cause)
