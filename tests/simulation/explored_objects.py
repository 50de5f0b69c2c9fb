"""From states of the explored world to the machine's values, each made once."""

from functools import cache

from controller.domain import names
from controller.domain.objects import Deployment, Pod
from controller.domain.record.record import Record, decode_record
from controller.domain.record.write import Write
from tests.fakes import EPOCH
from tests.machine_objects import (
    apply_write,
    deployment,
    pod,
    word,
)
from tests.node_lines import BAD_BLOCK
from tests.simulation.explored_state import NAMES, Dep, PodState, Violation

WRITES: list[Write] = []  # by number
_NUMBERS: dict[Write, int] = {}


def number_of(write: Write) -> int:
    number = _NUMBERS.setdefault(write, len(WRITES))
    if number == len(WRITES):
        WRITES.append(write)
    return number


@cache
def as_deployment(index: int, dep: Dep) -> Deployment:
    annotations = {names.MESSAGE: dep.message} if dep.message is not None else {}
    return deployment(
        NAMES[index],
        uid=f"uid-{index}-{dep.uid}",
        image=dep.image,
        run_id=dep.run,
        record=dep.record,
        annotations=annotations,
        labels={names.PHASE: dep.phase} if dep.phase is not None else None,
    )


@cache
def landed(index: int, dep: Dep, number: int) -> Dep | None:
    """The Deployment after a patch; None where it is refused."""
    after = apply_write(as_deployment(index, dep), WRITES[number])
    if after is None:
        return None
    template = after.spec.template
    image, init = (
        (containers or [])[0].image
        for containers in (template.spec.containers, template.spec.init_containers)
    )
    if image != init:
        raise Violation(f"I2: node and init container have two images: {image}, {init}")
    return Dep(
        dep.uid,
        image,
        template.metadata.annotation(names.RUN_ID),
        after.metadata.annotation(names.RECORD),
        after.metadata.label(names.PHASE),
        after.metadata.annotation(names.MESSAGE),
    )


@cache
def as_record(index: int, text: str | None) -> Record | None:
    return None if text is None else decode_record(text, "bootstrap", NAMES[index])


@cache
def as_pod(found: PodState) -> Pod:
    said = word(found.run or "", found.data, binary=found.real) if found.data else None
    return pod(
        found.run,
        found.image,
        uid=f"{found.uid}-{found.image}-{found.run}",
        said=said,
        started=EPOCH if found.up else None,
        restarts=found.ends,
        last_message=BAD_BLOCK,
    )


def letter(digest: str) -> str:
    return digest.rpartition(":")[2][0]


def told_by(record: Record) -> int:
    """`seq` of the last step that was told when this record was published."""
    return max((step.seq for step in record.steps), default=record.told)
