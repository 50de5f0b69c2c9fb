"""Recordings and small objects for tests of controller/kube."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace as with_fields

from controller.domain.metadata import ManagedField
from controller.domain.objects import Deployment, Pod, Service

FOLDER = Path(__file__).parent
RECORDINGS = FOLDER.parent / "recordings"


def recording(start: str) -> dict[str, Any]:
    """The recorded exchange whose file begins so."""
    (path,) = RECORDINGS.glob(f"{start}-*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def recorded_stream() -> bytes:
    """519 watch events of labelled Deployments, as they came."""
    return gzip.decompress((FOLDER / "deployment-watch-events.jsonl.gz").read_bytes())


def recorded_managers() -> list[dict[str, Any]]:
    """metadata.managedFields of a Deployment that was pinned: exchange 30, whole."""
    found: list[dict[str, Any]] = json.loads((FOLDER / "managed-fields.json").read_text())
    return found


def raw_of(*entries: ManagedField) -> msgspec.Raw:
    """As a Deployment keeps them."""
    return msgspec.Raw(msgspec.json.encode(entries))


def written_by(found: Deployment, manager: str, fields: Mapping[str, Any]) -> Deployment:
    """As if this field manager, and nobody else, had written these fields (`f:...`) of it."""
    entry = ManagedField(manager=manager, fields_v1=msgspec.Raw(msgspec.json.encode(fields)))
    return with_fields(found, metadata=with_fields(found.metadata, managed=raw_of(entry)))


def deployment(name: str = "fuji", version: str = "1", **changes: Any) -> dict[str, Any]:
    """A labelled Deployment as JSON. changes: of its metadata."""
    metadata = {
        "name": name,
        "namespace": "bootstrap",
        "uid": f"uid-of-{name}",
        "resourceVersion": version,
        "labels": {"bootstrap.avax.network/test": "true"},
    }
    container = {"name": "node", "image": "avaplatform/avalanchego:latest"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata | changes,
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


def pod(name: str, owner: str = "fuji", version: str = "1", **changes: Any) -> dict[str, Any]:
    """A Pod of that Deployment."""
    metadata = {
        "name": name,
        "namespace": "bootstrap",
        "uid": f"uid-of-{name}",
        "resourceVersion": version,
        "labels": {"pod-template-hash": "abc"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": f"{owner}-abc", "controller": True}],
    }
    return {"metadata": metadata | changes}


def service(name: str = "fuji", version: str = "1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "bootstrap", "uid": f"s-{name}"}
    return {
        "metadata": metadata | {"resourceVersion": version},
        "spec": {"ports": [{"port": 9650}]},
    }


def as_deployment(found: dict[str, Any]) -> Deployment:
    return msgspec.json.decode(json.dumps(found), type=Deployment)


def as_pod(found: dict[str, Any]) -> Pod:
    return msgspec.json.decode(json.dumps(found), type=Pod)


def as_service(found: dict[str, Any]) -> Service:
    return msgspec.json.decode(json.dumps(found), type=Service)


def listing(*items: dict[str, Any], version: str = "10", token: str = "") -> dict[str, Any]:
    """The body of a list. token: of the next page."""
    metadata = {"resourceVersion": version} | ({"continue": token} if token else {})
    return {"kind": "List", "metadata": metadata, "items": list(items)}


def status(code: int, reason: str = "", message: str = "no") -> dict[str, Any]:
    """The API server's own error object."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure"} | {
        "code": code,
        "reason": reason,
        "message": message,
    }


def line(kind: str, found: dict[str, Any]) -> bytes:
    """One watch event as it comes over the wire."""
    return json.dumps({"type": kind, "object": found}, ensure_ascii=False).encode() + b"\n"


def bookmark(version: str) -> bytes:
    return line("BOOKMARK", {"kind": "Deployment", "metadata": {"resourceVersion": version}})
