"""The whole cluster port, against the simulated API server.

Included: what the engine sees and writes, and that it goes on seeing after each mishap. Excluded:
single misbehaviours of a stream (test_kube_watch.py), of a write (test_kube_writer.py).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from controller.base.errors import Unavailable
from controller.domain import names
from controller.domain.manifest.field_owners import image_manager
from controller.domain.notice import Level, Notice
from controller.domain.objects import Deployment
from controller.domain.record.write import ImageChange, Write
from controller.kube.api.client import KubeClient
from controller.kube.cluster import ALL, KubeCluster, Watching
from controller.kube.lease import LeaseClaim, LeaseLock
from controller.kube.rights import LEASING, READING, missing_rights
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.faults import Delay, Hang, LoseReply, StreamFault
from tests.jumping_loop import LoopClock
from tests.kube_samples.credentials import GivenCredentials

pytestmark = pytest.mark.jumping

MINUTE = 60.0


class Seen:
    """A cluster and the keys that it told; `until` waits for what is to become true."""

    def __init__(self, cluster: KubeCluster, server: SimulatedApiServer) -> None:
        self.cluster = cluster
        self.server = server
        self.told: list[str] = []
        self._changed = asyncio.Event()
        cluster.on_change(self._note)

    def _note(self, key: str) -> None:
        self.told.append(key)
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Looks after each change that is told."""
        while not true():
            self._changed.clear()
            await self._changed.wait()

    async def until_there_are(self, count: int) -> None:
        """So many Deployments."""
        await self.until(lambda: len(self.cluster.keys()) == count)


@pytest.fixture
async def server() -> AsyncIterator[SimulatedApiServer]:
    """An API server with three namespaces and a short history."""
    settings = ServerSettings(namespaces=("default", "bootstrap", "other"), history=30)
    server = SimulatedApiServer(LoopClock(), Random(1), settings)
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def seeing(server: SimulatedApiServer, *namespaces: str) -> AsyncIterator[Seen]:
    """A cluster that is synced and runs."""
    clock = LoopClock()
    watching = Watching(namespaces or ("bootstrap",))
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        cluster = KubeCluster(client, watching, clock, Random(1))
        seen = Seen(cluster, server)
        task = asyncio.create_task(cluster.run())
        try:
            await cluster.wait_synced(MINUTE)
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def made(
    server: SimulatedApiServer, name: str, namespace: str = "bootstrap", label: str = "true"
) -> dict[str, Any]:
    """A labelled Deployment is created by a person."""
    labels = {"app": name}
    container = {"name": "node", "image": "avaplatform/avalanchego:latest"}
    init = {"name": "prepare", "image": "avaplatform/avalanchego:latest"}
    found = server.objects.create(
        "deployments",
        {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {names.TEST: label},
            },
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [container], "initContainers": [init]},
                },
            },
        },
    )
    return dict(found)


def pod(server: SimulatedApiServer, of: str) -> None:
    """A pod of a Deployment's ReplicaSet."""
    labels = {names.TEST: "true", "pod-template-hash": "abc"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{of}-abc", "uid": "r",
             "controller": True}  # fmt: skip
    server.objects.create(
        "pods",
        {
            "metadata": {
                "name": f"{of}-abc-1", "namespace": "bootstrap", "labels": labels,
                "ownerReferences": [owner],
            },
            "spec": {"containers": [{"name": "node", "image": "x"}]},
        },
    )  # fmt: skip


def pin(found: Deployment, record: str = '{"schema":1}') -> Write:
    """The first pin of a Deployment that nobody has touched."""
    image = "avaplatform/avalanchego:latest"
    pinned = image + "@sha256:" + "1" * 64
    return Write(
        key=found.metadata.key,
        uid=found.metadata.uid,
        record_before=found.metadata.annotation(names.RECORD),
        record=record,
        phase_before=found.metadata.label(names.PHASE),
        phase="Starting",
        message_before=found.metadata.annotation(names.MESSAGE),
        message="a new build",
        has_annotations=found.metadata.annotations is not None,
        has_template_annotations=found.spec.template.metadata.annotations is not None,
        run_id="20261123t060000z-11111111",
        images=(
            ImageChange(False, 0, "node", image, pinned),
            ImageChange(True, 0, "prepare", image, pinned),
        ),
    )


