"""One Deployment that the real engine has brought to a state, as the API server's JSON."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec

from controller.domain import names
from controller.domain.build import Platform
from controller.domain.objects import Deployment, Pod
from controller.domain.record.record import Record, record_of
from controller.domain.reference import Reference
from controller.domain.run import Phase
from controller.engine.engine import Engine, EngineOptions, Ports
from controller.simulator.manifests import TargetManifest
from store.memory import MemoryStore
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.machine_engine import Ear
from tests.simulation.played import HOUR, Character, PlayedClock, PlayedCluster, PlayedProbe

State = Literal["new", "at rest", "open run"]
REPOSITORY = "avaplatform/avalanchego"
# What a clone has another word for: each is found in names, uids, labels, records and messages
NAME, SERIES, TAG = "templatename", "templateseries", "templatetag"
DIGITS, VERSION = "f00dcafe", "770077"
BUILD = f"sha256:{DIGITS}{'b' * 56}"
INDEX = f"sha256:{DIGITS}{'d' * 56}"

_FIELDS = Path(__file__).parents[1] / "kube_samples/managed-fields.json"
_OPEN_FOR = HOUR / 2
_RESTED = 20 * HOUR


async def template_of(state: State, now: datetime) -> tuple[bytes, bytes, bytes]:
    """Deployment, Service and Pod, empty where it has none: as the API server gives them, at `now`.
    A Deployment at rest has passed its build hours ago; one with an open run bootstraps since half
    an hour.
    """
    manifest = TargetManifest(
        NAME, image=f"{REPOSITORY}:{TAG}", annotations={f"{names.PREFIX}series": SERIES}
    )
    found = _made(manifest, now)
    pod: Pod | None = None
    if state != "new":
        typed, pod = await _lived(msgspec.json.decode(_encoded(found), type=Deployment), state, now)
        _carry(typed, found)
    service = manifest.service()
    service["metadata"] |= _identity("service", now)
    text = _encoded(found)
    if pod is not None:  # which the record knows by its uid
        text = text.replace(f'"{pod.metadata.uid}\\"'.encode(), f'"pod-of-{NAME}\\"'.encode())
    return text, _encoded(service), _encoded(_pod(pod)) if pod else b""


def _made(manifest: TargetManifest, now: datetime) -> dict[str, Any]:
    found = manifest.deployment()
    found["metadata"] |= _identity("deployment", now)
    found["metadata"]["managedFields"] = json.loads(_FIELDS.read_text())
    return found


def _identity(kind: str, now: datetime) -> dict[str, Any]:
    return {
        "uid": f"{kind}-of-{NAME}",
        "resourceVersion": VERSION,
        "generation": 1,
        "creationTimestamp": f"{now - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
    }


async def _lived(found: Deployment, state: State, now: datetime) -> tuple[Deployment, Pod]:
    """With the engine, until its state is this one and nothing is left to do."""
    span = _RESTED if state == "at rest" else _OPEN_FOR
    clock = PlayedClock(now - timedelta(seconds=span))
    cluster = PlayedCluster(clock, Random(1))
    registry = FakeRegistry(clock)
    registry.publish(Reference.parse(REPOSITORY).repository, TAG, INDEX, {Platform(): BUILD})
    cluster.tags[TAG] = BUILD
    cluster.behaviour[BUILD] = Character(hours=6.0 if state == "at rest" else 1000.0)
    key = found.metadata.key
    cluster.deployments[key] = found
    ports = Ports(
        cluster=cluster,
        registry=registry,
        probe=PlayedProbe(cluster),
        store=MemoryStore(monotonic=clock.monotonic),
        sink=Ear(),
        witness=BlindWitness(),
        clock=clock,
        random=Random(2),
    )
    # The record of a store that ends with the process says all that was told
    options = EngineOptions(cluster=("template",), settle=0.0, store_lasts=False)
    task = asyncio.create_task(Engine(ports, options).run())
    try:
        steps = 120
        for _ in range(steps):
            cluster.tick()
            await clock.advance(span / steps)
    finally:
        task.cancel()
        await asyncio.wait({task})
    found = cluster.deployments[key]
    _check(found, state)
    return found, cluster.pods(key)[0]


def _check(found: Deployment, state: State) -> None:
    record = record_of(found)
    assert isinstance(record, Record)
    wanted: Callable[[Record], bool] = (
        (lambda r: r.run is None and r.phase is Phase.IDLE and len(r.outcomes) == 1)
        if state == "at rest"
        else (lambda r: r.run is not None and r.run.phase is Phase.BOOTSTRAPPING)
    )
    assert wanted(record), record


def _carry(typed: Deployment, found: dict[str, Any]) -> None:
    """What the engine wrote, into the API server's object."""
    meta, template = typed.metadata, typed.spec.template
    found["metadata"]["labels"] = meta.labels
    found["metadata"]["annotations"] = meta.annotations
    found["metadata"]["generation"] = meta.generation
    into = found["spec"]["template"]
    into["metadata"]["annotations"] = template.metadata.annotations
    for there, containers in (
        (into["spec"]["containers"], template.spec.containers),
        (into["spec"]["initContainers"], template.spec.init_containers),
    ):
        for container, written in zip(there, containers or (), strict=True):
            container["image"] = written.image


def _pod(pod: Pod) -> dict[str, Any]:
    """With its owner, by which it is matched to its Deployment."""
    found: dict[str, Any] = _without_nulls(json.loads(msgspec.json.encode(pod)))
    replica_set = {"kind": "ReplicaSet", "name": f"{NAME}-5d4c7b9f6", "controller": True}
    found["metadata"] |= {
        "name": f"{NAME}-5d4c7b9f6-x7k2p",
        "uid": f"pod-of-{NAME}",
        "resourceVersion": VERSION,
        "labels": {"app": NAME, names.TEST: "true", "pod-template-hash": "5d4c7b9f6"},
        "ownerReferences": [{**replica_set, "uid": f"set-of-{NAME}", "apiVersion": "apps/v1"}],
    }
    return {"apiVersion": "v1", "kind": "Pod", **found}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _encoded(found: dict[str, Any]) -> bytes:
    return json.dumps(found, separators=(",", ":")).encode()
