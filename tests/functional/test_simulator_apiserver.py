"""Rules of the simulated API server that no recording shows: writes, deletion, lists, rights."""

import json
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver.auth import rights_table
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.server import SimulatedApiServer
from controller.simulator.apiserver.statuses import StatusError
from tests.fakes import FakeClock

APPS = "/apis/apps/v1/namespaces/bootstrap/deployments"
CORE = "/api/v1/namespaces/bootstrap"
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}

Object = dict[str, Any]


def deployment(name: str = "a", **metadata: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "bootstrap", **metadata},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "node", "image": "repo/node:v1"}]},
            },
        },
    }


def pod(name: str = "p", **spec: Any) -> Object:
    containers = [{"name": "node", "image": "repo/node:v1"}]
    metadata = {"name": name, "namespace": "bootstrap"}
    return {"metadata": metadata, "spec": {"containers": containers, **spec}}


class Client:
    """Sends one request and returns status and decoded body."""

    def __init__(self, server: SimulatedApiServer) -> None:
        self.server = server
        self.session = aiohttp.ClientSession()

    async def __call__(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        sent = {"Content-Type": "application/json", **headers} if body is not None else headers
        data = json.dumps(body).encode() if body is not None else None
        url = self.server.url + path
        async with self.session.request(method, url, data=data, headers=sent) as answer:
            return answer.status, json.loads(await answer.read())

    async def patch(self, path: str, body: Any, kind: Object = JSON_PATCH) -> tuple[int, Any]:
        return await self("PATCH", path, body, **kind)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    server = SimulatedApiServer(FakeClock(), Random(1))
    await server.start()
    client = Client(server)
    yield client
    await client.session.close()
    await server.stop()


async def test_an_answer_is_dated_by_the_clock_that_is_played(client: Client) -> None:
    """Could nobody take the machine's time for the cluster's?"""
    async with client.session.get(f"{client.server.url}/version") as answer:
        dated = parsedate_to_datetime(answer.headers["Date"])
    assert dated == FakeClock().now().replace(microsecond=0)


async def test_create_twice(client: Client) -> None:
    """Is the second of two equal creates refused by name?"""
    await client("POST", APPS, deployment())
    status, body = await client("POST", APPS, deployment())
    assert (status, body["reason"]) == (409, "AlreadyExists")
    assert body["message"] == 'deployments.apps "a" already exists'


async def test_stale_update(client: Client) -> None:
    """Is a PUT of an outdated object refused, and an object of the present version accepted?"""
    _, first = await client("POST", APPS, deployment())
    first["spec"]["replicas"] = 3
    status, second = await client("PUT", f"{APPS}/a", first)
    assert (status, second["metadata"]["generation"]) == (200, 2)
    status, body = await client("PUT", f"{APPS}/a", first)
    assert (status, body["reason"]) == (409, "Conflict")


async def test_status_is_apart(client: Client) -> None:
    """Do spec and status each change only by their own path, and generation only by the spec's?"""
    await client("POST", APPS, deployment())
    body = {"spec": {"replicas": 5}, "status": {"replicas": 7}}
    _, after = await client.patch(f"{APPS}/a/status", body, STRATEGIC)
    assert (after["spec"]["replicas"], after["status"]["replicas"]) == (1, 7)
    assert after["metadata"]["generation"] == 1
    _, after = await client.patch(f"{APPS}/a", {**body, "status": {"replicas": 9}}, STRATEGIC)
    assert (after["spec"]["replicas"], after["status"]["replicas"]) == (5, 7)
    assert after["metadata"]["generation"] == 2


async def test_label_alone_is_not_counted(client: Client) -> None:
    """Does a Deployment's generation stay when only a label changes?"""
    await client("POST", APPS, deployment())
    _, after = await client.patch(f"{APPS}/a", {"metadata": {"labels": {"x": "y"}}}, STRATEGIC)
    assert after["metadata"]["generation"] == 1


async def test_last_annotation_takes_the_map_along(client: Client) -> None:
    """Does `test` for null pass on annotations whose last key has been removed?"""
    await client("POST", APPS, deployment(annotations={"a": "b"}))
    _, after = await client.patch(
        f"{APPS}/a", [{"op": "remove", "path": "/metadata/annotations/a"}]
    )
    assert "annotations" not in after["metadata"]
    test = [{"op": "test", "path": "/metadata/annotations", "value": None}]
    assert (await client.patch(f"{APPS}/a", test))[0] == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spec": {"selector": {"matchLabels": {"app": "b"}}}}, "spec.selector"),
        ({"metadata": {"annotations": {"a": "x" * 262_144}}}, "metadata.annotations"),
        ({"metadata": {"labels": {"a": "not a label"}}}, "metadata.labels"),
        ({"spec": {"replicas": -1}}, "spec.replicas"),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "second"}]}}}},
            "spec.template.spec.containers[0].image",
        ),
        (
            {
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [{"name": "node", "terminationMessagePolicy": "Logs"}]
                        }
                    }
                }
            },
            "spec.template.spec.containers[0].terminationMessagePolicy",
        ),
    ],
)
async def test_validation_says_where(client: Client, change: Object, field: str) -> None:
    """Is a forbidden change refused with the field's name, and nothing written?"""
    await client("POST", APPS, deployment())
    version = client.server.storage.version
    status, body = await client.patch(f"{APPS}/a", change, STRATEGIC)
    assert (status, body["reason"], body["details"]["kind"]) == (422, "Invalid", "Deployment")
    assert field in {cause["field"] for cause in body["details"]["causes"]}
    assert client.server.storage.version == version


