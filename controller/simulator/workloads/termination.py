"""How the containers of a pod that is to go are told so: the sidecars last."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import pairwise

from controller.base.clock import Clock
from controller.base.tasks import stop_all
from controller.simulator.workloads.containerworker import ContainerWorker
from controller.simulator.workloads.interruptible_pause import pause

# Seconds that a container has after its SIGTERM, however late it came.
_LEAST = 2.0


async def end_in_order(
    containers: Sequence[ContainerWorker],
    inits: Sequence[ContainerWorker],
    grace: float,
    clock: Clock,
) -> None:
    """SIGTERM to all at once, but to a sidecar only when no container runs any more, nor a sidecar
    that stands behind it among the init containers; when the grace is over, to all that are left.
    Ends when nothing runs, or nothing has time left. An init container that prepares holds up no
    sidecar [K pkg/kubelet/kuberuntime/kuberuntime_termination_order.go].

    grace: seconds, of the pod.
    """
    sidecars = [worker for worker in inits if worker.record.sidecar]
    waits_for: dict[str, list[ContainerWorker]] = {
        worker.record.name: [] for worker in (*containers, *inits)
    }
    for sidecar in sidecars:
        sidecar.retire()
        waits_for[sidecar.record.name] += containers
    for sidecar, behind in pairwise(sidecars):
        waits_for[sidecar.record.name].append(behind)
    ends = [
        asyncio.create_task(
            _end(worker, waits_for[worker.record.name], grace, clock), name="container ends"
        )
        for worker in (*containers, *inits)
    ]
    try:
        await asyncio.wait(ends)
    finally:
        await stop_all(ends)


async def _end(
    worker: ContainerWorker, before: Iterable[ContainerWorker], grace: float, clock: Clock
) -> None:
    begin = clock.monotonic()

    def left() -> float:
        return grace - (clock.monotonic() - begin)

    for other in before:
        if left() > 0:
            await pause(clock, left(), other.idle)
    late = left() < grace
    worker.stop()
    await pause(clock, max(left(), _LEAST) if late else grace, worker.idle)
    worker.kill()
