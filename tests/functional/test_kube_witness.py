"""What is read about a pod for people: its log, the Events about it, where it runs.

Included: bounds, order, caching, and that a failure is a sentence and never raised; against answers
that a test wrote, and against the simulated API server. Excluded: the manifests that grant the
rights (tests/unit/test_k8s_rights.py).
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from controller.base.clock import SystemClock
from controller.domain.evidence import Place, PodEvent, Read
from controller.domain.objects import Pod
from controller.kube.api.client import KubeClient
from controller.kube.pod_facts import (
    EVENTS_PAGE,
    LOG_ATTEMPTS,
    LOG_LIMIT,
    MACHINES_KEPT,
    TIMEOUT,
    KubeWitness,
)
from controller.kube.pod_facts_decoding import EVENTS_KEPT
from controller.kube.rights import PLACING, WITNESSING, missing_rights
from controller.simulator.apiserver.auth import rights_table
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.credentials import GivenCredentials
from tests.kube_samples.objects import as_pod, listing, pod, status
from tests.kube_samples.script import Answer, Script, lost, nothing, reply

NAME = "fuji-abc-1"
START = datetime(2026, 11, 23, 6, 0, 0, tzinfo=UTC)
Object = dict[str, Any]


def placed(node: str = "machine-7", claim: str = "fuji", name: str = NAME) -> Object:
    """A pod on a machine, with its script and its data."""
    volumes: list[Object] = [{"name": "scripts", "configMap": {"name": "fuji"}}]
    if claim:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
    return pod(name) | {"spec": {"nodeName": node, "volumes": volumes}}


POD = as_pod(placed())


@asynccontextmanager
async def witness_of(server: Script, timeout: float = TIMEOUT) -> AsyncIterator[KubeWitness]:
    async with KubeClient(GivenCredentials(server.url), InstantClock()) as client:
        yield KubeWitness(client, timeout)


async def log_of(*answers: Answer, lines: int = 500, previous: bool = False) -> Read:
    async with Script(*answers) as server, witness_of(server) as witness:
        return await witness.log(POD, "node", previous=previous, lines=lines)


async def events_of(*answers: Answer) -> tuple[Sequence[PodEvent], str]:
    async with Script(*answers) as server, witness_of(server) as witness:
        return await witness.events(POD)


def asked_of(request: str) -> tuple[str, dict[str, list[str]]]:
    """Path and query of a request."""
    parts = urlsplit(request.partition(" ")[2])
    return parts.path, parse_qs(parts.query)


def numbered(count: int, width: int = 0) -> bytes:
    """So many lines, `line 1` first, each filled up to `width` bytes."""
    return b"".join(f"line {i + 1} ".encode().ljust(width, b".") + b"\n" for i in range(count))


# --- Logs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("previous", [False, True])
async def test_the_end_of_a_log_is_asked_for(previous: bool) -> None:
    """Is one container's log asked for, by its last lines and not by its first bytes?"""
    async with Script(reply(b"one\ntwo\n")) as server, witness_of(server) as witness:
        found = await witness.log(POD, "node", previous=previous, lines=80)
        (request,) = server.requests
    assert found == Read("one\ntwo\n")
    path, query = asked_of(request)
    assert path == f"/api/v1/namespaces/bootstrap/pods/{NAME}/log"
    before = {"previous": ["true"]} if previous else {}
    assert query == {"container": ["node"], "tailLines": ["81"]} | before


@pytest.mark.parametrize(("there", "cut"), [(2, False), (3, False), (4, True), (9, True)])
async def test_no_more_lines_than_wanted(there: int, cut: bool) -> None:
    """Are the last lines kept, and is it said whether there were more?"""
    found = await log_of(reply(numbered(there)), lines=3)
    assert found.text.splitlines() == [f"line {i + 1} " for i in range(there)][-3:]
    assert found.cut is cut


async def test_of_lines_that_are_too_long_the_last_are_read() -> None:
    """Is a log of more than the limit asked for by half as many lines, until its end fits?"""
    wide = LOG_LIMIT // 200
    # Fewer at last than were asked for: a runtime counts the pieces of a long line as lines.
    answers = [reply(numbered(count, wide)) for count in (501, 251, 120)]
    async with Script(*answers) as server, witness_of(server) as witness:
        found = await witness.log(POD, "node")
        asked = [asked_of(request)[1]["tailLines"] for request in server.requests]
    assert asked == [["501"], ["251"], ["126"]]
    assert found.cut
    assert found.unread == ""
    lines = found.text.splitlines()
    assert (len(lines), lines[-1].split(" .")[0]) == (120, "line 120")


