"""Which container's log a kubelet serves, from the states of the container."""

from controller.simulator.apiserver.followed_log import Rest
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
    log = worker.kept_log(_container(worker, pod, previous=previous))
    if log is None:
        raise _refused(worker, pod, "is terminated")
    return log.text()


class FollowedLog:
    """What comes after the log that is served now; see `apiserver.followed_log.Rest`."""

    def __init__(self, worker: ContainerWorker, pod: str, *, previous: bool) -> None:
        self._worker = worker
        self._container = _container(worker, pod, previous=previous)
        self._log = worker.kept_log(self._container)
        self._read = self._log.written if self._log else 0

    def __call__(self) -> Rest:
        """The kubelet goes on as long as the container runs, and no longer: what its restart writes
        is another container's [K cri-client/pkg/logs/logs.go].
        """
        record = self._worker.record
        ended = "running" not in record.state or record.container_id != self._container
        new = self._log.written - self._read if self._log else 0
        self._read += new
        return Rest(self._log.text(new) if self._log else "", ended)


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
