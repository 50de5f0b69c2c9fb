"""A write and what became of it, whatever the answer was (I5)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from controller.base.errors import (
    Busy,
    Conflict,
    Forbidden,
    Garbled,
    LostReply,
    Refused,
    Trouble,
    WriteRefused,
)
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
        ([REJECTED, OURS], True),
        ([reply(status(409), 409), OURS], True),
        ([reply(status(409), 409), OTHERS], False),
        ([lost, OURS], True),
        ([reply(status(504, "Timeout"), 504), OURS], True),
        ([reply(status(503), 503, Retry_After="1"), OURS], True),
        ([reply(b"<html>Bad Gateway</html>", 502), OURS], True),
        ([reply(b"<html>200</html>"), OURS], True),
        ([lost, reply(found("ours", uid="another"))], False),
    ],
    ids=[
        "422, moved", "422, ours", "409, ours", "409, moved", "lost, ours", "504, ours",
        "503, ours", "502, ours", "a page as answer, ours", "lost, another uid",
    ],
)  # fmt: skip
async def test_what_became_of_a_write_is_read(answers: list[Answer], applied: bool) -> None:
    """It was applied if and only if the record is ours, whatever the answer said."""
    async with Script(*answers) as server, cluster_of(server) as cluster:
        done = await cluster.write(WRITE)
        assert [each.split()[0] for each in server.requests] == ["PATCH", "GET"]

    assert done.applied is applied
    assert done.deployment is not None


DENIED = 'admission webhook "policy.example" denied the request: images come from our registry'
POLICY = (
    "deployments.apps \"fuji\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied"
    " request: no write on Fridays"
)
TOO_LONG = (
    'Deployment.apps "fuji" is invalid: metadata.annotations: Too long: may not be more than 262144'
    " bytes"
)
DOWN = 'Internal error occurred: failed calling webhook "policy.example": connection refused'
QUOTA = 'deployments.apps "fuji" is forbidden: exceeded quota: few'


def said(code: int, sentence: str) -> Answer:
    return reply(status(code, message=sentence), code)


@pytest.mark.parametrize(
    ("answer", "sentence", "passing"),
    [
        *[(said(code, DENIED), DENIED, False) for code in (400, 403, 404, 409, 429, 500, 503)],
        (said(422, POLICY), POLICY, False),
        (said(403, POLICY), POLICY, False),
        (said(403, QUOTA), QUOTA, False),
        (said(422, TOO_LONG), TOO_LONG, False),
        (REJECTED, "the server rejected our request", False),
        (reply(b"Request entity too large: limit is 3145728", 413), "too large: limit", False),
        (said(500, DOWN), DOWN, True),
        (said(500, "etcdserver: request is too large"), "is too large", True),
        (reply(b"<html>Bad Gateway</html>", 502), "Bad Gateway", True),
        (lost, "closed the connection", True),
    ],
)
async def test_a_write_that_is_refused_is_no_race(
    answer: Answer, sentence: str, passing: bool
) -> None:
    """Nothing stands between what was expected and what is there: is it told what the server said,
    whatever its status, and whether that may pass by itself?
    """
    async with Script(answer, BEFORE) as server, cluster_of(server) as cluster:
        with pytest.raises(WriteRefused) as refused:
            await cluster.write(WRITE)
        assert [each.split()[0] for each in server.requests].count("PATCH") == 1

    assert sentence in str(refused.value)
    assert refused.value.passing is passing


def moved(what: str) -> dict[str, Any]:
    there = found("before", phase="Held" if what == "phase" else "Idle")
    nodes = there["spec"]["template"]["spec"]["containers"]
    if what == "image":
        nodes[0]["image"] = "another"
    elif what == "place":
        nodes.insert(0, {"name": "beside", "image": "b"})
    elif what == "record":
        there["metadata"]["annotations"] = {}
    return there


@pytest.mark.parametrize("what", ["phase", "image", "place", "record"])
async def test_a_write_whose_precondition_moved_is_a_race(what: str) -> None:
    """422, and something that the patch tests is otherwise: is that no refusal?"""
    async with Script(REJECTED, reply(moved(what))) as server, cluster_of(server) as cluster:
        done = await cluster.write(WRITE)
    assert not done.applied


async def test_other_writes_before_ours_again_and_again_are_a_conflict() -> None:
    """409, and all that we expect is there: status was written meanwhile. Is it tried again later,
    and nobody told of a refusal?
    """
    async with Script(reply(status(409), 409), BEFORE) as server, cluster_of(server) as cluster:
        with pytest.raises(Conflict):
            await cluster.write(WRITE)


async def test_a_record_that_is_changed_on_the_way_is_refused() -> None:
    """A mutating webhook drops the record: is that said, although the answer is 200?"""
    async with Script(BEFORE) as server, cluster_of(server) as cluster:
        with pytest.raises(WriteRefused, match="a mutating webhook or policy of the cluster"):
            await cluster.write(WRITE)


async def test_words_that_are_changed_on_the_way_are_named() -> None:
    """The record stands, and label and message do not: is it applied, and are they named?"""
    async with Script(OURS) as server, cluster_of(server) as cluster:
        done = await cluster.write(WRITE)
    assert done.applied
    assert done.changed == f"label {names.PHASE} is another and annotation {names.MESSAGE} is gone"


SIDE_EFFECTS = 'admission webhook "policy.example" does not support dry run'


@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ([OURS], False),
        ([BEFORE], True),
        ([said(400, SIDE_EFFECTS)], False),
        ([said(403, DENIED)], True),
        ([said(500, DOWN)], True),
        ([REJECTED, OTHERS], False),
        ([REJECTED, BEFORE], True),
        ([lost], True),
        ([reply(recording("38")["response"]["body"], 404)], False),
    ],
    ids=[
        "taken", "record dropped", "side effects", "denied", "webhook down", "moved", "invalid",
        "lost", "gone",
    ],
)  # fmt: skip
async def test_a_write_can_be_tried_out(answers: list[Answer], refused: bool) -> None:
    """A dry run: does it raise just where the write itself would be refused?"""
    async with Script(*answers) as server, cluster_of(server) as cluster:
        with pytest.raises(WriteRefused) if refused else nullcontext():
            await cluster.try_out(WRITE)
        assert server.requests[0].endswith("?fieldManager=bootstrap-controller&dryRun=All")


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
    ("seen", "refused"), [("Starting", False), ("Idle", True)], ids=["phase is ours", "as before"]
)
async def test_a_write_that_leaves_the_record_is_judged_by_the_rest(
    seen: str, refused: bool
) -> None:
    """An unreadable record stays as it is, so phase and message tell."""
    write = replace(WRITE, record="before", images=(), message_before="m", message="m")
    shown = found("before", phase=seen)
    shown["metadata"]["annotations"][names.MESSAGE] = "m"
    async with Script(lost, reply(shown)) as server, cluster_of(server) as cluster:
        with pytest.raises(WriteRefused) if refused else nullcontext():
            assert (await cluster.write(write)).applied


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