async def test_a_log_without_an_end_is_given_up() -> None:
    """Does a server that minds no number of lines cost few requests, and is it said?"""
    endless = reply(b"x" * (LOG_LIMIT + 1))
    async with Script(*[endless] * 9) as server, witness_of(server) as witness:
        found = await witness.log(POD, "node")
        assert len(server.requests) == LOG_ATTEMPTS
    assert found.text == ""
    assert f"answers with more than {LOG_LIMIT} bytes" in found.unread


async def test_bytes_that_are_no_text() -> None:
    """Is a log that is cut within a character, or that is no UTF-8, read all the same?"""
    found = await log_of(reply(b"\xff caf\xc3\xa9\nend \xc3"))
    assert found == Read("\ufffd caf\u00e9\nend \ufffd")


async def test_a_log_of_nothing_is_no_failure() -> None:
    """Does an empty log read as an empty one?"""
    assert await log_of(reply(b"")) == Read()


async def test_the_kubelets_excuse_is_no_log() -> None:
    """Is what the kubelet says with status 200, when it has no log, taken for a failure?"""
    excuse = "unable to retrieve container logs for containerd://0123abcd"
    assert await log_of(reply(excuse.encode())) == Read(unread=excuse)


async def test_a_node_that_speaks_of_logs_is_quoted() -> None:
    """Is a log of several lines never taken for the kubelet's excuse?"""
    text = "failed to open log file main.log\nfatal: no log\n"
    assert await log_of(reply(text.encode())) == Read(text)


async def test_a_container_without_a_log_says_why() -> None:
    """Does the server's own sentence reach the reader where there is no container before?"""
    said = f'previous terminated container "node" in pod "{NAME}" not found'
    found = await log_of(reply(status(400, "BadRequest", said), 400), previous=True)
    assert (found.text, said in found.unread) == ("", True)


# --- Events --------------------------------------------------------------------------------------


