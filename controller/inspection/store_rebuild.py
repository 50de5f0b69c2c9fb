"""What `store rebuild` brings back: all that the records of the labelled Deployments prove. It only
adds, as a controller's start does, so that one that starts meanwhile is not disturbed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from controller.base.errors import Fault, Refused, Trouble
from controller.base.text import shown
from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.belief import sibling_record
from controller.domain.record.record import Record
from controller.domain.record.steps import steps_after
from controller.engine.claims.refill import claims_of, refill
from controller.engine.telling.mirror import all_run_fields, mirror_fields
from controller.engine.telling.publisher import history_of
from controller.inspection.activity import who_is_active
from controller.inspection.deployments import Inspection, inspecting
from controller.inspection.store_of_cluster import refuse_anothers
from controller.inspection.store_sweep import NONE_NAMED
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings
from store import ReadOnlyStore, is_memory
from store.api import SCHEMA, Claim, Meta, StateStore, StoreMisused, StoreUnavailable

_LOOKED_AT = 1000  # newest transitions, among which those of the records are

LOST_FOR_GOOD = (
    "not brought back, for no record has it: transitions that were told long ago, but for the ends"
    " of the last ten runs of each Deployment, earlier runs, evidence, builds that a tag passed by,"
    " and the claims of Deployments that are not seen here"
)
ADOPTED = "the controller that starts first makes this memory its own cluster's"


@dataclass
class Rebuilt:
    """Of each kind, how many were missing and are there now, and of how many."""

    dry_run: bool
    deployments: list[str] = field(default_factory=list)  # whose record could be believed
    claims: int = 0
    claims_proved: int = 0
    copies: int = 0
    runs: int = 0
    runs_known: int = 0
    transitions: int = 0
    transitions_known: int = 0
    said: list[str] = field(default_factory=list)  # what a person should know, a sentence each


async def rebuild_store(settings: Settings, around: Surroundings, *, dry_run: bool) -> Rebuilt:
    """Raises Fault where no store is named, Refused where a controller is active, or the store is
    another cluster's or fails, and what `inspecting` raises.
    """
    if is_memory(settings.store.url):
        raise Fault(NONE_NAMED)
    async with inspecting(settings, around) as inspection:
        await _check_nobody_is_active(inspection)
        opened = await inspection.wiring.store()
        store: StateStore = ReadOnlyStore(opened) if dry_run else opened
        try:
            return await _rebuild(inspection, store, dry_run)
        except (StoreUnavailable, StoreMisused) as error:
            raise Refused(f"the store cannot be rebuilt: {error}") from error


async def _check_nobody_is_active(inspection: Inspection) -> None:
    try:
        holder = await who_is_active(inspection)
    except Trouble as trouble:
        raise Refused(f"it cannot be told whether a controller is active: {trouble}") from trouble
    if holder:
        raise Refused(
            f"nothing was written: the controller {shown(holder)} is active, and brings back by"
            " itself, within half a minute, what its store has lost"
        )


async def _rebuild(inspection: Inspection, store: StateStore, dry_run: bool) -> Rebuilt:
    told = Rebuilt(dry_run)
    found = await store.meta()
    if found is not None and found.cluster:
        await refuse_anothers(inspection, store)
    else:
        told.said.append(ADOPTED)
    believed = list(_believed(inspection, told))
    records = [record for _, record in believed]
    told.deployments = [record.key for record in records]
    await _claims(inspection, store, found, records, told)
    there = {each.id for each in await store.history(None, limit=_LOOKED_AT)}
    for deployment, record in believed:
        await _runs(store, record, told)
        await _history(store, record, there, told)
        await _copy(store, deployment, record, told)
    told.said.append(LOST_FOR_GOOD)
    return told


def _believed(inspection: Inspection, told: Rebuilt) -> Iterable[tuple[Deployment, Record]]:
    for each in inspection.inspected():
        key = each.deployment.metadata.key
        if each.fault:
            told.said.append(f"the record of {key} cannot be read: {shown(each.fault, 300)}")
        if each.record is None:
            continue
        if sibling_record(each.deployment) == each.record:
            yield each.deployment, each.record
        else:
            told.said.append(f"the record of {key} is another hand's: nothing is taken from it")


async def _claims(
    inspection: Inspection,
    store: StateStore,
    found: Meta | None,
    records: Sequence[Record],
    told: Rebuilt,
) -> None:
    targets = {target for record in records for target in record.tested}
    targets |= {record.run.target for record in records if record.run is not None}
    before = await _standing(store, targets)
    # An epoch of nobody's cluster: a controller joins it by beginning its own, and settles.
    epoch = f"{inspection.wiring.around.random.getrandbits(64):016x}"
    meta = Meta(SCHEMA, epoch, 0, found.cluster if found else "")
    _, told.claims_proved = await refill(store, meta, records, inspection.wiring.around.clock)
    if told.dry_run:
        proved = {(c.target, c.build) for record in records for c in claims_of(record)}
        told.claims = len(proved - {(c.target, c.build) for c in before})
    else:
        told.claims = len(await _standing(store, targets)) - len(before)


async def _standing(store: StateStore, targets: Iterable[str]) -> list[Claim]:
    return [claim for target in sorted(targets) for claim in await store.claims_of(target)]


async def _runs(store: StateStore, record: Record, told: Rebuilt) -> None:
    """Those of which the store knows nothing: it knows more of all others than the record does."""
    known = all_run_fields(record)
    told.runs_known += len(known)
    for (target, run), fields in known.items():
        if not await store.run(target, run):
            await store.put_run(target, run, fields)
            told.runs += 1


async def _history(store: StateStore, record: Record, there: set[str], told: Rebuilt) -> None:
    lines = history_of(record, steps_after(record, 0))
    told.transitions_known += len(lines)
    missing = [line for line in lines if line.id not in there]
    await store.append(missing)
    told.transitions += len(missing)


async def _copy(store: StateStore, deployment: Deployment, record: Record, told: Rebuilt) -> None:
    """Where none stands, or an older one. Which steps of an open run the sinks were told nobody
    knows but the copy that stood: without it they are told again, by the same ids.
    """
    standing = await store.mirrored(record.key)
    seq = standing.get("seq", "")
    if seq.isdigit() and int(seq) >= record.seq:
        return
    text = deployment.metadata.annotation(names.RECORD) or ""
    heard = standing.get("told", "")
    heard = str(max(record.told, int(heard) if heard.isdigit() else 0))
    await store.mirror(record.key, mirror_fields(record, text) | {"told": heard})
    told.copies += 1
