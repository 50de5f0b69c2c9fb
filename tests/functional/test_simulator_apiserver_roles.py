"""Rights by Roles: rules that are limited to names, lists and watches of one name, reviews."""

import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import aiohttp
import pytest

from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.roles import Rule, account_user, bound_rules, role_rights
from controller.simulator.apiserver.selectors import selected_name
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.manifests import TargetManifest
from tests.fakes import FakeClock

APPS = "/apis/apps/v1/namespaces/bootstrap/deployments"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/bootstrap/leases"
SERVICES = "/api/v1/namespaces/bootstrap/services"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
USER = account_user("bootstrap", "fuji")

RULES = [
    {
        "apiGroups": ["apps"],
        "resources": ["deployments"],
        "resourceNames": ["fuji"],
        "verbs": ["get", "list", "watch", "patch"],
    },
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": ["fuji"],
        "verbs": ["get", "create", "update"],
    },
    {
        "apiGroups": [""],
        "resources": ["services"],
        "resourceNames": ["fuji"],
        "verbs": ["list", "watch"],
    },
    {
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews"],
        "verbs": ["create"],
    },
]
MANIFESTS: list[dict[str, Any]] = [
    {
        "kind": "Role",
        "metadata": {"name": "fuji", "namespace": "bootstrap"},
        "rules": RULES,
    },
    {
        "kind": "RoleBinding",
        "metadata": {"name": "fuji", "namespace": "bootstrap"},
        "roleRef": {"kind": "Role", "name": "fuji"},
        "subjects": [
            {"kind": "ServiceAccount", "name": "fuji", "namespace": "bootstrap"},
            {"kind": "User", "name": "somebody"},
        ],
    },
]


class Client:
    def __init__(self, server: SimulatedApiServer) -> None:
        self.server = server
        self.session = aiohttp.ClientSession(headers={"Authorization": "Bearer t"})

    async def __call__(
        self, method: str, path: str, body: Any = None, **query: str
    ) -> tuple[int, Any]:
        """Status and body; of a watch, its events."""
        kind = "merge-patch+json" if method == "PATCH" else "json"
        headers = {"Content-Type": f"application/{kind}"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        url = self.server.url + path
        async with self.session.request(
            method, url, data=data, headers=headers, params=query
        ) as answer:
            if answer.status == 200 and query.get("watch"):
                seen: list[Any] = []
                while len(seen) < 2:
                    seen.append(json.loads(await answer.content.readline()))
                return 200, seen
            return answer.status, json.loads(await answer.read())


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    rights = role_rights(bound_rules(MANIFESTS))
    settings = ServerSettings(tokens={"t": USER}, rights=rights)
    server = SimulatedApiServer(FakeClock(), Random(1), settings)
    await server.start()
    for name in ("fuji", "other"):
        target = TargetManifest(name)
        server.objects.create("deployments", target.deployment(), Write("kubectl"))
        server.objects.create("services", target.service(), Write("kubectl"))
    made = Client(server)
    yield made
    await made.session.close()
    await server.stop()


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", f"{APPS}/fuji", {}, 200),
        ("GET", f"{APPS}/other", {}, 403),
        ("GET", APPS, {}, 403),
        ("GET", APPS, {"labelSelector": "app=fuji"}, 403),
        ("GET", APPS, {"fieldSelector": "metadata.name=fuji"}, 200),
        ("GET", APPS, {"fieldSelector": "metadata.name==fuji,metadata.namespace=bootstrap"}, 200),
        ("GET", APPS, {"fieldSelector": "metadata.name=fuji", "labelSelector": "app=fuji"}, 200),
        ("GET", APPS, {"fieldSelector": "metadata.name=other"}, 403),
        ("GET", APPS, {"fieldSelector": "metadata.name!=fuji"}, 403),
        ("GET", APPS, {"fieldSelector": "metadata.namespace=bootstrap"}, 403),
        ("GET", SERVICES, {"fieldSelector": "metadata.name=fuji"}, 200),
        ("GET", f"{SERVICES}/fuji", {}, 403),
        ("DELETE", f"{APPS}/fuji", {}, 403),
        ("DELETE", APPS, {"fieldSelector": "metadata.name=fuji"}, 403),
    ],
)
async def test_a_rule_with_names(
    client: Client, method: str, path: str, query: dict[str, str], status: int
) -> None:
    """Is what names the object allowed, by its path or by a field selector, and nothing else?"""
    assert (await client(method, path, **query))[0] == status