async def test_deployments_pods_and_services_are_seen_together(
    server: SimulatedApiServer,
) -> None:
    """Each by the Deployment's key, and only what carries the label."""
    made(server, "fuji")
    made(server, "unlabelled", label="false")
    async with seeing(server) as seen:
        cluster = seen.cluster
        assert cluster.keys() == ["bootstrap/fuji"]
        pod(server, "fuji")
        server.objects.create(
            "services",
            {
                "metadata": {
                    "name": "fuji", "namespace": "bootstrap", "labels": {names.TEST: "true"},
                },
                "spec": {"ports": [{"port": 9650}]},
            },
        )  # fmt: skip
        await seen.until(lambda: cluster.service("bootstrap/fuji") is not None)
        await seen.until(lambda: len(cluster.pods("bootstrap/fuji")) == 1)

        assert set(seen.told) == {"bootstrap/fuji"}
        assert cluster.deployment("bootstrap/nobody") is None
        assert cluster.troubles() == []
        skew = cluster.skew()
        assert skew is not None
        assert abs(skew) < 5


async def test_pods_can_be_read_as_they_are_now(server: SimulatedApiServer) -> None:
    """Are the pods of one Deployment read past a watch that tells nothing?"""
    made(server, "fuji")
    made(server, "other")
    async with seeing(server) as seen:
        server.faults.add(Delay(asyncio.Event()), path=r"/pods[?]", is_watch=True, count=None)
        server.close_watches()
        pod(server, "fuji")
        pod(server, "other")
        found = await seen.cluster.read_pods("bootstrap/fuji")
        assert [each.metadata.name for each in found] == ["fuji-abc-1"]
        assert not seen.cluster.pods("bootstrap/fuji")


async def test_a_pin_is_applied_once_and_seen(server: SimulatedApiServer) -> None:
    """The same patch a second time finds another record; we own the image afterwards."""
    made(server, "fuji")
    async with seeing(server) as seen:
        cluster = seen.cluster
        found = cluster.deployment("bootstrap/fuji")
        assert found is not None
        write = pin(found)

        first = await cluster.write(write)
        again = await cluster.write(write)
        stale = await cluster.write(pin(found, record='{"schema":1,"other":true}'))

        assert (first.applied, again.applied, stale.applied) == (True, True, False)
        assert first.deployment is not None
        assert image_manager(first.deployment, "node") == "bootstrap-controller"
        await seen.until(
            lambda: (
                (now := cluster.deployment("bootstrap/fuji")) is not None
                and now.metadata.annotation(names.RECORD) == write.record
            )
        )
        read = await cluster.read("bootstrap/fuji")
        assert read is not None
        assert read.metadata.generation == first.deployment.metadata.generation


async def test_a_reply_that_was_lost_is_found_out(server: SimulatedApiServer) -> None:
    """The server has applied it and the connection broke."""
    made(server, "fuji")
    async with seeing(server) as seen:
        found = seen.cluster.deployment("bootstrap/fuji")
        assert found is not None
        server.faults.add(LoseReply(), method="PATCH")
        assert (await seen.cluster.write(pin(found))).applied


async def test_an_event_is_posted_once(server: SimulatedApiServer) -> None:
    """However often it is told."""
    notice = Notice(
        id="20261123t060000z-1a2b3c4d-1", at=datetime(2026, 11, 23, 6, tzinfo=UTC),
        level=Level.WARNING, title="fuji failed", text="it crashed", reason="CrashLoop",
        deployment="bootstrap/fuji", uid="u",
    )  # fmt: skip
    async with seeing(server) as seen:
        await seen.cluster.post_event(notice)
        await seen.cluster.post_event(notice)
    found = server.objects.get("events", "bootstrap", notice.id)
    assert found["reason"] == "CrashLoop"


async def test_the_watch_outlives_mishaps_of_the_server(server: SimulatedApiServer) -> None:
    """Streams that break, end, or carry garbage; a server that restarts; a history that was
    forgotten meanwhile: afterwards everything is seen.
    """
    async with seeing(server) as seen:
        for number, kind in enumerate(("cut", "close", "garbage")):
            server.faults.add(StreamFault(kind), is_watch=True, count=3)
            server.close_watches()
            made(server, f"n-{number}")
            await seen.until_there_are(number + 1)
        await server.stop()
        for number in range(40):  # more than the history holds
            made(server, f"while-away-{number}")
        server.objects.delete("deployments", "bootstrap", "n-0")
        await server.start()
        await seen.until_there_are(42)

        assert seen.cluster.deployment("bootstrap/n-0") is None
        assert "bootstrap/n-0" in seen.told


async def test_deployments_are_listed_anew_only_where_that_is_needed(
    server: SimulatedApiServer,
) -> None:
    """Is what a deaf watch did not tell known afterwards, and a watch that keeps up left alone?"""
    made(server, "fuji")
    clock = LoopClock()
    async with seeing(server) as seen:
        listed = clock.monotonic()
        assert not await seen.cluster.refresh(listed - 1)
        server.faults.add(StreamFault("silent"), path=r"/deployments[?]", is_watch=True, count=None)
        server.close_watches()
        await clock.sleep(20)
        made(server, "main")
        assert seen.cluster.deployment("bootstrap/main") is None
        assert await seen.cluster.refresh(clock.monotonic())
        assert seen.cluster.deployment("bootstrap/main") is not None
        await clock.sleep(200)
        assert seen.cluster.keys() == ["bootstrap/fuji", "bootstrap/main"]


