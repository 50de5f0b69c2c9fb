"""Whether an Application of Argo CD leaves the image of a pinned Deployment alone."""

from typing import Any

import pytest
import yaml

from controller.domain.metadata import Metadata
from controller.domain.objects import Deployment
from controller.inspection.doctor.argo import what_lacks
from tests.kustomize import K8S

FUJI = Deployment(metadata=Metadata(name="fuji", namespace="bootstrap"))
RESPECTED = "RespectIgnoreDifferences=true"


def application(*options: str, **ignored: Any) -> dict[str, Any]:
    entry = {"group": "apps", "kind": "Deployment", **ignored}
    return {"spec": {"ignoreDifferences": [entry], "syncPolicy": {"syncOptions": list(options)}}}


def test_ours_leaves_it_alone() -> None:
    """Does the Application of k8s/argocd lack nothing?"""
    found = yaml.safe_load((K8S / "argocd" / "targets.yaml").read_text())
    assert what_lacks(found, FUJI) == ""


@pytest.mark.parametrize(
    ("found", "lacks"),
    [
        ({}, "does not ignore"),
        ({"spec": {"ignoreDifferences": "all", "syncPolicy": []}}, "does not ignore"),
        (application(RESPECTED, jsonPointers=["/spec/replicas"]), "does not ignore"),
        (
            application(RESPECTED, name="other", managedFieldsManagers=["bootstrap-controller"]),
            "does not ignore",
        ),
        (application(managedFieldsManagers=["bootstrap-controller"]), "hides the difference only"),
        (
            application(
                RESPECTED, "Replace=true", jsonPointers=["/spec/template/spec/containers/0/image"]
            ),
            "has Replace=true",
        ),
        (application(RESPECTED, managedFieldsManagers=["bootstrap-controller"]), ""),
    ],
)
def test_what_lacks(found: dict[str, Any], lacks: str) -> None:
    """Is each way in which a sync takes the image back found, whatever stands there?"""
    assert what_lacks(found, FUJI).startswith(lacks)
    assert bool(what_lacks(found, FUJI)) == bool(lacks)