def event(minute: int, reason: str = "BackOff", **fields: Any) -> Object:
    """As the kubelet writes it."""
    at = (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
    times = {"firstTimestamp": "2026-11-23T05:00:00Z", "lastTimestamp": at, "eventTime": None}
    known = {"type": "Warning", "reason": reason, "message": "restarting", "count": 3}
    source = {"source": {"component": "kubelet", "host": "machine-7"}, "reportingInstance": ""}
    return {"metadata": {"name": f"{NAME}.{minute}"}} | times | known | source | fields


async def test_the_events_of_the_pod_are_asked_for() -> None:
    """Are only the Events about this very pod asked for, and no more than a page?"""
    async with Script(reply(listing())) as server, witness_of(server) as witness:
        assert await witness.events(POD) == ([], "")
        (request,) = server.requests
    path, query = asked_of(request)
    assert path == "/api/v1/namespaces/bootstrap/events"
    assert query["fieldSelector"] == [f"involvedObject.uid={POD.metadata.uid}"]
    assert query["limit"] == [str(EVENTS_PAGE)]


async def test_a_pod_without_a_uid_is_not_asked_about() -> None:
    """Does an empty uid never ask for the Events about everything else?"""
    nobody = as_pod({"metadata": {"name": NAME, "namespace": "bootstrap"}})
    async with Script() as server, witness_of(server) as witness:
        found, unread = await witness.events(nobody)
        assert server.requests == []
    assert (list(found), bool(unread)) == ([], True)


async def test_both_forms_of_events_are_read_in_order() -> None:
    """Is each told with when it was last seen and how often, whichever way it was written?"""
    old = event(9, "BackOff")
    once = {
        "metadata": {"name": "b"},
        "type": "Normal",
        "reason": "Scheduled",
        "message": "assigned to machine-7",
        "eventTime": "2026-11-23T06:01:00.250000Z",
        "firstTimestamp": None,
        "lastTimestamp": None,
        "reportingComponent": "default-scheduler",
    }
    series = once | {
        "reason": "FailedMount",
        "series": {"count": 7, "lastObservedTime": "2026-11-23T06:05:00.000000Z"},
    }
    found, unread = await events_of(reply(listing(old, series, once)))
    assert unread == ""
    assert [(e.reason, e.count, e.source) for e in found] == [
        ("Scheduled", 1, "default-scheduler"),
        ("FailedMount", 7, "default-scheduler"),
        ("BackOff", 3, "kubelet"),
    ]
    minutes = [e.at - START for e in found if e.at]
    assert minutes == [timedelta(seconds=60.25), timedelta(minutes=5), timedelta(minutes=9)]
    assert (found[2].type, found[2].message) == ("Warning", "restarting")


async def test_of_many_events_the_newest_are_kept() -> None:
    """Is the number bounded at its old end, whatever order they came in?"""
    many = [event(minute) for minute in range(EVENTS_KEPT + 50)]
    found, unread = await events_of(reply(listing(*reversed(many))))
    assert unread == ""
    assert len(found) == EVENTS_KEPT
    assert found[-1].at == START + timedelta(minutes=EVENTS_KEPT + 49)


async def test_events_beyond_the_page_are_said_to_be_missing() -> None:
    """Does a list that goes on say so, and is it left there?"""
    page = reply(listing(event(1), token="more"))
    async with Script(page, page) as server, witness_of(server) as witness:
        found, unread = await witness.events(POD)
        assert len(server.requests) == 1
    assert len(found) == 1
    assert "more Events than were read" in unread


@pytest.mark.parametrize(
    "odd",
    [
        event(1, lastTimestamp="yesterday"),
        event(1, lastTimestamp="2026-11-23T06:00:00"),
        event(1, count="often"),
        event(1, series=[]),
        {"metadata": []} | {"reason": 5},
    ],
    ids=["no time", "no zone", "count", "series", "reason"],
)
async def test_an_odd_event_does_not_hide_the_others(odd: Object) -> None:
    """Is an Event of an unknown shape counted, and are the others read?"""
    found, unread = await events_of(reply(listing(event(2), odd, event(3))))
    assert [e.at for e in found] == [START + timedelta(minutes=2), START + timedelta(minutes=3)]
    assert unread.startswith("1 of the Events cannot be read: ")


async def test_an_event_without_a_time_comes_first() -> None:
    """Is one that says nothing of when still told?"""
    found, _ = await events_of(reply(listing(event(2), {"reason": "Odd"})))
    assert [(e.reason, e.at is None) for e in found] == [("Odd", True), ("BackOff", False)]


async def test_an_event_is_made_fit_to_be_shown() -> None:
    """Do no control characters and no page of text come through?"""
    found, _ = await events_of(reply(listing(event(1, message="a\x1b[31m\nb" + "x" * 5000))))
    (only,) = found
    assert only.message.startswith("a [31m b")
    assert len(only.message) <= 1024


# --- Where it runs -------------------------------------------------------------------------------

TYPE, ZONE = "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone"
OLD_TYPE = "beta.kubernetes.io/instance-type"


def machine(**labels: str) -> Answer:
    return reply({"metadata": {"name": "machine-7", "labels": labels or None}})


def claim(storage_class: str | None = "local-nvme") -> Answer:
    return reply({"spec": {"storageClassName": storage_class} if storage_class else {}})


BIG = machine(**{TYPE: "i4i.4xlarge", ZONE: "eu-1b"})


async def test_where_a_pod_runs() -> None:
    """Are the machine's type and zone and the storage class of the data read, by name?"""
    async with Script(BIG, claim()) as server, witness_of(server) as witness:
        assert await witness.place(POD) == Place("machine-7", "i4i.4xlarge", "eu-1b", "local-nvme")
        assert server.requests == [
            "GET /api/v1/nodes/machine-7",
            "GET /api/v1/namespaces/bootstrap/persistentvolumeclaims/fuji",
        ]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({OLD_TYPE: "old"}, "old"),
        ({OLD_TYPE: "old", TYPE: "new"}, "new"),
        ({}, ""),
    ],
)
async def test_which_label_names_the_type(labels: dict[str, str], found: str) -> None:
    """Does the present label win over the one before it, and may there be none?"""
    async with Script(machine(**labels), claim(None)) as server, witness_of(server) as witness:
        assert await witness.place(POD) == Place("machine-7", found)


async def test_the_claim_is_the_datas() -> None:
    """Of several claims, is the one of the volume `data` looked at?"""
    found = placed()
    found["spec"]["volumes"].insert(0, {"name": "x", "persistentVolumeClaim": {"claimName": "y"}})
    async with Script(BIG, claim()) as server, witness_of(server) as witness:
        assert (await witness.place(as_pod(found))).storage_class == "local-nvme"
        assert server.requests[1].endswith("/persistentvolumeclaims/fuji")


async def test_a_pod_that_is_nowhere_costs_nothing() -> None:
    """Is nothing asked for a pod without a machine and without a claim?"""
    async with Script() as server, witness_of(server) as witness:
        assert await witness.place(as_pod(placed(node="", claim=""))) == Place()
        assert server.requests == []