async def test_a_list_that_cannot_be_had_is_an_error(server: SimulatedApiServer) -> None:
    """Is whoever must know what stands now told that nobody can say, instead of the old?"""
    made(server, "fuji")
    async with seeing(server) as seen:
        await LoopClock().sleep(60)
        server.faults.add(Hang(), path=r"/deployments[?]", is_watch=False, count=None)
        with pytest.raises(Unavailable, match="not listed within 20 seconds: deployments"):
            await seen.cluster.refresh(LoopClock().monotonic())


async def test_a_reading_that_a_restored_server_contradicts_lists_all_anew(
    server: SimulatedApiServer,
) -> None:
    """Are Pods and Services listed too, and by one reading of one Deployment?"""
    made(server, "fuji")
    saved = server.storage.saved("deployments")
    async with seeing(server) as seen:
        server.storage.version += 1000
        server.objects.update(
            "deployments", "bootstrap", "fuji", lambda d: d["spec"].update(replicas=0)
        )
        await seen.until(lambda: _replicas(seen) == 0)
        server.storage.put_back(saved)
        server.requests.clear()
        found = await seen.cluster.read("bootstrap/fuji")
        assert found is not None
        assert found.spec.replicas == 1
        await seen.until(lambda: _replicas(seen) == 1)
        await LoopClock().sleep(1)
        lists = [r.path for r in server.requests if "limit=" in r.path]
        assert len(lists) == 3


def _replicas(seen: Seen) -> int:
    found = seen.cluster.deployment("bootstrap/fuji")
    assert found is not None
    return found.spec.replicas


async def test_several_namespaces_and_no_others(server: SimulatedApiServer) -> None:
    """Each is watched on its own: rights for the whole cluster are not needed."""
    for namespace in ("bootstrap", "other", "default"):
        made(server, "fuji", namespace)
    async with seeing(server, "bootstrap", "other", "bootstrap") as seen:
        assert seen.cluster.keys() == ["bootstrap/fuji", "other/fuji"]
        assert not [each for each in server.requests if each.path.startswith("/apis/apps/v1/depl")]
    async with seeing(server, ALL) as seen:
        assert seen.cluster.keys() == ["bootstrap/fuji", "default/fuji", "other/fuji"]
        assert seen.cluster.deployment("other/fuji") is not None


@pytest.mark.parametrize(
    ("namespaces", "watched"),
    [
        (("bootstrap",), {"bootstrap/gone"}),
        (("bootstrap", "other"), {"bootstrap/gone", "other/gone"}),
        ((ALL,), {"bootstrap/gone", "other/gone", "default/gone"}),
    ],
)
async def test_what_would_be_seen_is_told(
    server: SimulatedApiServer, namespaces: tuple[str, ...], watched: set[str]
) -> None:
    """Is a Deployment that is not there told from one that we would not see?"""
    async with seeing(server, *namespaces) as seen:
        keys = ("bootstrap/gone", "other/gone", "default/gone")
        assert {key for key in keys if seen.cluster.watches(key)} == watched


async def test_waiting_for_the_first_lists_ends_with_what_is_missing(
    server: SimulatedApiServer,
) -> None:
    """A person reads which right to add; and it goes on by itself once it is there."""
    server.gate.rights = lambda access: access.resource != "services"
    made(server, "fuji")
    clock = LoopClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        watching = Watching(("bootstrap",))
        cluster = KubeCluster(client, watching, clock, Random(1))
        task = asyncio.create_task(cluster.run())
        try:
            with pytest.raises(Unavailable, match="services in bootstrap") as caught:
                await cluster.wait_synced(MINUTE)
            assert "not allowed to list services in namespace bootstrap" in str(caught.value)
            assert cluster.troubles()
            assert await missing_rights(client, "bootstrap", READING) == [
                "missing right: list services in namespace bootstrap",
                "missing right: watch services in namespace bootstrap",
            ]
            assert await missing_rights(client, "bootstrap", LEASING) == []
            server.gate.rights = None
            await cluster.wait_synced(MINUTE)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_of_two_controllers_one_holds_the_lease(server: SimulatedApiServer) -> None:
    """And the other has it at once when it is given up."""
    clock = LoopClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        one, two = (
            LeaseLock(client, LeaseClaim("bootstrap", identity), clock, Random(1))
            for identity in ("one", "two")
        )
        assert [await one.attempt(), await two.attempt()] == [True, False]
        assert two.holder == "one"
        await one.release()
        assert [await one.attempt() and one.held, await two.attempt()] == [True, False]
