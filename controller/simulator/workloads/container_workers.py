"""The workers of a pod's containers, as its manifest describes them."""

from collections.abc import Callable
from functools import partial

from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.containerworker import ContainerWorker, Start
from controller.simulator.workloads.machine import Machine
from controller.simulator.workloads.podstatus import ContainerRecord, waiting


def worker_of(
    container: Object,
    pod: Object,
    machine: Machine,
    *,
    start: Start,
    tell: Callable[[], None],
    init: bool,
) -> ContainerWorker:
    """Of one container, which has not begun."""
    metadata = pod["metadata"]
    sidecar = init and container.get("restartPolicy") == "Always"
    record = ContainerRecord(
        container["name"],
        container["image"],
        metadata["uid"],
        state=waiting(
            "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
        ),
        uses_log=container["terminationMessagePolicy"] == "FallbackToLogsOnError",
        probed=(init and not sidecar) or "readinessProbe" in container,
        sidecar=sidecar,
    )
    worker = ContainerWorker(record, start, machine.images, machine.clock, machine.speed)
    field = "initContainers" if init else "containers"
    path = f"spec.{field}{{{container['name']}}}"
    worker.say = partial(machine.kubelet.say, pod, field_path=path)
    worker.tell = tell
    worker.pod_name = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    return worker
