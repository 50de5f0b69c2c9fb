"""What the monitor may do and see: its Role is what its code asks for, token and password are in
its container alone.

Excluded: the rights at work (tests/functional/test_monitor_role.py).
"""

import pytest

from controller.kube.rights import (
    IDENTIFYING,
    WITNESSING,
    Right,
    leasing_one,
    reading_one,
    writing_one,
)
from tests.kustomize import Object, build, build_own, one, pod_specs
from tests.monitored_targets import FUJI, WAYS, monitor_of, monitored

MONITORED = "targets/monitored/fuji-c-chain-state-sync"
# By component: what it adds to the monitor's rights.
OPTIONAL = {
    "monitor-evidence": {*WITNESSING},
    "monitor-redis": {*IDENTIFYING},
    "monitor-creates-lease": {Right("create", "coordination.k8s.io", "leases")},
}


def rights_of(role: Object) -> set[Right]:
    return {
        Right(verb, group, *resource.split("/"), name=name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_role_is_what_the_code_asks_for(way: str) -> None:
    """Does the Role grant exactly what the monitor needs, by name where a name can be given?"""
    objects = monitored(way=way)
    name = one(objects, "Deployment")["metadata"]["name"]
    needed = {*reading_one(name), *writing_one(name), *leasing_one(name)}
    assert rights_of(one(objects, "Role")) == needed


@pytest.mark.parametrize("component", OPTIONAL)
@pytest.mark.parametrize("way", WAYS)
def test_an_optional_component_adds_its_own_rights(component: str, way: str) -> None:
    """Does each add exactly its verbs to the monitor's own Role, in each way to add it?"""
    before, after = (
        rights_of(one(monitored(FUJI, *more, way=way), "Role")) for more in ((), (component,))
    )
    assert after - before == OPTIONAL[component]
    assert before < after


def test_the_lease_is_there_without_a_spec() -> None:
    """Does applying the manifests again leave the Lease to whoever holds it?"""
    assert "spec" not in one(monitored(), "Lease")


@pytest.mark.parametrize("way", WAYS)
def test_only_the_monitor_has_the_token(way: str) -> None:
    """Is the token in one container alone, which runs as another user than the node, and readable
    for that user with and without fsGroup?
    """
    (pod,) = pod_specs(monitored(way=way)).values()
    assert pod["automountServiceAccountToken"] is False
    first, *others = [*pod["initContainers"], *pod["containers"]]
    assert first["volumeMounts"] == [
        {
            "name": "monitor-token",
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            "readOnly": True,
        }
    ]
    assert not [m for c in others for m in c["volumeMounts"] if m["name"] == "monitor-token"]
    assert first["securityContext"]["runAsUser"] != pod["securityContext"]["runAsUser"]
    assert pod["securityContext"]["fsGroup"], "the kubelet gives the token to this group"
    (volume,) = [v for v in pod["volumes"] if v["name"] == "monitor-token"]
    assert volume["projected"]["defaultMode"] == 0o644
    written = [
        item["path"]
        for source in volume["projected"]["sources"]
        for of in source.values()
        for item in of.get("items", [of])
    ]
    assert written == ["token", "ca.crt", "namespace"]


def test_redis_password_is_the_monitors_alone() -> None:
    """Is the file that the setting names mounted there, and nowhere else?"""
    (pod,) = pod_specs(monitored(FUJI, "monitor-redis")).values()
    monitor, *others = [*pod["initContainers"], *pod["containers"]]
    (mount,) = [m for m in monitor["volumeMounts"] if m["name"] == "redis-password"]
    env = {v["name"]: v.get("value") for v in monitor["env"]}
    assert env["BOOTSTRAP_STORE_PASSWORD_FILE"] == f"{mount['mountPath']}/password"
    assert mount["readOnly"] is True
    assert not [m for c in others for m in c["volumeMounts"] if m["name"] == "redis-password"]
    (volume,) = [v for v in pod["volumes"] if v["name"] == "redis-password"]
    assert volume["secret"] == {"secretName": "bootstrap-redis", "defaultMode": 0o440}


def test_redis_lets_its_users_in() -> None:
    """Does the policy beside Redis know the label that the component gives to pods?"""
    own = "{resources: [../k8s/base], components: [../k8s/components/redis-for-monitors]}"
    policy = one(build_own(own), "NetworkPolicy", "bootstrap-redis-monitors")
    (rule,) = policy["spec"]["ingress"]
    (peer,) = rule["from"]
    template = one(monitored(FUJI, "monitor-redis"), "Deployment")["spec"]["template"]
    assert peer["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    redis = one(build("overlays/standard"), "NetworkPolicy", "bootstrap-redis")
    assert policy["spec"]["podSelector"] == redis["spec"]["podSelector"]


def test_the_overlay_stands_alone() -> None:
    """Is it, with what is kept of it, in a namespace that is not the controller's, and has the
    monitor its rights there?
    """
    objects, kept = build(MONITORED), build(f"{MONITORED}/kept")
    namespace = one(kept, "Namespace")["metadata"]["name"]
    assert namespace != one(build("namespace"), "Namespace")["metadata"]["name"]
    both = (*objects, *kept)
    assert {o["metadata"].get("namespace", namespace) for o in both} == {namespace}
    name = f"bootstrap-{FUJI}"
    needed = {*reading_one(name), *writing_one(name), *leasing_one(name), *WITNESSING}
    assert rights_of(one(objects, "Role")) == needed
    assert monitor_of(objects) == monitor_of(monitored())
