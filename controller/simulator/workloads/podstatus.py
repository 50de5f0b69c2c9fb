"""Container and pod statuses, in the form of recordings 41 to 44."""

from dataclasses import dataclass, field

from controller.simulator.apiserver.resources import Object


@dataclass
class ContainerRecord:
    """What a kubelet knows of one container.

    state, last_state: as the API has them. serial: how many processes it has had.
    """

    name: str
    image: str
    image_id: str = ""
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "PodInitializing"}})
    last_state: Object = field(default_factory=dict)
    ready: bool = False
    started: bool = False
    restarts: int = 0
    serial: int = 0

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        """Of the process that ended last, while its state still is that end."""
        terminated = self.state.get("terminated")
        return None if terminated is None else int(terminated["exitCode"])

    def document(self, pod_uid: str) -> Object:
        document: Object = {
            "name": self.name,
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": self.image,
            "imageID": self.image_id,
            "started": self.started,
        }
        if self.serial:
            document["containerID"] = f"containerd://{pod_uid}-{self.name}-{self.serial}"
        return document


def waiting(reason: str, message: str = "") -> Object:
    inner = {"reason": reason, "message": message} if message else {"reason": reason}
    return {"waiting": inner}


def terminated(code: int, reason: str, message: str, started: str, finished: str) -> Object:
    inner: Object = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": started,
        "finishedAt": finished,
    }
    if message:
        inner["message"] = message
    return {"terminated": inner}


@dataclass
class PodRecord:
    """What a kubelet knows of one pod. phase, reason, message: only where they are not derived."""

    uid: str
    ip: str = ""
    host_ip: str = ""
    start_time: str = ""
    inits: list[ContainerRecord] = field(default_factory=list)
    containers: list[ContainerRecord] = field(default_factory=list)
    failure: tuple[str, str] | None = None
    conditions: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def initialized(self) -> bool:
        return all(c.exit_code == 0 for c in self.inits)

    def document(self, now: str) -> Object:
        """The whole status; a condition keeps its time until it changes."""
        initialized = self.initialized
        ready = initialized and self.failure is None and all(c.ready for c in self.containers)
        for kind, value in (
            ("Initialized", initialized),
            ("Ready", ready),
            ("ContainersReady", ready),
            ("PodScheduled", True),
        ):
            status = "True" if value else "False"
            if self.conditions.get(kind, ("", ""))[0] != status:
                self.conditions[kind] = (status, now)
        started = initialized and any(c.serial for c in self.containers)
        document: Object = {
            "phase": "Failed" if self.failure else "Running" if started else "Pending",
            "conditions": [self._condition(kind) for kind in self.conditions],
            "hostIP": self.host_ip,
            "podIP": self.ip,
            "podIPs": [{"ip": self.ip}],
            "startTime": self.start_time,
            "qosClass": "BestEffort",
        }
        if self.failure:
            document["reason"], document["message"] = self.failure
        if self.inits:
            document["initContainerStatuses"] = [c.document(self.uid) for c in self.inits]
        document["containerStatuses"] = [c.document(self.uid) for c in self.containers]
        return document

    def _condition(self, kind: str) -> Object:
        status, since = self.conditions[kind]
        condition = {
            "type": kind,
            "status": status,
            "lastProbeTime": None,
            "lastTransitionTime": since,
        }
        if status == "False":
            reasons = {"Initialized": "ContainersNotInitialized"}
            condition["reason"] = reasons.get(kind, "ContainersNotReady")
        return condition
