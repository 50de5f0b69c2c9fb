"""How far a Deployment's record is believed of others: what it says of builds that its Deployment
never ran takes nothing from anybody. Whoever may write a Deployment can write a record on it.
"""

from msgspec.structs import replace

from controller.domain import names
from controller.domain.manifest.field_owners import annotation_manager
from controller.domain.objects import Deployment
from controller.domain.record.pin import PinState, pin_state
from controller.domain.record.record import Record, record_of


def sibling_record(deployment: Deployment) -> Record | None:
    """What others believe of a Deployment's record; None where it has none that can be read.

    A run is begun by one patch that writes the record, its id into the pod template and the pin; so
    the template bears a true record out, and after a pin was taken back managedFields do: it was
    this controller that wrote the record last.
    """
    record = record_of(deployment)
    return believed(record, deployment) if isinstance(record, Record) else None


def believed(record: Record, deployment: Deployment) -> Record:
    """The same of the record that the Deployment has."""
    carried = deployment.spec.template.metadata.annotation(names.RUN_ID)
    run = record.run
    borne_out = bool(carried) and carried == (run.id if run else record.last_run)
    if borne_out and (run is None or _pinned(record, deployment)):
        return record
    writer = annotation_manager(deployment, names.RECORD)
    if writer is not None and writer.manager == names.FIELD_MANAGER:
        return record
    return replace(record, run=None, outcomes=(), tested={})


def _pinned(record: Record, deployment: Deployment) -> bool:
    """Whether the open run is this very object's, and its pin stands or was only taken back."""
    assert record.run is not None
    own = record.uid == deployment.metadata.uid
    return own and pin_state(deployment, record.run, record) is not PinState.CHANGED
