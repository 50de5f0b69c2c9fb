"""Pods where others decide what a pod may be: Pod Security, and OpenShift's ranges of users."""

from collections.abc import Callable

import pytest

from controller.simulator.apiserver.storage import copied
from tests.every_manifest import everything
from tests.kustomize import Object, build, build_own, one, pod_specs
from tests.pod_security import containers, refused


def test_every_pod_is_let_in() -> None:
    """Would a namespace that enforces `restricted` take every pod, of whatever is built?"""
    found = {
        f"{folder}: {name}": refused(pod)
        for folder, objects in everything().items()
        for name, pod in pod_specs(objects).items()
    }
    assert len(found) > 40
    assert {name: why for name, why in found.items() if why} == {}


def test_our_namespaces_enforce_it() -> None:
    """Does the namespace that is shipped enforce the profile?"""
    for folder in ("namespace", "targets/monitored/fuji-c-chain-state-sync/kept"):
        labels = one(build(folder), "Namespace")["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda pod: pod.update(hostNetwork=True), "hostNetwork"),
        (lambda pod: pod["volumes"].append({"name": "x", "hostPath": {}}), "volume x"),
        (lambda pod: pod["securityContext"].update(runAsUser=0), "user root"),
        (lambda pod: pod["securityContext"].pop("runAsNonRoot"), "node: may be root"),
        (lambda pod: pod["securityContext"].pop("seccompProfile"), "node: no seccomp"),
        (lambda pod: _node(pod).pop("allowPrivilegeEscalation"), "node: escalation"),
        (lambda pod: _node(pod).pop("capabilities"), "node: keeps capabilities"),
        (lambda pod: _node(pod)["capabilities"].update(add=["X"]), "node: adds capabilities"),
        (lambda pod: _node(pod).update(privileged=True), "node: privileged"),
    ],
)
def test_a_pod_that_breaks_a_rule_is_refused(spoil: Callable[[Object], object], why: str) -> None:
    """Are these tests able to see it?"""
    (pod,) = map(copied, pod_specs(build("targets/example")).values())
    spoil(pod)
    assert why in refused(pod)


def _node(pod: Object) -> Object:
    context: Object = pod["containers"][0]["securityContext"]
    return context


# --- OpenShift -----------------------------------------------------------------------------------


def on_openshift() -> tuple[Object, ...]:
    return build_own(
        "{resources: [../k8s/overlays/standard, ../k8s/targets/overlays/all],"
        " components: [../k8s/components/openshift, ../k8s/targets/components/openshift]}"
    )


def test_no_user_is_asked_for() -> None:
    """Does every pod leave user and groups to the namespace's range, and is it still never root?"""
    pods = pod_specs(on_openshift())
    assert len(pods) == 10
    for name, pod in pods.items():
        for context in (pod["securityContext"], *(c["securityContext"] for c in containers(pod))):
            assert not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys(), name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert refused(pod) == []


def test_the_component_takes_nothing_else_away() -> None:
    """Is every pod, but for its users, what it was?"""
    plain = pod_specs((*build("overlays/standard"), *build("targets/overlays/all")))
    for name, pod in pod_specs(on_openshift()).items():
        before = copied(plain[name])
        for key in ("runAsUser", "runAsGroup", "fsGroup"):
            del before["securityContext"][key]
        assert pod == before
