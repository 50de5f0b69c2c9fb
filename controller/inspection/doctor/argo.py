"""`doctor`: whether Argo CD would write a pin back, as far as that can be told from outside."""

from collections.abc import Mapping
from typing import Any

import orjson

from controller.base.errors import BootstrapError
from controller.base.text import shown
from controller.domain import names
from controller.domain.manifest.field_owners import image_manager
from controller.domain.manifest.request import node_container_name
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, record_of
from controller.inspection.doctor.finding import Finding, Topic
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation

ARGO = "argocd"
_TRACKING = "argocd.argoproj.io/tracking-id"  # `APPLICATION:GROUP/KIND:NAMESPACE/NAME`
_HOME = "argocd"  # where Applications are, unless it was set up otherwise
_WRITE = "write its ignoreDifferences and syncOptions as in k8s/argocd/targets.yaml"


async def would_revert(client: KubeClient, deployment: Deployment) -> Finding:
    """Green without a sign of Argo CD; else by its Application; yellow where that is not read."""
    topic = Topic(ARGO, deployment.metadata.key)
    record = record_of(deployment)
    reverts = record.run.reverts if isinstance(record, Record) and record.run else 0
    who = _sign(deployment)
    if not who:
        return topic.green("no sign of it: nothing here was written by Argo CD")
    if reverts:
        return topic.red(f"{who}; the open run's pin was written back {reverts} times", _WRITE)
    application = (deployment.metadata.annotation(_TRACKING) or "").partition(":")[0]
    if not application:
        return topic.yellow(f"{who}; cannot tell what its Application ignores", f"{_WRITE}")
    try:
        read = await _application(client, application)
    except BootstrapError as error:
        why = shown(error, 200)
        return topic.yellow(
            f"{who}; cannot tell what Application {application} ignores: {why}", _WRITE
        )
    lacks = what_lacks(read, deployment)
    if lacks:
        return topic.red(f"{who}; Application {application} {lacks}", _WRITE)
    return topic.green(f"{who}; Application {application} leaves the image alone")


def _sign(deployment: Deployment) -> str:
    """What shows that Argo CD looks after it, in words; empty where nothing does."""
    meta = deployment.metadata
    manager = image_manager(deployment, node_container_name(deployment)) or ""
    if manager.startswith("argocd"):
        return f"{shown(manager, 60)} wrote the image last"
    if meta.annotation(_TRACKING):
        return "Argo CD tracks it"
    if any(entry.manager.startswith("argocd") for entry in meta.managed_fields or ()):
        return "Argo CD writes to it"
    return ""


async def _application(client: KubeClient, name: str) -> Mapping[str, Any]:
    """Raises what `KubeClient.fetch` raises."""
    namespace, slash, own = name.partition("_")  # of Applications in any namespace
    home, name = (namespace, own) if slash else (_HOME, name)
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{home}/applications/{name}"
    operation = Operation("get", "applications.argoproj.io", home, name)
    try:
        found = orjson.loads(await client.fetch(Call(operation, "GET", path)))
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def what_lacks(application: Mapping[str, Any], deployment: Deployment) -> str:
    """Why a sync would write the image back, a clause; empty where it would not [141, 142, 145].
    Of a path it is only seen that it leads to an image, and not to which.
    """
    spec = _dict(application.get("spec"))
    options = {str(each) for each in _list(_dict(spec.get("syncPolicy")).get("syncOptions"))}
    ignored = [
        _dict(each)
        for each in _list(spec.get("ignoreDifferences"))
        if _is_of(_dict(each), deployment)
    ]
    if not any(map(_leaves_image, ignored)):
        return "does not ignore the image of this Deployment"
    if "RespectIgnoreDifferences=true" not in options:
        return "hides the difference only: RespectIgnoreDifferences=true is not among syncOptions"
    forcing = sorted(options & {"Replace=true", "Force=true"})
    return f"has {forcing[0]}, which does not care for what is ignored" if forcing else ""


def _is_of(entry: Mapping[str, Any], deployment: Deployment) -> bool:
    meta = deployment.metadata
    return (
        entry.get("kind") in ("Deployment", "*")
        and entry.get("name") in (None, "", meta.name)
        and entry.get("namespace") in (None, "", meta.namespace)
    )


def _leaves_image(entry: Mapping[str, Any]) -> bool:
    if names.FIELD_MANAGER in _list(entry.get("managedFieldsManagers")):
        return True
    paths = [*_list(entry.get("jqPathExpressions")), *_list(entry.get("jsonPointers"))]
    return any(
        str(path).rstrip().endswith(("image", "/containers", ".containers")) for path in paths
    )


def _dict(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []
