"""Deployments at work as an API server tells of them: recorded ones, with the records that the
controller writes; and the same in a store.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.record.record import SCHEMA, OpenRun, Outcome, Record, encode_record
from controller.domain.run import Phase
from store.api import Claim, Meta, StateStore
from tests.bench.recorded_events import recorded_events
from tests.many_runs import build, commit, index, run_of, version

NAMESPACE = "bench"
PAGE = 500  # as the controller asks for them
_TOGETHER = 10  # Deployments of a target
_NOW = 1_780_000_000
_TOLD = 5  # outcomes in a record


def deployments(count: int) -> Iterator[dict[str, Any]]:
    """Of 7 to 10 KB each; every other one has an open run, and all have ended some."""
    lines = recorded_events()
    for number in range(count):
        found = json.loads(lines[number % len(lines)])["object"]
        meta, name = found["metadata"], f"node-{number:05}"
        meta |= {"name": name, "uid": f"0c59a809-b76b-4311-8baa-{number:012}"}
        meta["resourceVersion"] = str(1_000_000 + number)
        record = _record(number, name, meta["uid"])
        meta["annotations"] |= {
            names.RECORD: encode_record(record, Rules()),
            names.SERIES: f"s{number // _TOGETHER}",
            names.MESSAGE: record.message,
        }
        meta["labels"][names.PHASE] = (record.run.phase if record.run else record.phase).value
        yield found


def pages(objects: Iterable[dict[str, Any]]) -> list[bytes]:
    """Bodies of a list of Deployments, in the order in which they follow each other."""
    found = list(objects)
    parts = [found[at : at + PAGE] for at in range(0, len(found), PAGE)] or [[]]
    bodies = []
    for number, items in enumerate(parts):
        last = number == len(parts) - 1
        metadata = {"resourceVersion": "2000000"} | ({} if last else {"continue": str(number + 1)})
        body = {
            "kind": "DeploymentList",
            "apiVersion": "apps/v1",
            "metadata": metadata,
            "items": items,
        }
        bodies.append(json.dumps(body, separators=(",", ":")).encode())
    return bodies


async def remember(store: StateStore, objects: Iterable[dict[str, Any]]) -> None:
    """What the controller of these Deployments would have written of them."""
    meta = await store.refill(Meta(1, "the-epoch", 0, "the-bench"), ())
    claims: dict[tuple[str, str], Claim] = {}
    for each in objects:
        key = f"{NAMESPACE}/{each['metadata']['name']}"
        text = each["metadata"]["annotations"][names.RECORD]
        record = json.loads(text)
        await store.mirror(key, {"record": text, "seq": str(record["seq"])})
        for ended in record["outcomes"]:
            await store.note_seen(ended["target"], ended["build"], at=float(ended["began"]))
            claim = Claim(ended["target"], ended["build"], ended["run"], key)
            claims.setdefault((claim.target, claim.build), claim)
            fields = {"phase": ended["phase"], "build": ended["build"], "took": str(ended["took"])}
            await store.put_run(ended["target"], ended["run"], fields)
        if "run" in record:
            run = record["run"]
            fields = {"phase": run["phase"], "build": run["build"], "observed": "700"}
            await store.put_run(run["target"], run["id"], fields)
    await store.refill(meta, claims.values())


def _record(number: int, name: str, uid: str) -> Record:
    target = f"fuji-c-chain-state-sync-s{number // _TOGETHER}"
    ended = [_outcome(10 * number + each, target, _NOW - 7200 * (_TOLD - each))
             for each in range(_TOLD)]  # fmt: skip
    run = _run(10 * number + _TOLD, target) if number % 2 else None
    return Record(
        schema=SCHEMA,
        namespace=NAMESPACE,
        name=name,
        uid=uid,
        seq=40,
        phase=Phase.BOOTSTRAPPING if run else Phase.IDLE,
        reason="Started" if run else "Passed",
        message="the node bootstraps: 3 of its 3 chains, 41 peers" if run
        else "avalanchego/1.14.1 is tested already: waiting for the tag to move",
        since=_NOW - 3000,
        run=run,
        outcomes=tuple(ended),
        tested={target: tuple(each.build for each in ended)},
        last_run=run.id if run else ended[-1].run,
        told=40,
    )  # fmt: skip


def _outcome(number: int, target: str, at: int) -> Outcome:
    return Outcome(
        run=run_of(number),
        build=build(number),
        target=target,
        phase=Phase.PASSED,
        reason="Soaked",
        at=at,
        began=at - 3600,
        message="it bootstrapped and was sound for long enough",
        observed=3600.0,
        took=3000.0,
        lasted=3100,
        version=f"avalanchego/{version(number)}",
        commit=commit(number),
        machine="i4i.xlarge",
    )


def _run(number: int, target: str) -> OpenRun:
    return OpenRun(
        id=run_of(number),
        build=build(number),
        image=f"avaplatform/avalanchego:latest@{index(number)}",
        target=target,
        network="fuji",
        mode="state-sync",
        config="1f0c2a4b",
        phase=Phase.BOOTSTRAPPING,
        reason="Started",
        decided=_NOW - 3600,
        since=_NOW - 3000,
        digest=index(number),
        found=("avaplatform/avalanchego:latest",),
        started=_NOW - 3000,
        observed=3000.0,
    )
