"""The controller's rights in its manifests: what the code calls, and each optional part by itself.

Excluded: rights at work (tests/functional/test_role.py).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.kube.api import resources
from controller.kube.rights import (
    LEASING,
    PLACING,
    READ_CLAIMS,
    READ_NODES,
    READING,
    WITNESSING,
    WRITING,
    Right,
)
from tests.kustomize import K8S, Object, build, build_own, one

KUBE = K8S.parent / "controller" / "kube"
OVERLAYS = sorted(f"overlays/{path.name}" for path in (K8S / "overlays").iterdir())


def rights_of(role: Object) -> set[Right]:
    found = []
    for rule in role["rules"]:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
        found += [
            Right(verb, group, *resource.split("/"))
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        ]
    assert len(found) == len(set(found)), "granted twice"
    return set(found)


def test_the_roles_are_what_the_clients_call() -> None:
    """Do the Roles grant exactly what the code says it needs, nothing less and nothing more?"""
    roles = build("rights")
    assert rights_of(one(roles, "Role", "bootstrap-controller-targets")) == {*READING, *WRITING}
    cluster_id = Right("get", "", "namespaces")
    assert rights_of(one(roles, "Role", "bootstrap-controller-home")) == {*LEASING, cluster_id}


def test_every_call_is_granted() -> None:
    """Does the code ask for nothing that is not in those tables, whichever call one looks at?"""
    tables = (*READING, *WRITING, *LEASING, *WITNESSING, *PLACING)
    granted = {(r.verb, "/".join(filter(None, (r.resource, r.subresource)))) for r in tables}
    # Every account may ask for its own rights; the pod proxy is not used in the cluster.
    granted |= {("get", "namespaces"), ("create", "selfsubjectaccessreviews")}
    asked = {found for path in KUBE.glob("*.py") for found in _operations(path)}
    known = {("patch", "deployments"), ("get", "pods/log")}
    assert known <= asked, "calls are not found any more: mend this test"
    assert asked <= granted


def _operations(path: Path) -> Iterator[tuple[str, str]]:
    """Verb and resource of each `RESOURCE.operation("verb", …)` and `Operation("verb", "resource")`
    that says both itself.
    """
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        verb, function = call.args[0], call.func
        if not isinstance(verb, ast.Constant):
            continue
        if isinstance(function, ast.Attribute) and function.attr == "operation":
            resource = getattr(resources, getattr(function.value, "id", ""), None)
            if resource is not None:
                yield verb.value, resource.plural
        elif getattr(function, "id", "") == "Operation" and isinstance(call.args[1], ast.Constant):
            yield verb.value, call.args[1].value


def test_the_same_rights_in_the_cluster() -> None:
    """Does watching all namespaces need no other verbs, and leave the Lease at home?"""
    objects = build("overlays/cluster-wide")
    assert rights_of(one(objects, "ClusterRole")) == {*READING, *WRITING}
    assert [o["metadata"]["name"] for o in objects if o["kind"] == "Role"] == [
        "bootstrap-controller-home"
    ]
    data = [o["data"] for o in objects if o["kind"] == "ConfigMap"]
    assert [d["BOOTSTRAP_NAMESPACES"] for d in data if "BOOTSTRAP_NAMESPACES" in d] == ["*"]


@pytest.mark.parametrize(
    ("components", "within", "everywhere"),
    [
        (["evidence"], {*WITNESSING}, set()),
        (["volume-facts"], {READ_CLAIMS}, set()),
        (["node-facts"], {READ_CLAIMS}, {READ_NODES}),
        (["evidence", "node-facts"], {*WITNESSING, READ_CLAIMS}, {READ_NODES}),
        (["evidence-cluster-wide"], set(), {*WITNESSING}),
        (["node-facts-cluster-wide"], set(), {*PLACING}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_an_optional_component_grants_its_own_rights(
    components: list[str], within: set[Right], everywhere: set[Right]
) -> None:
    """Does each add exactly its verbs, and only what is the cluster's in the whole cluster?"""
    before = {_named(o) for o in build("base")}
    added = [o for o in with_components("base", *components) if _named(o) not in before]
    roles = {kind: [o for o in added if o["kind"] == kind] for kind in ("Role", "ClusterRole")}
    assert set().union(*map(rights_of, roles["Role"])) == within
    assert set().union(*map(rights_of, roles["ClusterRole"])) == everywhere
    assert {o["metadata"].get("namespace") for o in roles["Role"]} <= {"bootstrap"}
    assert len(added) == 2 * sum(map(len, roles.values())), "a role, its binding, and nothing else"


def with_components(folder: str, *components: str) -> tuple[Object, ...]:
    """An overlay of one's own, as the documentation shows it: of a folder, with these beside."""
    named = ", ".join(f"../k8s/components/{component}" for component in components)
    return build_own(
        f"{{namespace: bootstrap, resources: [../k8s/{folder}], components: [{named}]}}"
    )


def _named(found: Object) -> tuple[str, str]:
    return found["kind"], found["metadata"]["name"]


def test_the_standard_overlay_reads_evidence() -> None:
    """Are logs and Events read by default, within the namespace, and machines by choice?"""
    names_of = {o["metadata"]["name"] for o in build("overlays/standard") if "rules" in o}
    assert "bootstrap-controller-evidence" in names_of
    assert not [o for o in build("overlays/standard") if o["kind"] == "ClusterRole"]


def test_evidence_in_another_namespace() -> None:
    """Do the optional components grant the same in a copy of the watched namespace?"""
    text = (K8S / "watched-namespace" / "kustomization.yaml").read_text()
    copied = text.replace("../rights", "../k8s/rights") + (
        "components: [../k8s/components/evidence, ../k8s/components/volume-facts]\n"
    )
    objects = build_own(copied)
    wanted = {*READING, *WRITING, *LEASING, *WITNESSING, READ_CLAIMS}
    wanted.add(Right("get", "", "namespaces"))
    assert set().union(*(rights_of(o) for o in objects if o["kind"] == "Role")) == wanted
    assert {o["metadata"]["namespace"] for o in objects} == {"another-namespace"}
    assert_bound(objects)


@pytest.mark.parametrize(
    ("folder", "components"),
    [
        ("base", ["evidence", "node-facts"]),
        ("overlays/cluster-wide", ["evidence-cluster-wide", "node-facts-cluster-wide"]),
        ("overlays/cluster-wide", ["evidence", "node-facts"]),
    ],
)
def test_optional_roles_are_bound(folder: str, components: list[str]) -> None:
    """Are they bound to the controller's account, in one namespace as in all?"""
    assert_bound(with_components(folder, *components))


def test_every_binding_leads_to_its_role() -> None:
    """Does every binding name a role that is there, and the controller's account?"""
    for folder in ("base", "watched-namespace", *OVERLAYS):
        assert_bound(build(folder))


def assert_bound(objects: tuple[Object, ...]) -> None:
    there = {(o["kind"], o["metadata"]["name"]) for o in objects if "rules" in o}
    bound = [o for o in objects if o["kind"].endswith("Binding")]
    assert {(o["roleRef"]["kind"], o["roleRef"]["name"]) for o in bound} == there
    for binding in bound:
        (subject,) = binding["subjects"]
        assert subject == {
            "kind": "ServiceAccount",
            "name": "bootstrap-controller",
            "namespace": "bootstrap",
        }
