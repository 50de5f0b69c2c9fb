"""What the scenarios play on: a namespace of a cluster, a registry, nodes, and controllers in this
process. The test itself is the kubelet: it writes the pods' status.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

import orjson
from loguru import logger

from controller.base.clock import Clock
from controller.domain import names
from controller.domain.record.record import OpenRun, Outcome, Record, decode_record
from controller.kube.api.client import KubeClient
from controller.kube.login.pod_or_kubeconfig import load_credentials
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import SimulatedNode
from controller.simulator.registry import SimulatedBuild, SimulatedRegistry
from tests.cluster.api import STRATEGIC, Api, Object, View
from tests.cluster.engines import Controller, Engine, MonitorInItsPod
from tests.cluster.nodes import Nodes

T = TypeVar("T")

REPOSITORY, TAG = "avaplatform/avalanchego", "latest"
# Seconds: the hard limit of one wait. On the simulator the clock jumps, so it is no pace; a real
# cluster makes its pods in its own time.
LIMIT = 120.0
PLURALS = ("deployments", "pods", "events", "leases")
# No node has this label, so that on a real cluster no kubelet takes the pods.
NOWHERE = {"bootstrap-test.example.com/nowhere": "true"}
SIDECAR = {"name": "log-shipper", "image": "busybox:1.36", "args": ["tail", "-f", "/dev/null"]}
DURATIONS = {
    "poll_interval": "100ms",
    "probe_interval": "100ms",
    "resync_interval": "1s",
    "settle": "0s",
}
ROUND = 12  # polls of the registry in which everything that is to happen has happened: a second


class Stage:
    """Everything that a scenario needs. Names are of Deployments in the stage's namespace."""

    def __init__(
        self, kubeconfig: Path, namespace: str, clock: Clock, *, monitored: bool = False
    ) -> None:
        """monitored: a Deployment's own pod has the engine that looks after it."""
        self.clock = clock
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        self.monitored = monitored
        self.registry = SimulatedRegistry(self.clock)
        self.said: list[str] = []
        self.flags: dict[str, object] = {}
        self.api: Api
        self.view: View
        self.nodes: Nodes
        self._stack = AsyncExitStack()
        self._engines: list[Engine] = []
        self._restarts: dict[str, int] = {}

    async def __aenter__(self) -> "Stage":
        async with AsyncExitStack() as stack:
            credentials = await load_credentials(str(self.kubeconfig), None, {}, self.clock)
            client = await stack.enter_async_context(KubeClient(credentials, self.clock))
            self.api = Api(client, self.namespace)
            kind = {"apiVersion": "v1", "kind": "Namespace"}
            await self.api.create("namespaces", {**kind, "metadata": {"name": self.namespace}})
            stack.push_async_callback(self.api.delete, "namespaces", self.namespace)
            self.view = await stack.enter_async_context(View(self.api, PLURALS))
            await stack.enter_async_context(self.registry)
            stack.callback(self.registry.subscribe(self.view.touch))
            self.nodes = await stack.enter_async_context(Nodes(self.clock, self.view.touch))
            stack.callback(logger.remove, logger.add(self._hear, level="DEBUG"))
            stack.push_async_callback(self._stop_engines)
            self._stack = stack.pop_all()
        self.flags = {
            "kubeconfig": str(self.kubeconfig),
            "namespace": [self.namespace],
            "registry": [f"docker.io={self.registry.url}"],
            "node_url": self.nodes.template,
            "listen": "127.0.0.1:0",
            **DURATIONS,
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def until(self, condition: Callable[[], T], within: float = LIMIT) -> T:
        """Waits for something true about the cluster, the registry, the nodes or the log."""
        return await self.view.until(condition, within, self._what_is)

    async def a_while(self) -> None:
        """Until a controller that was going to do something has had every occasion for it."""
        heads = self.registry.counts.heads
        await self.until(lambda: self.registry.counts.heads >= heads + ROUND)

    # Engines

    def controller(self, name: str = "controller-0", **flags: object) -> Engine:
        """A controller, or what stands for it in the pods, started; the stage stops it at its
        end.
        """
        given = self.flags | flags
        engine: Engine = (
            MonitorInItsPod(self.clock, self.namespace, self.view, given)
            if self.monitored
            else Controller(self.clock, name, given)
        )
        engine.start()
        self._engines.append(engine)
        return engine

    async def _stop_engines(self) -> None:
        for engine in self._engines:
            await engine.stop()

    def _hear(self, message: Any) -> None:
        record = message.record
        self.said.append(f"{record['message']} {record['extra']}")
        self.view.touch()

    # What people do

    def push(self, build: SimulatedBuild, tag: str = TAG) -> str:
        return self.registry.push(REPOSITORY, tag, build)

    async def deploy(
        self, name: str, change: Callable[[Object], object] = lambda _: None, **manifest: Any
    ) -> None:
        """Service and Deployment; arguments are of `TargetManifest`. change: of the Deployment,
        before it is made. A Service that is there already stays.
        """
        manifest.setdefault("annotations", {names.SOAK: "500ms"})
        target = TargetManifest(name, self.namespace, monitor=self.monitored, **manifest)
        deployment = target.deployment()
        pod = deployment["spec"]["template"]["spec"]
        pod["nodeSelector"] = dict(NOWHERE)
        others = [volume for volume in pod["volumes"] if volume["name"] != "data"]
        pod["volumes"] = [{"name": "data", "emptyDir": {}}, *others]
        pod.pop("serviceAccountName", None)  # the engines here have the test's own rights
        pod["containers"].append(dict(SIDECAR))
        change(deployment)
        found = await self.api.list("services")
        if name not in {item["metadata"]["name"] for item in found["items"] or []}:
            await self.api.create("services", target.service())
        await self.api.create("deployments", deployment)

    async def annotate(self, name: str, **values: str | None) -> None:
        """Annotations below our prefix, `_` for `-`; None takes one off."""
        found = {names.PREFIX + key.replace("_", "-"): value for key, value in values.items()}
        await self.api.patch("deployments", name, {"metadata": {"annotations": found}})

    async def write_pod(
        self, name: str, *, manager: str = "kubectl", run_id: str | None = None, **images: str
    ) -> None:
        """Writes images by container name (`_` for `-`), and a run id if one is given."""
        wanted = {key.replace("_", "-"): image for key, image in images.items()}
        template: Object = {"spec": {}}
        pod = self.deployment(name)["spec"]["template"]["spec"]
        for field in ("initContainers", "containers"):
            template["spec"][field] = [
                {"name": c["name"], "image": wanted[c["name"]]}
                for c in pod[field]
                if c["name"] in wanted
            ]
        if run_id is not None:
            template["metadata"] = {"annotations": {names.RUN_ID: run_id}}
        body = {"spec": {"template": template}}
        await self.api.patch("deployments", name, body, kind=STRATEGIC, manager=manager)

    # What the kubelet does

    async def pod(self, name: str, *, after: str = "") -> str:
        """The name of the one pod that carries the open run's id and image, once it is there.

        after: the name of a pod that it must not be.
        """

        def found() -> str:
            run = self.run(name)
            if run is None:
                return ""
            pods = [
                pod["metadata"]["name"]
                for pod in self.pods(name)
                if "deletionTimestamp" not in pod["metadata"]
                and (pod["metadata"].get("annotations") or {}).get(names.RUN_ID) == run.id
                and pod["spec"]["containers"][0]["image"] == run.image
            ]
            mine = pods[0] if len(pods) == 1 and pods[0] != after else ""
            # what befalls the pod is to be seen by its own monitor, not found by it
            return mine if not self.monitored or self.holder(name) == mine else ""

        return await self.until(found)

    async def starts(
        self, pod: str, *, data: str = "fresh", run: str = "", restarts: int = 0
    ) -> SimulatedNode:
        """The init container has done its work and the node runs: a new process, which answers.

        run: of whose data the init container speaks; the pod's own, if not given.
        """
        node = await self.nodes.start(pod)
        await self.says_it_runs(pod, data=data, run=run, restarts=restarts)
        return node

    async def says_it_runs(
        self, pod: str, *, data: str = "fresh", run: str = "", restarts: int = 0
    ) -> None:
        """The pod's status alone; who answers, and whether anybody does, stays as it is."""
        now = self._now()
        own = self._pod(pod)["metadata"].get("annotations", {}).get(names.RUN_ID, "")
        word = {"run": run or own, "data": data, "resumes": int(data == "resumed"), "binary": "b"}
        message = orjson.dumps(word).decode()
        prepared = {"exitCode": 0, "reason": "Completed", "message": message}
        made = self._pod(pod)["metadata"]["creationTimestamp"]  # before its node
        prepared |= {"startedAt": made, "finishedAt": made}
        last = {"terminated": self._ended(1)} if restarts else {}
        await self._write_status(
            pod,
            phase="Running",
            podIP="10.1.2.3",
            podIPs=[{"ip": "10.1.2.3"}],
            conditions=[
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": now},
                {"type": "Initialized", "status": "True", "lastTransitionTime": now},
            ],
            initContainerStatuses=[
                self._container(pod, "prepare-data", {"terminated": prepared}, ready=True)
            ],
            containerStatuses=[
                self._container(pod, "node", {"running": {"startedAt": now}}, restarts, last)
            ],
        )

    async def crashes(self, pod: str, *, restarts: int, code: int = 1) -> None:
        """The node has ended so many times and waits to be started again."""
        await self.nodes.stop(pod)
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
        last = {"terminated": self._ended(code)}
        status = self._container(pod, "node", {"waiting": waiting}, restarts, last)
        await self._write_status(pod, containerStatuses=[status])

    async def cannot_pull(self, pod: str) -> None:
        waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image: no such host"}
        status = self._container(pod, "prepare-data", {"waiting": waiting})
        await self._write_status(pod, initContainerStatuses=[status])

    async def pins(self, name: str, build: SimulatedBuild | None = None) -> OpenRun:
        """The open run, once there is one; of that build, if one is given."""

        def found() -> OpenRun | None:
            run = self.run(name)
            return run if build is None or _is_of(run, build) else None

        return await self.until(found)

    async def bootstraps(self, name: str) -> tuple[str, SimulatedNode]:
        """Waits for the run's pod and lets its node run: pod and node, once it is Bootstrapping."""
        pod = await self.pod(name)
        node = await self.starts(pod)
        await self.until(lambda: self.phase(name) == "Bootstrapping")
        if self.monitored:
            await self.a_while()  # restarts that its first look would find would count as one
        return pod, node

    async def passes(self, name: str, build: SimulatedBuild) -> None:
        """The whole of a good run."""
        await self.pins(name, build)
        _, node = await self.bootstraps(name)
        node.finish()
        await self.ends(name, build, "Passed")

    async def ends(self, name: str, build: SimulatedBuild, phase: str) -> Outcome:
        """The build's last outcome, once it is this one."""

        def found() -> Outcome | None:
            outcome = self.outcome(name)
            over = outcome and (outcome.build, outcome.phase) == (build.digest(), phase)
            return outcome if over else None

        return await self.until(found)

    async def _write_status(self, pod: str, **status: Any) -> None:
        body = {"status": status}
        await self.api.patch(
            "pods", pod, body, kind=STRATEGIC, manager="kubelet", subresource="status"
        )

    def _container(
        self,
        pod: str,
        name: str,
        state: Object,
        restarts: int = 0,
        last: Object | None = None,
        *,
        ready: bool = False,
    ) -> Object:
        spec = self._pod(pod)["spec"]
        images = {c["name"]: c["image"] for c in [*spec["initContainers"], *spec["containers"]]}
        image = images[name]
        return {
            "name": name,
            "image": image,
            "imageID": f"docker.io/{image.partition(':')[0]}@{image.rpartition('@')[2]}",
            "ready": ready,
            "started": "running" in state,
            "restartCount": restarts,
            "state": state,
            "lastState": last or {},
        }

    def _now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _ended(self, code: int) -> Object:
        now = self._now()
        return {"exitCode": code, "reason": "Error", "startedAt": now, "finishedAt": now}

    def _pod(self, name: str) -> Object:
        pod = self.view.get("pods", name)
        assert pod is not None, f"there is no pod {name}"
        return pod

    # What is

    def deployment(self, name: str) -> Object:
        """A copy."""
        found = self.view.get("deployments", name)
        assert found is not None, f"there is no Deployment {name}"
        return deepcopy(found)

    def pods(self, name: str) -> list[Object]:
        return [p for p in self.view.all("pods") if p["metadata"]["labels"].get("app") == name]

    def annotation(self, name: str, annotation: str) -> str:
        found = self.view.get("deployments", name) or {"metadata": {}}
        return str((found["metadata"].get("annotations") or {}).get(annotation, ""))

    def phase(self, name: str) -> str:
        found = self.view.get("deployments", name) or {"metadata": {}}
        return str((found["metadata"].get("labels") or {}).get(names.PHASE, ""))

    def message(self, name: str) -> str:
        return self.annotation(name, names.MESSAGE)

    def record(self, name: str) -> Record | None:
        text = self.annotation(name, names.RECORD)
        return decode_record(text, self.namespace, name) if text else None

    def run(self, name: str) -> OpenRun | None:
        record = self.record(name)
        return record.run if record else None

    def outcome(self, name: str) -> Outcome | None:
        record = self.record(name)
        return record.outcome() if record else None

    def outcomes(self, name: str) -> list[tuple[str, str]]:
        """(phase, reason) of every run that is over, oldest first."""
        record = self.record(name)
        return [(str(o.phase), o.reason) for o in record.outcomes] if record else []

    def images(self, name: str) -> dict[str, str]:
        pod = self.deployment(name)["spec"]["template"]["spec"]
        return {c["name"]: c["image"] for c in [*pod["initContainers"], *pod["containers"]]}

    def generation(self, name: str) -> int:
        return int(self.deployment(name)["metadata"]["generation"])

    def events(self, name: str) -> list[Object]:
        """The controller's Kubernetes Events about a Deployment."""
        return [
            event
            for event in self.view.all("events")
            if event.get("reportingController") == names.COMPONENT
            and event["regarding"]["name"] == name
        ]

    def reasons(self, name: str) -> set[str]:
        return {event["reason"] for event in self.events(name)}

    def notes(self, name: str) -> str:
        return "\n".join(event["note"] for event in self.events(name))

    def holder(self, lease_name: str = names.FIELD_MANAGER) -> str:
        """Who holds a Lease; empty for nobody."""
        lease = self.view.get("leases", lease_name)
        return str(lease["spec"].get("holderIdentity") or "") if lease else ""

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.said)

    def _what_is(self) -> str:
        deployments = [d["metadata"]["name"] for d in self.view.all("deployments")]
        lines = [f"{name}: {self.phase(name)}: {self.message(name)}" for name in deployments]
        pods = [pod["metadata"]["name"] for pod in self.view.all("pods")]
        return "; ".join([*lines, f"pods {pods}", *self.said[-8:]])


def _is_of(run: OpenRun | None, build: SimulatedBuild | None) -> bool:
    return run is not None and build is not None and run.build == build.digest()
