"""Which container's log a kubelet serves, from the states of the container."""

from controller.simulator.apiserver.statuses import StatusError, bad_request
from controller.simulator.workloads.containerworker import ContainerWorker

_NOT_PULLED = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def served_log(worker: ContainerWorker, pod: str, *, previous: bool) -> str:
    """The whole text: of the container that runs, else of the one that ended last. previous: of the
    one in `lastState`, which while it waits for a restart is that same one. StatusError 400 where
    there is none [K pkg/kubelet/kubelet_pods.go, validateContainerLogStatus].
    """
    text = worker.log_of(_container(worker, pod, previous=previous))
    if text is None:
        raise _refused(worker, pod, "is terminated")
    return text


def _container(worker: ContainerWorker, pod: str, *, previous: bool) -> str:
    record = worker.record
    last = str(record.last_state.get("terminated", {}).get("containerID", ""))
    if previous:
        if not last:
            whom = f'container "{record.name}" in pod "{pod}"'
            raise bad_request(f"previous terminated {whom} not found")
        return last
    if "waiting" not in record.state:
        return record.container_id
    if last:
        return last
    reason = record.state["waiting"]["reason"]
    raise _refused(worker, pod, f"is waiting to start: {_NOT_PULLED.get(reason, reason)}")


def _refused(worker: ContainerWorker, pod: str, why: str) -> StatusError:
    return bad_request(f'container "{worker.record.name}" in pod "{pod}" {why}')