async def test_annotation_must_be_text(client: Client) -> None:
    """Is a number as an annotation refused?"""
    status, _ = await client("POST", APPS, deployment(annotations={"a": 1}))
    assert status == 400
    await client("POST", APPS, deployment())
    operation = {"op": "add", "path": "/metadata/annotations", "value": {"a": 1}}
    assert (await client.patch(f"{APPS}/a", [operation]))[0] == 422


@pytest.mark.parametrize(
    "spec",
    [
        [],
        {"template": []},
        {"template": {"spec": "x"}},
        {"template": {"spec": {"containers": "x"}}},
        {"template": {"spec": {"containers": ["x"]}}},
        {"replicas": "1"},
    ],
)
async def test_body_of_the_wrong_shape(client: Client, spec: Any) -> None:
    """Is a body that no typed decoder takes a 400, never a crash?"""
    status, body = await client("POST", APPS, {"metadata": {"name": "a"}, "spec": spec})
    assert (status, body["kind"], body["reason"]) == (400, "Status", "BadRequest")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_body_that_is_no_object(client: Client, body: bytes) -> None:
    """Is a body that is no JSON object a 400?"""
    headers = {"Content-Type": "application/json"}
    async with client.session.post(client.server.url + APPS, data=body, headers=headers) as answer:
        assert answer.status == 400


async def test_unknown_namespace(client: Client) -> None:
    """Is nothing created in a namespace that is not there?"""
    status, body = await client(
        "POST", APPS.replace("bootstrap", "nowhere"), {**deployment(), "metadata": {"name": "a"}}
    )
    assert (status, body["message"]) == (404, 'namespaces "nowhere" not found')


