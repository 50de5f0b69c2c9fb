"""What becomes of a run that is open."""

from msgspec.structs import replace

from controller.base.durations import format_duration
from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.decide.next_record import (
    closed,
    current_record,
    decided,
    evolve,
    pulled,
    with_step,
)
from controller.domain.decide.observation import Decision, Observation
from controller.domain.decide.phase_changes import run_its_course
from controller.domain.decide.verdict import may_pass
from controller.domain.manifest.request import configuration_hash, node_container_name
from controller.domain.pods.run_pods import RunPods, view_pods
from controller.domain.record.asked_once import asked
from controller.domain.record.pin import PinState, pin_state, restoring_changes
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase, Reason


def decide_open_run(o: Observation) -> Decision:
    """Asks the questions in the order in which they matter; the first answer is the decision."""
    record = current_record(o)
    run = record.run
    assert run is not None
    pods = view_pods(o.pods, run, node_container_name(o.deployment))
    for question in (_abort, _twin, _configuration, _image, _foreign, _pin, _fault, run_its_course):
        decision = question(o, record, run, pods)
        if decision is not None:
            return decision
    return Decision(run.phase, run.reason, record.message, why=_why(o, run, pods))


def _abort(o: Observation, record: Record, run: OpenRun, _: RunPods) -> Decision | None:
    if not pulled(o, names.ABORT):
        return None
    why = asked(o.deployment, names.ABORT)
    return decided(o, closed(o, record, Phase.ABORTED, Reason.ABORT_REQUESTED, why))


def _twin(o: Observation, record: Record, run: OpenRun, _: RunPods) -> Decision | None:
    """Two open runs of one build: the later one yields."""
    for sibling in o.siblings:
        other = sibling.run
        if other is None or (other.target, other.build) != (run.target, run.build):
            continue
        if (other.id, sibling.key) < (run.id, record.key):
            why = f"{sibling.key} tests this build on {run.target} since run {other.id}"
            return decided(o, closed(o, record, Phase.ABORTED, Reason.DUPLICATE, why))
    return None


def _configuration(o: Observation, record: Record, run: OpenRun, _: RunPods) -> Decision | None:
    """A change of command, args or env is a person's wish for another attempt."""
    now = configuration_hash(o.deployment)
    series = not isinstance(o.request, TargetFault) and str(o.request.target) != run.target
    if not series and now in ("", run.config):
        return None
    why = "the node's command, args or env changed in mid-run"
    if series:
        why = f"the Deployment's target is not {run.target} any more"
    record = closed(o, record, Phase.ABORTED, Reason.CONFIGURATION_CHANGED, why)
    return decided(o, replace(record, again="configuration"))


def _image(o: Observation, record: Record, run: OpenRun, _: RunPods) -> Decision | None:
    if pin_state(o.deployment, run, record) is not PinState.CHANGED:
        return None
    container = o.deployment.spec.template.spec.container(node_container_name(o.deployment))
    image = shown(container.image if container else "")
    why = f"{_by(o)} wishes another image ({image})"
    return decided(o, closed(o, record, Phase.ABORTED, Reason.IMAGE_CHANGED, why))


def _foreign(o: Observation, record: Record, run: OpenRun, pods: RunPods) -> Decision | None:
    """The run is void; a new attempt with a new id and clean data, a few times."""
    if not pods.foreign:
        return None
    voids = record.voids + 1 if record.void_build == run.build else 1
    record = closed(
        o, record, Phase.ABORTED, Reason.FOREIGN_DATA, shown(pods.foreign), tested=False
    )
    return decided(o, replace(record, voids=voids, void_build=run.build))


def _pin(o: Observation, record: Record, run: OpenRun, pods: RunPods) -> Decision | None:
    """A pin that somebody took back is put back, at growing delays, and then no more."""
    if pin_state(o.deployment, run, record) is PinState.INTACT:
        return None
    rules = o.rules
    if run.reverts >= rules.revert_limit:
        why = (
            f"{_by(o)} took the pin back {run.reverts + 1} times: let it ignore the image and the"
            f" run id (Argo CD: ignoreDifferences with RespectIgnoreDifferences=true)"
        )
        return decided(o, closed(o, record, Phase.ABORTED, Reason.PIN_REVERTED, why))
    delay = rules.revert_delays[min(run.reverts, len(rules.revert_delays) - 1)]
    waited = o.attention.reverted if o.attention else 0.0
    if waited < delay:
        why = f"{_by(o)} took the pin back; it is put back after {format_duration(delay)}"
        return Decision(
            run.phase, Reason.PIN_REVERTED, why, again_in=max(0.1, delay - waited), why=(why,)
        )
    message = f"{_by(o)} took the pin of run {run.id} back; it is put back"
    record = evolve(
        o, record, run.phase, run.reason, message=message, run=replace(run, reverts=run.reverts + 1)
    )
    record = with_step(record, o, run.phase, run.phase, reason=Reason.PIN_REVERTED, message=message)
    images = restoring_changes(o.deployment, run)
    return decided(o, record, images=images, run_id=run.id)


def _fault(o: Observation, record: Record, run: OpenRun, pods: RunPods) -> Decision | None:
    """A manifest that broke in mid-run: the run keeps its phase, cannot pass, and is not failed."""
    fault = next((f for f in (o.request, o.port) if isinstance(f, TargetFault)), None)
    reason = fault.reason if fault else ""
    if reason == run.fault:
        return Decision(run.phase, reason, record.message, why=(str(fault),)) if fault else None
    if fault:
        message = f"run {run.id} cannot pass until this is mended: {fault}"
    else:
        message = f"run {run.id} goes on: what kept it from passing is mended"
    record = evolve(
        o, record, run.phase, run.reason, message=message, run=replace(run, fault=reason)
    )
    step_reason = reason or f"{run.fault}Mended"
    record = with_step(record, o, run.phase, run.phase, reason=step_reason, message=message)
    return decided(o, record)


def _by(o: Observation) -> str:
    """Who wrote the image last. That is ourselves where the run id alone was taken off."""
    known = o.manager and o.manager != names.FIELD_MANAGER
    return f"'{shown(o.manager, 60)}'" if known else "somebody"


def _why(o: Observation, run: OpenRun, pods: RunPods) -> tuple[str, ...]:
    blocker = may_pass(o, run, pods)
    return (f"it cannot pass yet: {blocker}",) if blocker else ()
