"""What a controller in another process reacts to: the simulator's API server without its workloads,
and a registry and nodes that do as they are told. Every moment that counts is noted here.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson

from controller.base.clock import SystemClock
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from controller.domain.objects import Deployment
from controller.domain.record.record import SCHEMA, Record, encode_record
from controller.kube.watch.decoding import ObjectDecoder
from controller.simulator.apiserver.admission import Review
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.server import Seen, ServerSettings, SimulatedApiServer
from controller.simulator.apiserver.storage import Change
from controller.simulator.apiserver.watch import WatchSettings
from controller.simulator.manifests import TargetManifest
from tests.bench.moments import Ear, Moments
from tests.bench.told_servers import REPOSITORY, ToldServers

NAMESPACE = "bootstrap"
OURS = Write(names.FIELD_MANAGER)


class ReactingWorld:
    """Deployments are named by their name. `open_run`: names of those that have a run; others are
    at rest, and their build is tested.
    """

    def __init__(self) -> None:
        settings = ServerSettings(watch=WatchSettings(buffer=1_000_000), history=100_000)
        self.api = SimulatedApiServer(SystemClock(), Random(1), settings)
        self.api.requests = Ear(self._requested)
        self.api.storage.subscribe(self._committed)
        self.api.objects.policy = self._reviewed
        self.moments: dict[str, Moments] = {}
        self.phases: dict[str, str] = {}
        self.pinned: dict[str, str] = {}  # name to run id
        self.played: set[str] = set()  # those whose pods come
        self.changed = asyncio.Event()
        self.told = ToldServers(self.moments)

    async def __aenter__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        await self.told.start()
        await self.api.start()

    async def __aexit__(self, *_: object) -> None:
        await self.api.stop()
        await self.told.stop()
        self._folder.cleanup()

    def flags(self, store: str, poll: str) -> dict[str, str]:
        """Of a controller that looks at this world. store: its URL."""
        config = Path(self._folder.name) / "kubeconfig"
        return {
            "kubeconfig": str(self.api.kubeconfig(config, namespace=NAMESPACE)),
            "registry": f"docker.io={self.told.url}",
            "node-url": f"{self.told.url}/nodes/{{service}}",
            "store": store,
            "settle": "0s",
            "poll-interval": poll,
            "listen": "127.0.0.1:0",
        }

    # Targets

    def target(self, name: str, tag: str, *, tested: bool) -> None:
        """tested: it has tested what its tag points to now."""
        written = {names.SERIES: name, names.SOAK: "1h"}
        manifest = TargetManifest(name, image=f"{REPOSITORY}:{tag}", annotations=written)
        objects = self.api.objects
        objects.create("services", manifest.service())
        made = objects.create("deployments", manifest.deployment())
        self.told.followers[tag] = name
        if not tested:
            self.played.add(name)
            return
        request = read_request(_typed(made), Rules())
        record = Record(
            schema=SCHEMA,
            namespace=NAMESPACE,
            name=name,
            uid=made["metadata"]["uid"],
            seq=1,
            tested={str(request.target): (self.told.build(tag),)},
        )
        text = encode_record(record, Rules())
        objects.update("deployments", NAMESPACE, name, lambda d: _annotated(d, text), OURS)

    async def becomes_ready(self, name: str) -> Moments:
        """Its pod and its node, at once."""
        found = self.moments[name] = Moments()
        self.told.ready.add(name)
        pod = f"{name}-abc-xyz"
        condition = {"type": "Ready", "status": "True"}
        self.api.objects.update(
            "pods",
            NAMESPACE,
            pod,
            lambda p: p["status"].update(conditions=[condition]),
            Write("kubelet", "status"),
        )
        await asyncio.sleep(0)  # the watch, which was woken before, writes its line
        found.told = time.perf_counter()
        return found

    # Stamps

    def _requested(self, seen: Seen) -> None:
        if seen.method != "PATCH" or "/deployments/" not in seen.path:
            return
        name = seen.path.partition("?")[0].rpartition("/")[2]
        found = self.moments.get(name)
        if found is None or found.accepted:
            return
        if "dryRun" in seen.path:
            found.tried = time.perf_counter()
        else:
            found.asked = time.perf_counter()

    def _reviewed(self, review: Review) -> None:
        found = self.moments.get(review.name)
        if review.dry_run and found is not None and found.tried:
            found.elsewhere += time.perf_counter() - found.tried
            found.tried = 0.0

    def _committed(self, change: Change) -> None:
        if change.plural != "deployments":
            return
        metadata = change.object["metadata"]
        name = metadata["name"]
        phase = (metadata.get("labels") or {}).get(names.PHASE, "")
        template = change.object["spec"]["template"]["metadata"]
        run = (template.get("annotations") or {}).get(names.RUN_ID, "")
        turned = phase != self.phases.get(name, "") or run != self.pinned.get(name, "")
        found = self.moments.get(name)
        if turned and found is not None and not found.accepted and found.asked:
            found.accepted = time.perf_counter()
        self.phases[name] = phase
        if run != self.pinned.get(name, ""):
            self.pinned[name] = run
            if name in self.played:
                asyncio.get_running_loop().call_soon(self._comes, name, run, change.object)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(600):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    # The kubelet's part

    def _comes(self, name: str, run: str, deployment: Object) -> None:
        template = deployment["spec"]["template"]
        labels = {**template["metadata"]["labels"], "pod-template-hash": "abc"}
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-abc"}
        metadata = {
            "name": f"{name}-abc-xyz",
            "namespace": NAMESPACE,
            "labels": labels,
            "annotations": {names.RUN_ID: run},
            "ownerReferences": [owner | {"uid": "rs-" + name, "controller": True}],
        }
        objects = self.api.objects
        objects.create("pods", {"metadata": metadata, "spec": template["spec"]})
        at = objects.timestamp()
        word = orjson.dumps({"run": run, "data": "fresh", "resumes": 0}).decode()
        ended = {"exitCode": 0, "message": word, "startedAt": at, "finishedAt": at}
        status = {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "initContainerStatuses": [
                _status("prepare-data", template, {"terminated": {"reason": "Completed"} | ended})
            ],
            "containerStatuses": [
                _status(names.DEFAULT_CONTAINER, template, {"running": {"startedAt": at}})
            ],
        }
        objects.update(
            "pods",
            NAMESPACE,
            metadata["name"],
            lambda p: p["status"].update(status),
            Write("kubelet", "status"),
        )


def _status(name: str, template: Object, state: Object) -> Object:
    spec = template["spec"]
    image = next(
        c["image"] for c in (*spec["initContainers"], *spec["containers"]) if c["name"] == name
    )
    known = {"image": image, "imageID": "docker.io/" + image, "restartCount": 0, "ready": False}
    return {"name": name, "state": state, "lastState": {}, "started": True, **known}


def _annotated(deployment: Object, record: str) -> None:
    deployment["metadata"].setdefault("annotations", {})[names.RECORD] = record


def _typed(deployment: Object) -> Deployment:
    found = ObjectDecoder(Deployment).object(orjson.dumps(deployment))
    assert isinstance(found, Deployment)
    return found