async def test_foreground_waits_for_dependents(client: Client) -> None:
    """Does a foreground deletion stay visible until the last dependent is gone?"""
    _, owner = await client("POST", APPS, deployment())
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "a",
        "uid": owner["metadata"]["uid"],
    }
    body = pod()
    body["metadata"]["ownerReferences"] = [reference]
    client.server.objects.create("pods", body)
    _, waiting = await client("DELETE", f"{APPS}/a?propagationPolicy=Foreground")
    assert waiting["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert (await client("GET", f"{APPS}/a"))[0] == 200
    await client("DELETE", f"{CORE}/pods/p")
    assert (await client("GET", f"{APPS}/a"))[0] == 404


async def test_pod_on_a_node_is_given_time(client: Client) -> None:
    """Does a pod on a node wait for its kubelet, while one on no node goes at once?"""
    objects = client.server.objects
    objects.create("pods", pod("bound", nodeName="n", terminationGracePeriodSeconds=120))
    objects.create("pods", pod("free"))
    _, body = await client("DELETE", f"{CORE}/pods/bound")
    assert body["metadata"]["deletionGracePeriodSeconds"] == 120
    await client("DELETE", f"{CORE}/pods/free")
    _, listed = await client("GET", f"{CORE}/pods")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["bound"]
    await client("DELETE", f"{CORE}/pods/bound?gracePeriodSeconds=0")
    assert (await client("GET", f"{CORE}/pods/bound"))[0] == 404


async def test_deletion_precondition(client: Client) -> None:
    """Is a deletion that names another uid refused?"""
    await client("POST", APPS, deployment())
    options = {"preconditions": {"uid": "another"}}
    status, body = await client("DELETE", f"{APPS}/a", options)
    assert (status, body["reason"]) == (409, "Conflict")


async def test_delete_collection(client: Client) -> None:
    """Does a deletion by selector take what it selects and nothing else?"""
    await client("POST", APPS, deployment("a", labels={"x": "1"}))
    await client("POST", APPS, deployment("b"))
    await client("DELETE", f"{APPS}?labelSelector=x")
    _, listed = await client("GET", APPS)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["b"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("x%3D1", ["a"]),
        ("x!%3D1", ["b", "c"]),
        ("x+in+(1,2)", ["a", "b"]),
        ("x+notin+(1)", ["b", "c"]),
        ("x", ["a", "b"]),
        ("!x", ["c"]),
        ("x,x!%3D2", ["a"]),
    ],
)
async def test_label_selectors(client: Client, selector: str, names: list[str]) -> None:
    """Does each form of label selector select what it says?"""
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2"}), ("c", {"y": "1"})):
        client.server.objects.create("deployments", deployment(name, labels=labels))
    _, listed = await client("GET", f"{APPS}?labelSelector={selector}")
    assert [item["metadata"]["name"] for item in listed["items"]] == names


async def test_field_selectors(client: Client) -> None:
    """Are objects selected by name, and is an unsupported field refused?"""
    client.server.objects.create("deployments", deployment("a"))
    client.server.objects.create("deployments", deployment("b"))
    _, listed = await client("GET", f"{APPS}?fieldSelector=metadata.name%3Db")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["b"]
    status, body = await client("GET", f"{APPS}?fieldSelector=spec.replicas%3D1")
    assert (status, body["message"]) == (400, "field label not supported: spec.replicas")


async def test_pages_are_one_snapshot(client: Client) -> None:
    """Does page two show the state that page one was taken from, whatever happened between?"""
    for name in ("a", "b", "c"):
        client.server.objects.create("deployments", deployment(name))
    _, first = await client("GET", f"{APPS}?limit=2")
    assert first["metadata"]["remainingItemCount"] == 1
    client.server.objects.delete("deployments", "bootstrap", "c")
    token = first["metadata"]["continue"]
    _, second = await client("GET", f"{APPS}?limit=2&continue={token}")
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


async def test_expired_page_can_go_on_inconsistently(client: Client) -> None:
    """Does the fresh token of a 410 lead to the rest of the present list?"""
    for name in ("a", "b", "c"):
        client.server.objects.create("deployments", deployment(name))
    _, first = await client("GET", f"{APPS}?limit=1")
    client.server.objects.delete("deployments", "bootstrap", "b")
    client.server.storage.compact()
    status, expired = await client("GET", f"{APPS}?continue={first['metadata']['continue']}")
    assert (status, expired["reason"]) == (410, "Expired")
    _, rest = await client("GET", f"{APPS}?continue={expired['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c"]


