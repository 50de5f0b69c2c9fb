"""A write and what became of it, whatever the answer was (I5)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from controller.base.errors import Busy, Forbidden, Garbled, LostReply, Refused, Trouble
from controller.base.http_errors import NotConnected
from controller.domain import names
from controller.domain.notice import Level, Notice
from controller.domain.record.write import ImageChange, Write
from controller.kube.api.client import KubeClient
from controller.kube.cluster import KubeCluster, Watching
from controller.kube.rights import LEASING, missing_rights
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.credentials import GivenCredentials
from tests.kube_samples.objects import deployment, recording, status
from tests.kube_samples.script import Answer, Script, lost, reply
from tests.misbehaving import closed_port

WRITE = Write(
    key="bootstrap/fuji",
    uid="uid-of-fuji",
    record_before="before",
    record="ours",
    phase_before="Idle",
    phase="Starting",
    message_before=None,
    message="a new build",
    images=(ImageChange(False, 0, "node", "avaplatform/avalanchego:latest", "new"),),
)


def found(record: str | None, phase: str = "Idle", **changes: Any) -> dict[str, Any]:
    """The Deployment with that record."""
    labels = {names.TEST: "true", names.PHASE: phase}
    annotations = {} if record is None else {names.RECORD: record}
    return deployment(labels=labels, annotations=annotations, **changes)


BEFORE = reply(found("before"))
OURS = reply(found("ours"))
OTHERS = reply(found("somebody else's"))
REJECTED = reply(recording("21")["response"]["body"], 422)


@asynccontextmanager
async def cluster_of(server: Script) -> AsyncIterator[KubeCluster]:
    clock = InstantClock()
    async with KubeClient(GivenCredentials(server.url), clock) as client:
        yield KubeCluster(client, Watching(("bootstrap",), instance="me"), clock, Random(1))


async def test_a_write_that_is_answered_stands() -> None:
    """One request: a JSON patch under our field manager."""
    async with Script(OURS) as server, cluster_of(server) as cluster:
        done = await cluster.write(WRITE)
        (request,) = server.requests
        assert server.headers[0]["Content-Type"] == "application/json-patch+json"

    assert done.applied
    assert done.deployment is not None
    path = "/apis/apps/v1/namespaces/bootstrap/deployments/fuji"
    assert request == f"PATCH {path}?fieldManager=bootstrap-controller"


@pytest.mark.parametrize(
    ("answers", "applied"),
    [
        ([REJECTED, OTHERS], False),
        ([REJECTED, BEFORE], False),
        ([REJECTED, OURS], True),
        ([reply(status(409), 409), OURS], True),
        ([reply(status(409), 409), OTHERS], False),
        ([lost, OURS], True),
        ([lost, BEFORE], False),
        ([reply(status(504, "Timeout"), 504), OURS], True),
        ([reply(status(500), 500), BEFORE], False),
        ([reply(status(503), 503, Retry_After="1"), OURS], True),
        ([reply(b"<html>Bad Gateway</html>", 502), OURS], True),
        ([reply(b"<html>200</html>"), OURS], True),
        ([lost, reply(found("ours", uid="another"))], False),
    ],
    ids=[
        "422, moved", "422, as before", "422, ours", "409, ours", "409, moved", "lost, ours",
        "lost, as before", "504, ours", "500, as before", "503, ours", "502, ours",
        "a page as answer, ours", "lost, another uid",
    ],
)  # fmt: skip
async def test_what_became_of_a_write_is_read(answers: list[Answer], applied: bool) -> None:
    """It was applied if and only if the record is ours, whatever the answer said."""
    async with Script(*answers) as server, cluster_of(server) as cluster:
        done = await cluster.write(WRITE)
        assert [each.split()[0] for each in server.requests] == ["PATCH", "GET"]

    assert done.applied is applied
    assert done.deployment is not None


@pytest.mark.parametrize(
    "answers",
    [[lost, *[lost] * 2], [lost, reply(status(500), 500)], [lost, OTHERS], [REJECTED, lost, lost]],
    ids=["lost twice", "then 500", "neither old nor new", "422, then lost"],
)
async def test_what_is_not_known_is_said_not_to_be_known(answers: list[Answer]) -> None:
    """Neither yes nor no: the next claim waits until it has been looked up."""
    async with Script(*answers) as server, cluster_of(server) as cluster:
        with pytest.raises(LostReply):
            await cluster.write(WRITE)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(b"Too many requests", 429, Retry_After="5"), Busy),
        (reply(recording("50")["response"]["body"], 403), Forbidden),
        (reply(status(400), 400), Refused),
    ],
    ids=["429", "403", "400"],
)
async def test_a_write_that_was_turned_away_is_not_looked_up(
    answer: Answer, kind: type[Trouble]
) -> None:
    """These answers prove that nothing was applied."""
    async with Script(answer) as server, cluster_of(server) as cluster:
        with pytest.raises(kind):
            await cluster.write(WRITE)
        assert len(server.requests) == 1


async def test_a_write_that_was_never_sent_is_no_lost_reply() -> None:
    """Nobody listens."""
    client = KubeClient(GivenCredentials(f"http://127.0.0.1:{await closed_port()}"), InstantClock())
    async with client:
        cluster = KubeCluster(client, Watching(("bootstrap",)), InstantClock(), Random(1))
        with pytest.raises(NotConnected):
            await cluster.write(WRITE)


async def test_a_deployment_that_is_gone_is_told() -> None:
    """404 on the patch, or on the reading after a lost reply."""
    gone = reply(recording("38")["response"]["body"], 404)
    async with Script(gone, lost, gone) as server, cluster_of(server) as cluster:
        for _ in range(2):
            done = await cluster.write(WRITE)
            assert not done.applied
            assert done.deployment is None


@pytest.mark.parametrize(
    ("seen", "applied"), [("Starting", True), ("Idle", False)], ids=["phase is ours", "as before"]
)
async def test_a_write_that_leaves_the_record_is_judged_by_the_rest(
    seen: str, applied: bool
) -> None:
    """An unreadable record stays as it is, so phase and message tell."""
    write = replace(WRITE, record="before", images=(), message_before="m", message="m")
    shown = found("before", phase=seen)
    shown["metadata"]["annotations"][names.MESSAGE] = "m"
    async with Script(lost, reply(shown)) as server, cluster_of(server) as cluster:
        assert (await cluster.write(write)).applied is applied


async def test_reading_one_that_is_not_there_gives_nothing() -> None:
    """And one that cannot be read is an error, never nothing."""
    odd = reply(deployment() | {"spec": {"replicas": "x"}})
    gone = reply(recording("10")["response"]["body"], 404)
    async with Script(gone, odd) as server, cluster_of(server) as cluster:
        assert await cluster.read("bootstrap/nobody") is None
        with pytest.raises(Garbled, match="replicas"):
            await cluster.read("bootstrap/fuji")


NOTICE = Notice(
    id="20261123t060000z-1a2b3c4d-1",
    at=datetime(2026, 11, 23, 6, tzinfo=UTC),
    level=Level.INFO,
    title="fuji started",
    text="a new build",
    reason="NewBuild",
    deployment="bootstrap/fuji",
    uid="u",
)


async def test_an_event_told_twice_is_no_error() -> None:
    """The second has the same name: 409 is as good as 201."""
    twice = reply(status(409, "AlreadyExists"), 409)
    async with Script(reply({}, 201), twice) as server, cluster_of(server) as cluster:
        await cluster.post_event(NOTICE)
        await cluster.post_event(NOTICE)
        sent = [json.loads(body)["metadata"]["name"] for body in server.bodies]
        await cluster.post_event(replace(NOTICE, deployment=""))
        assert len(server.requests) == 2  # without a Deployment there is nothing to post

    assert sent == [NOTICE.id, NOTICE.id]


async def test_each_missing_right_is_a_sentence() -> None:
    """Asked of the API server itself, before the first Forbidden."""
    no = recording("53")["response"]["body"]
    yes = {"status": {"allowed": True}}
    async with Script(reply(yes, 201), reply(no, 201), reply(yes, 201)) as server:
        async with KubeClient(GivenCredentials(server.url), InstantClock()) as client:
            missing = await missing_rights(client, "bootstrap", LEASING)
        asked = [json.loads(body)["spec"]["resourceAttributes"] for body in server.bodies]

    assert missing == ["missing right: create leases.coordination.k8s.io in namespace bootstrap"]
    assert [each["verb"] for each in asked] == ["get", "create", "update"]
