"""The simulated API server answers what a real one answered.

Each test replays the recorded writes up to one exchange (with what controllers and people did in
between), sends that exchange's request, and compares. Left out of the comparison: times, uids,
addresses, the numbers of resource versions, and Server and transfer headers.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from controller.simulator.apiserver.auth import rights_table
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from tests.fakes import FakeClock

FOLDER = Path(__file__).parent.parent / "recordings"
FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
FUJI = "fuji-state-sync"
POD = "fuji-state-sync-f4644c885-rt5mm"
TEST = {"bootstrap.avax.network/test": "true"}
CONTROLLERS = Write("kube-controller-manager")
KUBELET = Write("kubelet", "status")
WEAK = "system:serviceaccount:bootstrap:weak"

Object = dict[str, Any]


def recorded(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def number(name: str) -> int:
    return int(name[:2])


def scrubbed(value: Any) -> Any:
    """The value without what differs between any two servers."""
    if isinstance(value, dict):
        return {
            key: scrubbed(part)
            for key, part in value.items()
            if key not in {"uid", "resourceVersion", "creationTimestamp", "time", "clusterIP"}
            and key not in {"clusterIPs", "deletionTimestamp"}
        }
    return [scrubbed(part) for part in value] if isinstance(value, list) else value


def comparable(body: Any, wanted: Any) -> Any:
    """An answer cut to what the recording kept."""
    body = scrubbed(body)
    if isinstance(body, dict) and isinstance(wanted, dict):
        for key in ("items",):
            if key in wanted:
                pairs = zip(body[key], wanted[key], strict=True)
                body[key] = [
                    {k: v for k, v in ours.items() if k in theirs} for ours, theirs in pairs
                ]
                for item in body[key]:
                    item["metadata"].pop("managedFields", None)
        metadata, kept = body.get("metadata"), wanted.get("metadata")
        if metadata and kept is not None and "managedFields" not in kept:
            metadata.pop("managedFields", None)
    return body


class Cluster:
    """A simulated server, and the people and controllers that the recordings had around theirs."""

    def __init__(self, server: SimulatedApiServer, clock: FakeClock, node: str) -> None:
        self.server, self.clock, self.node = server, clock, node
        self.session = aiohttp.ClientSession(
            headers={"User-Agent": "recorder/1"}, cookie_jar=aiohttp.DummyCookieJar()
        )
        self.seen: dict[str, str] = {}

    def metadata(self, name: str) -> Object:
        return self.server.objects.get("deployments", "bootstrap", name)["metadata"]

    def catch_up(self, body: Object) -> None:
        """What the Deployment controller had written by the time of a recorded answer."""

        def change(obj: Object) -> None:
            obj["status"] = body.get("status", {})
            revision = "deployment.kubernetes.io/revision"
            theirs = (body["metadata"].get("annotations") or {}).get(revision)
            if theirs:
                obj["metadata"].setdefault("annotations", {})[revision] = theirs

        write = Write("kube-controller-manager", "status")
        self.server.objects.update(
            "deployments", "bootstrap", body["metadata"]["name"], change, write
        )

    def make(self, name: str, **metadata: Any) -> None:
        """Another Deployment like the first one."""
        text = json.dumps(recorded("03-create-deployment")["request"]["body"])
        body = json.loads(text.replace(FUJI, name))
        body["metadata"] = {"name": name, "namespace": "bootstrap", **metadata}
        if name == "bare":
            body["spec"]["replicas"] = 0
        self.server.objects.create("deployments", body, Write("recorder"))

    def make_pod(self, recorded_pod: Object) -> None:
        """A pod as the ReplicaSet controller makes it, then with the volume that admission adds to
        it, which the simulator does not play.
        """
        pod = json.loads(json.dumps(recorded_pod))
        for field in ("tolerations", "serviceAccount", "serviceAccountName", "priority"):
            del pod["spec"][field]
        del pod["spec"]["preemptionPolicy"]
        token = pod["spec"]["volumes"].pop()["name"]
        for container in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
            kept = [mount for mount in container["volumeMounts"] if mount["name"] != token]
            container["volumeMounts"] = kept
        made = self.server.objects.create("pods", pod, CONTROLLERS)
        for field in ("volumes", "initContainers", "containers"):
            made["spec"][field] = recorded_pod["spec"][field]
        self.server.storage.put("pods", made)

    def give_rights(self, name: str) -> None:
        """Exchanges 49 to 53 were those of a user without rights, and of nobody."""
        match number(name):
            case 49:
                self.server.gate.tokens = {"weak": WEAK}
                self.server.gate.rights = rights_table({WEAK: []})
            case 54:
                self.server.gate.tokens = None

    def make_others(self, name: str, body: Object) -> None:
        """Makes what people and controllers had made by then."""
        objects = self.server.objects
        match number(name):
            case 4:
                for extra in range(5):
                    labels = {"app": f"extra-{extra}", **TEST}
                    self.make(
                        f"extra-{extra}",
                        labels=labels,
                        annotations={"example.com/owner": "node-team"},
                    )
                self.make(
                    "unlabelled",
                    labels={"app": "unlabelled"},
                    annotations={"example.com/owner": "node-team"},
                )
                for item in [
                    *body["items"],
                    {"metadata": {**body["items"][0]["metadata"], "name": "unlabelled"}},
                ]:
                    self.catch_up(item)
            case 17:
                self.seen["9283"] = self.metadata(FUJI)["resourceVersion"]
            case 25:
                self.make("bare", labels={"app": "bare", **TEST})
            case 41:
                self.make_pod(body["items"][0])
            case 46:
                self.server.storage.put("endpointslices", body["items"][0])
            case 56:
                objects.update(
                    "pods",
                    "bootstrap",
                    POD,
                    lambda pod: pod["status"].update(podIP="10.200.0.2"),
                    KUBELET,
                )

    async def prepare(self, name: str) -> None:
        """What happened between the exchange before and this one."""
        self.give_rights(name)
        body = recorded(name)["response"].get("body") or {}
        self.make_others(name, body)
        if (
            body.get("kind") == "Deployment"
            and number(name) > 4
            and body["metadata"]["name"] == FUJI
        ):
            self.catch_up(body)
        if body.get("kind") == "Scale":
            self.catch_up(recorded("43-deployment-after-ready")["response"]["body"])

    async def send(self, name: str) -> aiohttp.ClientResponse:
        request = recorded(name)["request"]
        text = request["body"] if isinstance(request["body"], str) else json.dumps(request["body"])
        uid = recorded("03-create-deployment")["response"]["body"]["metadata"]["uid"]
        if uid in text:
            text = text.replace(uid, self.metadata(FUJI)["uid"])
        for theirs, ours in self.seen.items():
            text = text.replace(f'"{theirs}"', f'"{ours}"')
        headers = dict(request.get("headers") or {})
        if request["content_type"]:
            headers["Content-Type"] = request["content_type"]
        if number(name) == 11:
            headers["Accept"] = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        if number(name) >= 56:
            headers |= {"Accept": "application/json", "Accept-Encoding": "identity"}
        if 49 <= number(name) <= 53:
            headers["Authorization"] = "Bearer " + ("nobody" if number(name) == 52 else "weak")
        return await self.session.request(
            request["method"],
            self.path(request["path"]),
            data=text.encode() if request["body"] is not None else None,
            headers=headers,
        )

    def path(self, path: str) -> str:
        if "resourceVersion=9279" in path:
            path = path.replace("9279", str(self.server.storage.version))
        if token := self.seen.get("continue"):
            path = re.sub(r"continue=eyJ2IjoibWV0[^&]*", f"continue={token}", path)
        return self.server.url + path


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async def node(request: web.Request) -> web.Response:
        ready = request.path == "/ok"
        shown = {k: v for k, v in request.headers.items() if k != "User-Agent"}
        return web.json_response(
            {"healthy": ready, "path": request.path, "headers": shown},
            status=200 if ready else 503,
        )

    application = web.Application()
    application.router.add_get("/{path:.*}", node)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    clock = FakeClock()
    settings = ServerSettings(
        resolver=lambda pod, wanted: ("127.0.0.1", port) if wanted == 9650 else None
    )
    server = SimulatedApiServer(clock, Random(1), settings)
    await server.start()
    cluster = Cluster(server, clock, f"127.0.0.1:{port}")
    yield cluster
    await cluster.session.close()
    await server.stop()
    await runner.cleanup()


async def replay_until(cluster: Cluster, name: str) -> None:
    """Brings the cluster to the state just before an exchange."""
    for earlier in FILES:
        if earlier >= name:
            break
        await cluster.prepare(earlier)
        if number(earlier) == 12:
            modify(cluster)
        elif number(earlier) == 5:
            answer = await cluster.send(earlier)
            cluster.seen["continue"] = (await answer.json())["metadata"]["continue"]
        elif recorded(earlier)["request"]["method"] != "GET":
            await (await cluster.send(earlier)).read()
    await cluster.prepare(name)


def modify(cluster: Cluster) -> None:
    """What happened while watch 12 was open."""
    objects, recorder = cluster.server.objects, Write("recorder")

    def change(name: str, how: Any, write: Write = recorder) -> None:
        objects.update("deployments", "bootstrap", name, how, write)

    def status(name: str, observed: int) -> None:
        change(
            name,
            lambda o: o["status"].update(observedGeneration=observed),
            Write("kube-controller-manager", "status"),
        )

    owner = cluster.metadata("extra-2")["uid"]
    objects.create(
        "configmaps",
        {
            "metadata": {
                "name": "dependent",
                "namespace": "bootstrap",
                "ownerReferences": [
                    {
                        "kind": "Deployment",
                        "apiVersion": "apps/v1",
                        "name": "extra-2",
                        "uid": owner,
                        "blockOwnerDeletion": True,
                    }
                ],
            }
        },
    )
    change(FUJI, lambda o: o["metadata"]["annotations"].update({"example.com/note": "1"}))
    change("extra-0", lambda o: o["metadata"]["labels"].pop("bootstrap.avax.network/test") and None)
    status(FUJI, 2)
    change("unlabelled", lambda o: o["metadata"]["labels"].update(TEST))
    objects.delete("deployments", "bootstrap", "extra-1")
    objects.delete("deployments", "bootstrap", "extra-2", {"propagationPolicy": "Foreground"})
    status("extra-2", 2)
    change(
        "extra-2",
        lambda o: o["status"].update(terminatingReplicas=0, replicas=0),
        Write("kube-controller-manager", "status"),
    )
    objects.delete("configmaps", "bootstrap", "dependent")


EXCHANGES = [name for name in FILES if "events" not in recorded(name)["response"]]
WATCHES = [name for name in FILES if "events" in recorded(name)["response"]]


@pytest.mark.parametrize("name", EXCHANGES)
async def test_answers_as_recorded(cluster: Cluster, name: str) -> None:
    """Does the simulator answer this request with the recorded status, headers and body?"""
    await replay_until(cluster, name)
    version = cluster.server.storage.version
    answer = await cluster.send(name)
    wanted = recorded(name)["response"]
    body = await answer.json()
    assert answer.status == wanted["status"], body
    for header in ("Content-Type", "Cache-Control"):
        if header in wanted["headers"]:
            ours = answer.headers[header]
            assert ours.split(";")[0] == wanted["headers"][header]
    expected = scrubbed(wanted["body"])
    ours = comparable(body, wanted["body"])
    if number(name) in {5, 6, 11}:
        compare_tokens(body["metadata"].pop("continue"), wanted["body"]["metadata"].pop("continue"))
        expected["metadata"].pop("continue"), ours["metadata"].pop("continue")
    if number(name) >= 56 and "headers" in expected:
        host = cluster.server.url.removeprefix("http://")
        expected["headers"]["Host"] = expected["headers"]["Host"].replace("127.0.0.1:16443", host)
    assert ours == expected
    unchanged = wanted["status"] >= 400 or "dryRun" in recorded(name)["request"]["path"]
    if unchanged or number(name) == 24 or answer.method == "GET":
        assert cluster.server.storage.version == version, "this exchange writes nothing"


def compare_tokens(ours: str, theirs: str) -> None:
    def decoded(token: str) -> Object:
        value: Object = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        assert isinstance(value.pop("rv"), int)
        return value

    assert decoded(ours) == decoded(theirs)


def signature(event: Object) -> tuple[Any, ...]:
    """What of a watch event is the same on every server."""
    metadata = event["object"]["metadata"]
    return (
        event["type"],
        event["object"]["kind"],
        metadata.get("name"),
        metadata.get("generation"),
        json.dumps(metadata.get("labels"), sort_keys=True),
        json.dumps(metadata.get("annotations"), sort_keys=True),
        metadata.get("finalizers"),
        "deletionTimestamp" in metadata,
    )


@pytest.mark.parametrize("name", WATCHES)
async def test_watches_as_recorded(cluster: Cluster, name: str) -> None:
    """Does this watch bring the recorded events, in the recorded order where it has one?"""
    await replay_until(cluster, name)
    answer = await cluster.send(name)
    wanted = recorded(name)["response"]
    assert answer.status == wanted["status"]
    if number(name) == 12:
        modify(cluster)
    reading = asyncio.ensure_future(answer.text())
    await cluster.clock.advance(5)
    lines = [json.loads(line) for line in (await reading).splitlines()]
    ours, theirs = [signature(e) for e in lines], [signature(e) for e in wanted["events"]]
    if number(name) in {13, 14}:
        initial = sum(event[0] == "ADDED" for event in theirs)
        assert sorted(map(str, ours[:initial])) == sorted(map(str, theirs[:initial]))
        ours, theirs = ours[initial:], theirs[initial:]
    assert ours == theirs
    for event, other in zip(lines, wanted["events"], strict=True):
        if event["type"] == "BOOKMARK":
            assert set(event["object"]["metadata"]) == set(other["object"]["metadata"])
        if event["type"] == "ERROR":
            text = re.sub(r"\(\d+\)", "(8196)", event["object"]["message"])
            assert {**event["object"], "message": text} == other["object"]