async def test_events_have_two_views(client: Client) -> None:
    """Is an Event of events.k8s.io seen in the core group under its older field names?"""
    event = {
        "metadata": {"name": "e"},
        "eventTime": "2026-11-23T06:00:00.000000Z",
        "reportingController": "c",
        "reportingInstance": "i",
        "action": "A",
        "reason": "R",
        "type": "Normal",
        "note": "said",
        "regarding": {"kind": "Deployment", "name": "a"},
    }
    await client("POST", "/apis/events.k8s.io/v1/namespaces/bootstrap/events", event)
    selector = "fieldSelector=involvedObject.name%3Da"
    _, listed = await client("GET", f"{CORE}/events?{selector}")
    (seen,) = listed["items"]
    assert (seen["message"], seen["reportingComponent"]) == ("said", "c")


async def test_lease_update_needs_its_version(client: Client) -> None:
    """Does PUT make a Lease, and refuse to change one without its resource version?"""
    path = "/apis/coordination.k8s.io/v1/namespaces/bootstrap/leases/l"
    body = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}}
    assert (await client("PUT", path, body))[0] == 201
    assert (await client("PUT", path, body))[0] == 422


async def test_rights_are_of_a_verb(client: Client) -> None:
    """May a user do what the table gives and nothing else, as reviews of access say too?"""
    gate = client.server.gate
    gate.tokens = {"t": "someone"}
    gate.rights = rights_table({"someone": [("list", "deployments"), ("*", "leases")]})
    me = {"Authorization": "Bearer t"}
    assert (await client("GET", APPS, **me))[0] == 200
    assert (await client("GET", f"{APPS}/a", **me))[0] == 403
    review = {
        "spec": {
            "resourceAttributes": {
                "verb": "update",
                "resource": "leases",
                "group": "coordination.k8s.io",
            }
        }
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert (await client("POST", path, review, **me))[1]["status"] == {"allowed": True}


async def test_secrets_stay_out_of_reprs(client: Client) -> None:
    """Does the gate's text keep tokens to itself?"""
    client.server.gate.tokens = {"hidden-token": "someone"}
    assert "hidden-token" not in repr(client.server.gate)


async def test_subscribers_hear_in_order(client: Client) -> None:
    """Does each subscriber hear every commit in order, even of what a subscriber writes itself?"""
    objects, heard = client.server.objects, []

    def follow(change: Any) -> None:
        if change.plural == "deployments" and change.type == "ADDED":
            objects.create("pods", pod(), Write("controller"))

    client.server.storage.subscribe(follow)
    client.server.storage.subscribe(lambda change: heard.append((change.version, change.plural)))
    objects.create("deployments", deployment())
    assert [plural for _, plural in heard] == ["deployments", "pods"]
    assert heard == sorted(heard)


async def test_failed_write_changes_nothing(client: Client) -> None:
    """Does a write that raises leave object and version as they were?"""
    client.server.objects.create("deployments", deployment())
    version = client.server.storage.version
    with pytest.raises(StatusError):
        client.server.objects.update(
            "deployments", "bootstrap", "a", lambda obj: obj["spec"].update(replicas=-1)
        )
    assert client.server.storage.version == version
    assert client.server.objects.get("deployments", "bootstrap", "a")["spec"]["replicas"] == 1


async def test_restart_keeps_port_and_objects(client: Client) -> None:
    """Is a stopped server refused and, started again, found where it was with what it had?"""
    await client("POST", APPS, deployment())
    url = client.server.url
    await client.server.stop()
    with pytest.raises(aiohttp.ClientError):
        await client("GET", APPS)
    await client.server.start()
    assert client.server.url == url
    assert (await client("GET", f"{APPS}/a"))[0] == 200


async def test_kubeconfig_names_the_server(client: Client, tmp_path: Path) -> None:
    """Does the kubeconfig lead to this server?"""
    path = client.server.kubeconfig(tmp_path / "config")
    config = json.loads(path.read_text())
    assert config["clusters"][0]["cluster"]["server"] == client.server.url
