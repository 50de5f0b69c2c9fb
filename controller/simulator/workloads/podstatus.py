"""Container and pod statuses, as a kubelet of 1.36 writes them [scene pass]."""

from dataclasses import dataclass, field

from controller.simulator.apiserver.resources import Object

# Of a log that takes the place of a termination message, the kubelet's limits: lines, and of these
# the last so many bytes.
LAST_LINES = 80
LAST_BYTES = 2048

_UNREADY = ("Ready", "ContainersReady")
_GENERATION = 1  # of a pod that nobody changes in its place


@dataclass
class ContainerRecord:
    """What a kubelet knows of one container."""

    name: str
    image: str  # as the pod names it
    pod_uid: str = ""
    image_id: str = ""  # with the digest that was pulled; empty before
    # What the runtime calls the image; empty before it was pulled
    runs: str = ""
    state: Object = field(default_factory=lambda: waiting("PodInitializing"))  # as the API has it
    last_state: Object = field(default_factory=dict)  # likewise; empty before the first end
    ready: bool = False
    started: bool = False
    restarts: int = 0  # of this pod
    serial: int = 0  # how many processes it has had
    # Whether the end of the log says why it failed, where it left no message itself
    # (`terminationMessagePolicy: FallbackToLogsOnError`).
    uses_log: bool = False
    # Whether it is not ready before something says so: a probe, or its end (an init container).
    probed: bool = True
    # Whether it is a sidecar: an init container that runs for as long as the pod lives.
    sidecar: bool = False

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        """Of the process that ended last, while its state still is that end."""
        terminated = self.state.get("terminated")
        return None if terminated is None else int(terminated["exitCode"])

    @property
    def prepared(self) -> bool:
        """An init container that holds up no other one: a sidecar runs, another has ended well."""
        return self.started if self.sidecar else self.exit_code == 0

    @property
    def container_id(self) -> str:
        """Of the newest container; empty where there was none yet."""
        return f"containerd://{self.pod_uid}-{self.name}-{self.serial}" if self.serial else ""

    def enter(self, state: Object) -> None:
        """A new state; an end that it had becomes the last state."""
        if "terminated" in self.state:
            self.last_state = self.state
        self.state = state

    def document(self) -> Object:
        document: Object = {
            "name": self.name,
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": self.runs or self.image,
            "imageID": self.image_id,
            "started": self.started,
        }
        if self.serial:
            document["containerID"] = self.container_id
        return document


def go_duration(seconds: float) -> str:
    """As Go writes a time of whole seconds: `1m20s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{seconds:g}s"


def waiting(reason: str, message: str = "") -> Object:
    inner = {"reason": reason, "message": message} if message else {"reason": reason}
    return {"waiting": inner}


def terminated(
    record: ContainerRecord, code: int, reason: str, message: str, times: tuple[str, str]
) -> Object:
    """How the record's newest container ended. reason: where it is not told by the code. times:
    start and end. There is never a `signal`: containerd tells none, a signal is 128 + its number.
    """
    inner: Object = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": times[0],
        "finishedAt": times[1],
        "containerID": record.container_id,
    }
    if message:
        inner["message"] = message
    return {"terminated": inner}


def last_words(log: str) -> str:
    """The end of a log as a termination message: LAST_LINES, and LAST_BYTES of these at most."""
    lines = log.splitlines(keepends=True)[-LAST_LINES:]
    return "".join(lines).encode()[-LAST_BYTES:].decode(errors="replace")


@dataclass
class PodRecord:
    """What a kubelet knows of one pod."""

    host_ip: str
    start_time: str
    qos: str = "BestEffort"
    ip: str = ""  # empty until its sandbox is there
    inits: list[ContainerRecord] = field(default_factory=list)
    containers: list[ContainerRecord] = field(default_factory=list)
    # Reason and message of an eviction, told when no container runs any more; None: not evicted.
    failure: tuple[str, str] | None = None
    # Whether the machine lacked something, so that the pod was a target of disruption. One that is
    # over a limit of its own is not [scene tmpfull].
    disrupted: bool = False
    deleted: bool = False  # it was told to end, and all of it has
    # By type, in the order in which they are told: status, and since when.
    conditions: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def initialized(self) -> bool:
        return all(c.prepared for c in self.inits)

    @property
    def lasting(self) -> list[ContainerRecord]:
        """Those that the pod is ready with: sidecars and containers."""
        return [*(c for c in self.inits if c.sidecar), *self.containers]

    @property
    def failed(self) -> bool:
        runs = any(c.running for c in (*self.inits, *self.containers))
        return self.failure is not None and not runs

    @property
    def phase(self) -> str:
        if self.failed:
            return "Failed"
        if self.deleted:
            well = all(c.exit_code == 0 for c in self.containers)
            return "Succeeded" if well else "Failed"
        # A sidecar that is down makes no pod Pending again; an init container that runs anew does.
        prepared = all(c.prepared for c in self.inits if not c.sidecar)
        started = prepared and any(c.serial for c in self.containers)
        return "Running" if started else "Pending"

    def document(self, now: str) -> Object:
        """The whole status; a condition keeps its time until it changes."""
        over = self.failed or self.deleted
        # Once the containers were begun it stays so, also while init containers run anew.
        initialized = self.initialized or any(c.serial for c in self.containers)
        ready = self.initialized and self.failure is None and all(c.ready for c in self.lasting)
        for kind, value in (
            ("PodReadyToStartContainers", bool(self.ip) and not over),
            ("Initialized", initialized),
            ("Ready", ready),
            ("ContainersReady", ready),
            ("PodScheduled", True),
        ):
            status = "True" if value else "False"
            if self.conditions.get(kind, ("", ""))[0] != status:
                self.conditions[kind] = (status, now)
        document: Object = {
            "phase": self.phase,
            "hostIP": self.host_ip,
            "hostIPs": [{"ip": self.host_ip}],
            "observedGeneration": _GENERATION,
            "startTime": self.start_time,
            "qosClass": self.qos,
        }
        if self.ip:
            document |= {"podIP": self.ip, "podIPs": [{"ip": self.ip}]}
        if self.failure and self.failed:
            document["reason"], document["message"] = self.failure
            if self.disrupted:
                self.conditions.setdefault("DisruptionTarget", ("True", now))
        document["conditions"] = [self._condition(kind) for kind in self.conditions]
        if self.inits:
            document["initContainerStatuses"] = [c.document() for c in self.inits]
        document["containerStatuses"] = [c.document() for c in self.containers]
        return document

    def _condition(self, kind: str) -> Object:
        status, since = self.conditions[kind]
        condition = {
            "type": kind,
            "status": status,
            "lastProbeTime": None,
            "lastTransitionTime": since,
            "observedGeneration": _GENERATION,
        }
        if kind == "DisruptionTarget" and self.failure:
            condition |= {"reason": "TerminationByKubelet", "message": self.failure[1]}
        elif status == "False" and kind in _UNREADY and self.failed:
            condition["reason"] = "PodFailed"
        elif status == "False" and kind in _UNREADY:
            names = " ".join(c.name for c in self.lasting if not c.ready)
            condition["reason"] = "ContainersNotReady"
            condition["message"] = f"containers with unready status: [{names}]"
        elif status == "False" and kind == "Initialized":
            names = " ".join(c.name for c in self.inits if not c.prepared)
            condition["reason"] = "ContainersNotInitialized"
            condition["message"] = f"containers with incomplete status: [{names}]"
        return condition
