"""From a step of a record to the notice that people read."""

from datetime import UTC, datetime

from controller.base.text import shown
from controller.domain.notice import Level, Notice
from controller.domain.record.record import OpenRun, Record, Step
from controller.domain.run import Phase, has_form_of_run_id
from controller.domain.target import SyncMode
from store.api import Transition


def transition_id(record: Record, step: Step) -> str:
    """Unique everywhere: a run id is unique on a target only, and two Deployments that pin the
    same build in the same second have the same one.
    """
    return f"{record.namespace}.{record.name}.{step.run or 'idle'}.{step.seq}"


def run_in(identity: str) -> str:
    """The run id in a transition's id; empty: it names none, and only its body may."""
    parts = identity.rsplit(".", 2)
    return parts[-2] if len(parts) == 3 and has_form_of_run_id(parts[-2]) else ""


def notice_of(record: Record, step: Step, uid: str) -> Notice:
    """The notice of a transition, with what the record knows of its run."""
    run = _open_run(record, step)
    target = target_of(record, step)
    network, mode = (run.network, run.mode) if run else _split(target)
    where = target or record.key
    return Notice(
        id=transition_id(record, step),
        at=datetime.fromtimestamp(step.at, UTC),
        level=Level(step.level),
        title=f"{where}: {step.phase} ({step.reason})",
        text=shown(step.message, 1000),
        reason=step.reason,
        deployment=record.key,
        uid=uid,
        target=target,
        network=network,
        sync_mode=mode,
        run=step.run,
        build=step.build,
        image=run.image if run else "",
        phase_before=_phase(step.before),
        phase=_phase(step.phase),
        quiet=step.quiet,
    )


def transition_of(record: Record, step: Step, body: bytes) -> Transition:
    """The line of history. Transitions without a run are of no target."""
    target = target_of(record, step)
    return Transition(transition_id(record, step), target, float(step.at), body)


def target_of(record: Record, step: Step) -> str:
    """The target of the step's run, open or over; empty where there is none, or nobody knows."""
    run = _open_run(record, step)
    outcome = next((o for o in record.outcomes if o.run == step.run), None)
    return run.target if run else outcome.target if outcome else ""


def _open_run(record: Record, step: Step) -> OpenRun | None:
    return record.run if record.run and record.run.id == step.run else None


def _phase(text: str) -> Phase | None:
    return Phase(text) if text in set(Phase) else None


def _split(target: str) -> tuple[str, str]:
    """Network and sync mode of a target's slug; modes are a closed list, networks hold a dash."""
    for mode in sorted(SyncMode, key=len, reverse=True):  # one mode begins as another does
        network, found, _ = target.partition(f"-{mode}")
        if found:
            return network, mode
    return "", ""