async def test_a_create_has_no_name(client: Client) -> None:
    """Does a rule with names give no right to make the object of that name, but to change it?"""
    lease = {"metadata": {"name": "fuji"}, "spec": {}}
    status, body = await client("POST", LEASES, lease)
    assert (status, body["reason"]) == (403, "Forbidden")
    client.server.objects.create("leases", {"metadata": {"name": "fuji", "namespace": "bootstrap"}})
    _, found = await client("GET", f"{LEASES}/fuji")
    found["spec"] = {"holderIdentity": "fuji-0"}
    assert (await client("PUT", f"{LEASES}/fuji", found))[0] == 200
    change = {"metadata": {"annotations": {"a": "b"}}}
    assert (await client("PATCH", f"{APPS}/fuji", change))[0] == 200
    assert (await client("PATCH", f"{APPS}/other", change))[0] == 403


async def test_a_watch_of_one_name(client: Client) -> None:
    """Does it tell of that object alone, whatever its labels become?"""

    def unlabelled(obj: Any) -> None:
        obj["metadata"]["labels"] = {"app": "another"}

    objects = client.server.objects
    for name in ("other", "fuji"):
        objects.update("deployments", "bootstrap", name, unlabelled, Write("kubectl"))
    query = {"watch": "1", "resourceVersion": "0", "fieldSelector": "metadata.name=fuji"}
    version = client.server.storage.version
    for number in range(2):
        for name in ("other", "fuji"):
            objects.update(
                "deployments",
                "bootstrap",
                name,
                lambda obj, number=number: obj["metadata"].update(annotations={"n": str(number)}),
                Write("kubectl"),
            )
    query["resourceVersion"] = str(version)
    status, seen = await client("GET", APPS, **query)
    told = [(event["type"], event["object"]["metadata"]["name"]) for event in seen]
    assert (status, told) == (200, [("MODIFIED", "fuji")] * 2)
    query["fieldSelector"] = "metadata.name=other"
    assert (await client("GET", APPS, **query))[0] == 403


async def test_a_refused_list_names_what_it_asked_for(client: Client) -> None:
    """Does the refusal have the name from the field selector?"""
    _, body = await client("GET", APPS, fieldSelector="metadata.name=other")
    assert body["message"] == (
        f'deployments.apps "other" is forbidden: User "{USER}" cannot list resource "deployments"'
        ' in API group "apps" in the namespace "bootstrap"'
    )


@pytest.mark.parametrize(
    ("verb", "name", "allowed"),
    [
        ("patch", "fuji", True),
        ("patch", "other", False),
        ("patch", "", False),
        ("watch", "fuji", True),
        ("watch", "", False),
        ("delete", "fuji", False),
    ],
)
async def test_reviews_have_a_name(client: Client, verb: str, name: str, allowed: bool) -> None:
    """Does a review say the same as the request would be answered?"""
    asked = {
        "verb": verb,
        "group": "apps",
        "resource": "deployments",
        "namespace": "bootstrap",
        "name": name,
    }
    _, body = await client("POST", REVIEWS, {"spec": {"resourceAttributes": asked}})
    assert body["status"]["allowed"] is allowed


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, {"pods"}),
        ({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}, {"pods/log"}),
        ({"apiGroups": [""], "resources": ["*/log"], "verbs": ["*"]}, {"pods/log"}),
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]}, {"pods", "pods/log"}),
        ({"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}, set()),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}, set()),
    ],
)
def test_rules_without_names(rule: dict[str, Any], allowed: set[str]) -> None:
    """Do groups, subresources and asterisks mean what they do in a Role, in its namespace alone?"""
    rights = role_rights({"u": [Rule.read(rule, "bootstrap")]})
    asked = ("pods", "pods/log")
    found = {r for r in asked if rights(Access("u", "get", "", r, "bootstrap", "p"))}
    assert found == allowed
    assert not any(rights(Access("u", "get", "", r, "default", "p")) for r in asked)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("metadata.name=a", "a"),
        ("metadata.name==a", "a"),
        ("metadata.namespace=b,metadata.name=a", "a"),
        ("metadata.name!=a", ""),
        ("metadata.name=", ""),
        ("metadata.name=..", ""),
        ("metadata.name=a/b", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_field_selector(text: str, name: str) -> None:
    """Is the name that a selector asks for taken, and nothing that is none?"""
    assert selected_name(text) == name
