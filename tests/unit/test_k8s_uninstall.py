"""What is deleted with `kubectl delete -k`, and what stays: namespaces and volumes do."""

import re

import pytest

from tests.every_manifest import BUILDS
from tests.kustomize import K8S, Object, build, build_own, one, pod_specs

# What holds others' data; a person who applies one of these knows what it is.
KEPT = [
    folder
    for folder in BUILDS
    if folder == "namespace" or "volume" in folder or folder.endswith("/kept")
]
KINDS = {"Namespace", "PersistentVolumeClaim"}
PRUNING = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}


@pytest.mark.parametrize("folder", [folder for folder in BUILDS if folder not in KEPT])
def test_deleting_it_takes_no_data(folder: str) -> None:
    """Is there neither a namespace, with which all goes that is in it, nor a volume claim?"""
    assert not [o for o in build(folder) if o["kind"] in KINDS]


@pytest.mark.parametrize("folder", KEPT)
def test_what_holds_data_holds_nothing_else(folder: str) -> None:
    """Is what stays apart from what goes, and does nobody who prunes or deletes an Application or a
    Flux Kustomization take it along?
    """
    for found in build(folder):
        assert found["kind"] in KINDS
        assert found["metadata"]["annotations"].items() >= PRUNING.items()


def test_the_claim_of_redis_stays() -> None:
    """Does Redis's claim outlive its StatefulSet, whatever a cluster's default is?"""
    spec = one(build("overlays/standard"), "StatefulSet")["spec"]
    policy = spec["persistentVolumeClaimRetentionPolicy"]
    assert policy == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_what_the_documentation_deletes() -> None:
    """Does every folder that the documentation deletes leave namespaces and volumes alone?"""
    for page in ("kubernetes.md", "monitor.md"):
        text = (K8S.parent / "docs" / page).read_text()
        deleted = re.findall(r"kubectl delete -k k8s/(\S+)", text)
        assert deleted, page
        assert not set(deleted) & set(KEPT)
        for folder in deleted:
            assert not [o for o in build(folder) if o["kind"] in KINDS]


@pytest.mark.parametrize("way", ["nameSuffix", "namePrefix"])
def test_a_target_finds_its_claim_under_any_name(way: str) -> None:
    """Does the pod name the claim as it is called, built apart and with another name besides?"""
    text = f"{{namespace: own, {way}: more, resources: [../k8s/targets/%s/fuji-full-sync]}}"
    claim = one(build_own(text % "volumes"), "PersistentVolumeClaim")["metadata"]
    objects = build_own(text % "overlays")
    (pod,) = pod_specs(objects).values()
    (data,) = (v for v in pod["volumes"] if v["name"] == "data")
    assert data["persistentVolumeClaim"] == {"claimName": claim["name"]}
    assert "more" in claim["name"]
    assert claim["namespace"] == one(objects, "Deployment")["metadata"]["namespace"] == "own"


def test_a_target_and_its_claim_in_one_kustomization() -> None:
    """Is it the same where a person builds both together?"""
    both = build_own(
        "{nameSuffix: -more, resources: [../k8s/targets/volumes/fuji-full-sync,"
        " ../k8s/targets/overlays/fuji-full-sync]}"
    )
    (pod,) = pod_specs(both).values()
    (data,) = (v for v in pod["volumes"] if v["name"] == "data")
    claim: Object = one(both, "PersistentVolumeClaim")
    assert data["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"]}