async def test_a_machine_is_asked_for_once() -> None:
    """Is a machine remembered, and each pod's own claim asked for?"""
    other = as_pod(placed(claim="mainnet", name="mainnet-1"))
    answers = (BIG, claim("a"), claim("b"))
    async with Script(*answers) as server, witness_of(server) as witness:
        first, second = await witness.place(POD), await witness.place(other)
        assert len([r for r in server.requests if "/nodes/" in r]) == 1
    assert (first.storage_class, second) == ("a", replace(first, storage_class="b"))


async def test_what_could_not_be_read_is_asked_for_again() -> None:
    """Is a right that is granted later noticed?"""
    refused = reply(status(403, "Forbidden"), 403)
    async with Script(refused, claim(), BIG, claim()) as server, witness_of(server) as witness:
        before, after = await witness.place(POD), await witness.place(POD)
    assert (before.instance_type, len(before.unread)) == ("", 1)
    assert (after.instance_type, after.unread) == ("i4i.4xlarge", ())


async def test_memory_of_machines_is_bounded() -> None:
    """Is the machine that was not asked for longest forgotten, in a cluster that keeps changing?"""
    answers = [BIG] * (MACHINES_KEPT + 2)
    async with Script(*answers) as server, witness_of(server) as witness:
        for number in [*range(MACHINES_KEPT), 0, MACHINES_KEPT, 0, 1]:
            await witness.place(as_pod(placed(node=f"m{number}", claim="")))
        asked = [request.rpartition("/")[2] for request in server.requests]
    assert asked == [*(f"m{i}" for i in range(MACHINES_KEPT)), f"m{MACHINES_KEPT}", "m1"]


# --- What cannot be read -------------------------------------------------------------------------

FORBIDDEN = reply(status(403, "Forbidden", "User cannot"), 403)


async def test_a_missing_right_is_named_as_at_the_start() -> None:
    """Does each reading say which right it lacks, in the words of the review of rights?"""
    async with Script(*[FORBIDDEN] * 4) as server, witness_of(server) as witness:
        log = (await witness.log(POD, "node")).unread
        events = (await witness.events(POD))[1]
        place = (await witness.place(POD)).unread
    assert (log, events, place) == (
        "missing right: get pods/log in namespace bootstrap",
        "missing right: list events in namespace bootstrap",
        (
            "missing right: get nodes in all namespaces",
            "missing right: get persistentvolumeclaims in namespace bootstrap",
        ),
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(status(404, "NotFound", "it is not there"), 404), "it is not there"),
        (reply(status(401, "Unauthorized"), 401), "401"),
        (reply(status(500, "InternalError", "etcd is away"), 500), "etcd is away"),
        (reply(b"Too many requests", 429, Retry_After="2"), "429"),
        (reply(b"<html>no</html>", 302), "302"),
        (lost, "closed the connection"),
        (nothing, "did not answer within"),
    ],
    ids=["404", "401", "500", "429", "302", "lost", "silent"],
)
async def test_no_failure_is_raised(answer: Answer, said: str) -> None:
    """Does each reading turn each failure into one short sentence, and no half of an answer?"""
    timeout = 0.1 if answer is nothing else TIMEOUT
    async with Script(*[answer] * 12) as server, witness_of(server, timeout) as witness:
        log = await witness.log(POD, "node")
        events, unread = await witness.events(POD)
        place = await witness.place(POD)
    assert (log.text, list(events)) == ("", [])
    assert place == Place("machine-7", unread=place.unread)
    sentences = (log.unread, unread, *place.unread)
    assert len(sentences) == 4
    for sentence in sentences:
        assert said in sentence
        assert len(sentence) < 400


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"items": 5}', b"\xff\xfe"])
async def test_an_answer_that_is_no_list_is_a_sentence(body: bytes) -> None:
    """Is JSON of another shape, or no JSON, said and not raised?"""
    found, unread = await events_of(reply(body))
    assert list(found) == []
    assert "cannot be read" in unread


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"metadata": 5, "spec": 5}'])
async def test_an_answer_that_is_no_object_is_a_sentence(body: bytes) -> None:
    """The same for a machine and a claim, each by itself."""
    async with Script(reply(body), reply(body)) as server, witness_of(server) as witness:
        found = await witness.place(POD)
    assert (found.instance_type, found.storage_class, len(found.unread)) == ("", "", 2)


async def test_one_half_may_be_read_without_the_other() -> None:
    """Without the right on machines, is the storage class known all the same?"""
    async with Script(FORBIDDEN, claim()) as server, witness_of(server) as witness:
        found = await witness.place(POD)
    assert (found.storage_class, len(found.unread)) == ("local-nvme", 1)


