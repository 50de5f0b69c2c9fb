"""Deployments and Services in a file of manifests: YAML of several documents, or JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
import yaml

from controller.base.errors import BootstrapError, Fault
from controller.base.text import shown
from controller.domain.objects import Deployment, Service
from controller.kube.watch.decoding import ObjectDecoder, Unreadable

LIMIT = 4 * 1024 * 1024  # bytes of a file: more is no file of manifests

T = TypeVar("T")


@dataclass(frozen=True)
class Pair:
    """A Deployment with the Service of its name."""

    deployment: Deployment
    service: Service | None  # None: the file has none


def read_manifests(text: bytes, where: str) -> list[Pair]:
    """All Deployments of the file. where: its name, for sentences. Raises Fault."""
    if len(text) > LIMIT:
        raise Fault(f"{where} has more than {LIMIT} bytes: it is no file of manifests")
    documents = list(_objects(text, where))
    services = [_decoded(Service, each, where) for each in documents if _kind(each) == "Service"]
    deployments = [
        _decoded(Deployment, each, where) for each in documents if _kind(each) == "Deployment"
    ]
    if not deployments:
        raise Fault(f"{where} has no Deployment: name a file that has one, and its Service")
    return [Pair(each, _service_of(each, services)) for each in deployments]


def _service_of(deployment: Deployment, services: list[Service]) -> Service | None:
    meta = deployment.metadata
    named = (each for each in services if each.metadata.name == meta.name)
    return next((each for each in named if each.metadata.namespace == meta.namespace), None)


def _objects(text: bytes, where: str) -> Iterator[dict[str, Any]]:
    """Each document, and each item of a List. JSON is YAML, too."""
    try:
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Fault(f"{where} is neither YAML nor JSON: {shown(error, 300)}") from None
    for document in documents:
        if not isinstance(document, dict):
            continue
        items = document.get("items")
        if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
            yield from (item for item in items if isinstance(item, dict))
        else:
            yield document


def _kind(document: dict[str, Any]) -> str:
    return str(document.get("kind", ""))


def _decoded(kind: type[T], document: dict[str, Any], where: str) -> T:
    try:
        found = ObjectDecoder(kind).object(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, BootstrapError) as error:
        raise Fault(f"a {kind.__name__} in {where} cannot be read: {shown(error, 200)}") from None
    if isinstance(found, Unreadable):
        raise Fault(f"a {kind.__name__} in {where} cannot be read: {found.why}")
    return found
