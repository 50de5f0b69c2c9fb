"""Events a second through the whole informer: HTTP, split, decode, cache, handlers, queue.

The recorded events are replayed by another process, one HTTP chunk an event, as fast as they are
taken, and each round has other resourceVersions. Beside it: `orjson.loads` of the same lines
without any HTTP, in turn with ours; then other clients of the same server; and a reader that does
nothing with the bytes, which is what server and loopback can do.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Sequence
from random import Random
from statistics import median
from typing import cast

import orjson

from controller.base.clock import SystemClock
from controller.domain.objects import Deployment
from controller.engine.queue.work_queue import WorkQueue
from controller.kube.cluster import KubeCluster, Watching
from controller.kube.watch.cache import Cache
from controller.kube.watch.decoding import Changed, ObjectDecoder, metadata_of
from controller.kube.watch.informer import Informer
from controller.kube.watch.list_and_watch import ListAndWatch
from tests.bench.figure import Figure, Scale, at_least, of_rounds
from tests.bench.recorded_events import rounds
from tests.bench.replaying import client_of, replay_server, until_ended
from tests.bench.watch_peers import PEERS, nothing

_ROUND = 519  # events
_BARE, _IDLE = "bare orjson.loads", "reading without decoding"


async def measure(scale: Scale) -> Sequence[Figure]:
    events, times = scale.pick(80, 4) * _ROUND, scale.pick(7, 1)
    bare, ours, idle = [], [], []
    peers: dict[str, float] = {}
    with replay_server() as url:
        for _ in range(times):
            bare.append(_bare(scale.pick(20, 2)))
            ours.append(await _rate(_ours(url, events), events))
            idle.append(await _rate(nothing(url, events), events))
        for name, (read, whole) in PEERS.items():
            count = scale.pick(whole, whole // 10)
            with contextlib.suppress(ImportError):
                peers[name] = median(
                    [await _rate(read(url, count), count) for _ in range(scale.pick(3, 1))]
                )
    beside = {_BARE: median(bare), **peers, **_parts(scale.pick(12, 1)), _IDLE: median(idle)}
    missing = ", ".join(name for name in PEERS if name not in peers)
    goal = at_least(median(bare), _BARE)
    what = "events through the whole informer"
    note = "one HTTP chunk an event of 5.5 KB" + (f"; not installed: {missing}" if missing else "")
    found = [of_rounds(what, ours, "events/s", goal, beside, note)]
    for name, factor in (("lightkube", 3), ("kubernetes-asyncio", 30)):
        if name in peers:
            times_of = [rate / peers[name] for rate in ours]
            found.append(of_rounds(f"the same beside {name}", times_of, "times", at_least(factor)))
    return found


def _bare(count: int) -> float:
    """Events a second. The lines are made before."""
    lines = [line for each in rounds(count) for line in each]
    begin = time.perf_counter()
    for line in lines:
        orjson.loads(line)
    return len(lines) / (time.perf_counter() - begin)


def _parts(count: int) -> dict[str, float]:
    """Events a second of what ours does behind HTTP, which is the rest."""
    lines = [line for each in rounds(count) for line in each]
    chunks = [b"\n".join(lines[at : at + 20]) + b"\n" for at in range(0, len(lines), 20)]
    decoder = ObjectDecoder(Deployment)
    begin = time.perf_counter()
    for chunk in chunks:
        decoder.events(chunk)
    decoded = time.perf_counter()
    clock, random = SystemClock(), Random(1)
    offer = cast("ListAndWatch[Deployment]", _NoOffer())
    informer, queue = Informer(offer, Cache[Deployment](), clock, random), WorkQueue(clock, random)
    informer.on_change(lambda each: queue.add(metadata_of(each.after or each.before).key))
    for chunk in chunks:
        for event in decoder.events(chunk):
            informer.apply(cast("Changed[Deployment]", event))
    end = time.perf_counter()
    return {
        "of ours, decoding alone": len(lines) / (decoded - begin),
        "of ours, all but HTTP": len(lines) / (end - decoded),
    }


class _NoOffer:
    """Nothing is asked of it."""

    plural, namespace = "deployments", ""


async def _rate(reading: Awaitable[None], count: int) -> float:
    begin = time.perf_counter()
    await reading
    return count / (time.perf_counter() - begin)


async def _ours(url: str, count: int) -> None:
    """Until so many changes have been told; connecting and the empty lists are within."""
    clock, random, left, enough = SystemClock(), Random(1), count, asyncio.Event()
    queue = WorkQueue(clock, random)

    def heard(key: str) -> None:
        nonlocal left
        queue.add(key)
        left -= 1
        if not left:
            enough.set()

    async with client_of(url) as client:
        cluster = KubeCluster(client, Watching(("bench",), deployment=""), clock, random)
        cluster.on_change(heard)
        await until_ended(asyncio.create_task(cluster.run()), enough)
    if queue.depth != 500:
        raise RuntimeError(f"of 500 Deployments, {queue.depth} wait in the queue")