# --- With a whole API server ---------------------------------------------------------------------

VERBS = {
    "pods/log": "get",
    "events": "list",
    "nodes": "get",
    "persistentvolumeclaims": "get",
}


@asynccontextmanager
async def simulated(*resources: str) -> AsyncIterator[SimulatedApiServer]:
    """A server with one pod, where these may be read, and the rights reviewed."""
    pairs = [(VERBS[resource], resource) for resource in resources]
    settings = ServerSettings(
        tokens={"t": "reader"},
        rights=rights_table({"reader": [*pairs, ("create", "selfsubjectaccessreviews")]}),
        logs=lambda _namespace, _pod, _container: numbered(600).decode(),
    )
    server = SimulatedApiServer(SystemClock(), Random(1), settings)
    labels = {TYPE: "i4i.4xlarge", ZONE: "eu-1b"}
    server.objects.create("nodes", {"metadata": {"name": "machine-7", "labels": labels}})
    data: Object = {"metadata": {"name": "fuji", "namespace": "bootstrap"}}
    data |= {"spec": {"storageClassName": "local-nvme", "accessModes": ["ReadWriteOncePod"]}}
    server.objects.create("persistentvolumeclaims", data)
    made = placed()
    made["spec"]["containers"] = [{"name": "node", "image": "repo/node:v1"}]
    server.objects.create("pods", made)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def pod_of(server: SimulatedApiServer) -> Pod:
    return as_pod(json.loads(json.dumps(server.storage.peek("pods", "bootstrap", NAME))))


def happen(server: SimulatedApiServer, uid: str, reason: str) -> None:
    about = {"kind": "Pod", "name": NAME, "namespace": "bootstrap", "uid": uid}
    metadata = {"name": f"{NAME}.{reason.lower()}", "namespace": "bootstrap"}
    body = {"metadata": metadata, "involvedObject": about} | event(1, reason)
    server.objects.create("events", body | {"metadata": metadata})


@asynccontextmanager
async def reader_of(server: SimulatedApiServer) -> AsyncIterator[KubeClient]:
    credentials = GivenCredentials(server.url, token="t")
    async with KubeClient(credentials, SystemClock()) as client:
        yield client


async def test_with_these_rights_all_is_read() -> None:
    """With the verbs of `rights.py` alone, are log, Events and place read from a real protocol?"""
    async with simulated(*VERBS) as server, reader_of(server) as client:
        found, witness = pod_of(server), KubeWitness(client)
        happen(server, found.metadata.uid, "Evicted")
        happen(server, "another", "Killing")
        log = await witness.log(found, "node")
        events, unread = await witness.events(found)
        place = await witness.place(found)
        assert await missing_rights(client, "bootstrap", [*WITNESSING, *PLACING]) == []
    assert (log.unread, log.cut, len(log.text.splitlines())) == ("", True, 500)
    assert log.text.endswith("line 600 \n")
    assert ([e.reason for e in events], unread) == (["Evicted"], "")
    assert place == Place("machine-7", "i4i.4xlarge", "eu-1b", "local-nvme")


async def test_a_right_on_machines_is_reviewed_for_the_cluster() -> None:
    """Is a right on what is in no namespace never reviewed within one, where no Role helps?"""
    allowed = reply({"status": {"allowed": True}})
    async with Script(allowed, allowed) as server:
        async with KubeClient(GivenCredentials(server.url), InstantClock()) as client:
            assert await missing_rights(client, "bootstrap", PLACING) == []
        asked = [json.loads(body)["spec"]["resourceAttributes"] for body in server.bodies]
    assert [(each["resource"], each.get("namespace")) for each in asked] == [
        ("nodes", None),
        ("persistentvolumeclaims", "bootstrap"),
    ]


@pytest.mark.parametrize("missing", VERBS)
async def test_each_right_is_for_one_thing(missing: str) -> None:
    """Without one of them, is that alone unread, and named as the review of rights names it?"""
    others = [resource for resource in VERBS if resource != missing]
    async with simulated(*others) as server, reader_of(server) as client:
        found, witness = pod_of(server), KubeWitness(client)
        place = await witness.place(found)
        log, events = await witness.log(found, "node"), await witness.events(found)
        named = await missing_rights(client, "bootstrap", [*WITNESSING, *PLACING])
    assert len(named) == 1
    assert f"{VERBS[missing]} {missing} in " in named[0]
    assert [s for s in (log.unread, events[1], *place.unread) if s] == named
