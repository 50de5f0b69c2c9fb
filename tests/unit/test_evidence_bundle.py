"""The evidence of a run: what is read when it is over, and in what form it is kept."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, overload

import orjson
import pytest
from msgspec.structs import replace

from controller.domain import names
from controller.domain.evidence import Place, PodEvent, Read
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.objects import (
    Container,
    ContainerState,
    EnvVar,
    Pod,
    PodCondition,
    StateTerminated,
    StateWaiting,
)
from controller.domain.run import Phase
from controller.engine.evidence.bundle import PART_BYTES, Ended, read_bundle
from tests.evidence_desk import RUN, TARGET, Desk, ended, node_pod, open_desk, outcome
from tests.fakes import EPOCH
from tests.machine_objects import pinned, pod


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_desk() as desk:
        yield desk


def as_json(parts: Mapping[str, bytes], name: str) -> Any:
    return orjson.loads(parts[name])


async def read(desk: Desk, run: Ended, secrets: Sequence[str] = ()) -> Mapping[str, bytes]:
    """The parts, without the store: no clock of ours knows of the thread that makes long ones."""
    return (await read_bundle(desk.witness, run, desk.clock, secrets)).parts


def unread(parts: Mapping[str, bytes]) -> list[str]:
    return parts["unread.txt"].decode().splitlines()


async def test_a_failed_run_is_kept_whole(desk: Desk) -> None:
    """Are log, earlier log, Events, place, node and run all there, and read once?"""
    desk.witness.logs = {
        "fuji-1 node": Read("starting\n"),
        "fuji-1 node previous": Read("panic: no\n"),
    }
    event = PodEvent(EPOCH, "Warning", "BackOff", "restarting", 5, "kubelet")
    desk.witness.told = {"fuji-1": ([event], "")}
    run = ended(node_pod(restarts=6), facts={"requests": "cpu=8"})
    parts = await desk.gathered(run)
    assert set(parts) == {
        "summary.json", "node.log", "node-previous.log", "pods.json", "events.json", "health.json",
        "node.json", "progress.json", "unread.txt",
    }  # fmt: skip
    assert parts["node.log"] == b"starting\n"
    assert parts["node-previous.log"] == b"panic: no\n"
    assert unread(parts) == ["everything was read"]
    assert as_json(parts, "events.json") == [
        {
            "pod": "fuji-1", "at": "2026-11-23T06:00:00Z", "type": "Warning", "reason": "BackOff",
            "message": "restarting", "count": 5, "source": "kubelet",
        }
    ]  # fmt: skip
    assert as_json(parts, "progress.json") == {"doing": "C/blocks"}
    assert desk.witness.asked == [
        "log fuji-1 node 500", "log fuji-1 node previous 500", "events fuji-1", "place fuji-1",
    ]  # fmt: skip
    assert [kept[:2] for kept in desk.store.kept] == [(TARGET, RUN)]
    assert any(line.startswith("evidence kept") for line in desk.said)


async def test_the_summary_says_what_became_of_the_run(desk: Desk) -> None:
    """Can a person who has nothing but the summary tell run, verdict, times and place?"""
    parts = await desk.gathered(ended(node_pod(), facts={"requests": "cpu=8"}))
    found = as_json(parts, "summary.json")
    assert (
        found.items()
        >= {
            "run": RUN,
            "target": TARGET,
            "deployment": "bootstrap/fuji",
            "build": "sha256:" + "a" * 64,
            "phase": "Failed",
            "reason": "CrashLoop",
            "class": "unclear",
            "message": "the node crashed 6 times (client)",
            "began": "2026-11-23T05:00:00Z",
            "ended": "2026-11-23T06:00:00Z",
            "observed": 3000.0,
            "resumes": 2,
            "facts": {"requests": "cpu=8"},
        }.items()
    )
    assert found["place"]["instance_type"] == "m6i.2xlarge"
    assert found["unread"] == ["node.log: no such log"]


async def test_the_nodes_last_word_is_kept(desk: Desk) -> None:
    """Are the health document as it came, and what was read of the node, there?"""
    parts = await desk.gathered(ended(node_pod()))
    assert as_json(parts, "health.json") == {
        "healthy": False,
        "checks": {"network": {"error": "token=[redacted]"}},
    }
    node = as_json(parts, "node.json")
    assert node["failing"] == {"bootstrapped": "subnets not bootstrapped"}
    assert (node["peers"], node["heights"], node["disk_used_percent"]) == (3, {"P": 12}, 57.5)
    assert node["tips"] == {"C": {"height": 7, "at": 1.5}}
    assert (node["version"], node["network"]) == ("avalanchego/1.14.0", "fuji")


async def test_a_cut_health_document_is_kept_as_text(desk: Desk) -> None:
    """Is a document that is no JSON (any more) there with what was read of it?"""
    answer = NodeAnswer(AnswerKind.GARBLED, "no JSON", document=b'{"healthy":fal')
    found = as_json(await desk.gathered(ended(node_pod(), answer=answer)), "health.json")
    assert found["document"] == '{"healthy":fal'
    assert found["healthy"] is False


async def test_a_passed_run_gets_the_short_form(desk: Desk) -> None:
    """Are no logs and no Events read of a run that has passed?"""
    parts = await desk.gathered(ended(node_pod(restarts=1), phase=Phase.PASSED))
    assert set(parts) == {
        "summary.json", "pods.json", "health.json", "node.json", "progress.json", "unread.txt",
    }  # fmt: skip
    assert desk.witness.asked == ["place fuji-1"]
    assert unread(parts) == ["everything was read"]


async def test_only_the_runs_own_pods_count(desk: Desk) -> None:
    """Are pods of another run, or of none, neither read nor told of?"""
    other = pod("20261122t060000z-bbbbbbbb", pinned("b"), said="{}", name="other")
    bare = pod(None, pinned("a"), said="{}", name="bare")
    parts = await desk.gathered(ended(other, bare, node_pod()))
    assert [p["name"] for p in as_json(parts, "pods.json")] == ["fuji-1"]
    assert not [asked for asked in desk.witness.asked if "fuji-1" not in asked]


async def test_without_a_pod_the_rest_is_kept(desk: Desk) -> None:
    """Is what nobody can read any more said, and everything else there?"""
    parts = await desk.gathered(ended(answer=None, progress=None))
    assert set(parts) == {"summary.json", "pods.json", "events.json", "unread.txt"}
    assert unread(parts) == [
        "node.log: no pod was left in which the node has run",
        "pods.json: no pod of the run was left",
        "node.json, health.json: the node has given no answer",
    ]
    assert desk.witness.asked == []


async def test_what_could_not_be_read_is_said_line_by_line(desk: Desk) -> None:
    """Does every missing right have its line, fit to be shown?"""
    desk.witness.told = {"fuji-1": ((), "missing right: list events\x1b[2J\nforged")}
    desk.witness.found = Place(unread=("missing right: get nodes", "missing right: get claims"))
    desk.witness.logs = {"fuji-1 node": Read(unread="missing right: get pods/log")}
    parts = await desk.gathered(ended(node_pod()))
    assert unread(parts) == [
        "node.log: missing right: get pods/log",
        "events.json: fuji-1: missing right: list events forged",
        "summary.json: missing right: get nodes",
        "summary.json: missing right: get claims",
    ]
    assert as_json(parts, "summary.json")["unread"] == unread(parts)
    assert "node.log" not in parts


async def test_an_init_container_that_failed_is_read(desk: Desk) -> None:
    """Is its log there where it is what keeps the node from starting, and only then?"""
    stuck = pod(RUN, pinned("a"), said=None, started=None, name="fuji-2")
    end = StateTerminated(exit_code=3, reason="Error", message="no space left")
    [init] = stuck.status.init_container_statuses or []
    init = replace(
        init,
        state=ContainerState(waiting=StateWaiting(reason="CrashLoopBackOff")),
        last_state=ContainerState(terminated=end),
    )
    stuck = replace(stuck, status=replace(stuck.status, init_container_statuses=[init]))
    desk.witness.logs = {"fuji-2 prepare-data": Read("mkdir: no space left on device\n")}
    parts = await desk.gathered(ended(stuck))
    assert parts["prepare-data.log"] == b"mkdir: no space left on device\n"
    [told] = as_json(parts, "pods.json")[0]["init_containers"]
    assert told["last_state"]["terminated"]["exit_code"] == 3
    assert told["last_state"]["terminated"]["message"] == "no space left"
    assert "log fuji-2 node 500" not in desk.witness.asked


async def test_an_init_container_that_succeeded_is_not_read(desk: Desk) -> None:
    """Is its log left alone where the node has started?"""
    await desk.gathered(ended(node_pod()))
    assert not [asked for asked in desk.witness.asked if "prepare-data" in asked]


async def test_the_log_is_of_the_newest_pod_that_ran_the_node(desk: Desk) -> None:
    """Is a pod that only waits passed over for the one before it, whose node ran?"""

    def made(found: Pod, minutes: int) -> Pod:
        at = EPOCH + timedelta(minutes=minutes)
        return replace(found, metadata=replace(found.metadata, creation_timestamp=at))

    first, second = made(node_pod("a"), 0), made(node_pod("b"), 1)
    third = made(pod(RUN, pinned("a"), said=None, started=None, name="c"), 2)
    parts = await desk.gathered(ended(second, third, first))
    assert desk.witness.asked[0] == "log b node 500"
    assert [p["name"] for p in as_json(parts, "pods.json")] == ["c", "b", "a"]


async def test_one_log_is_not_kept_twice(desk: Desk) -> None:
    """While a container waits to be started again, and its log is that of the one before, is it
    there once?
    """
    desk.witness.logs = {
        "fuji-1 node": Read("panic\n"),
        "fuji-1 node previous": Read("panic\n"),
    }
    parts = await desk.gathered(ended(node_pod(restarts=6, running=False)))
    assert parts["node.log"] == b"panic\n"
    assert "node-previous.log" not in parts
    assert unread(parts) == ["everything was read"]


async def test_pods_are_told_without_their_variables(desk: Desk) -> None:
    """Are states, conditions and images there, and no value of a variable?"""
    found = node_pod(restarts=6)
    secretive = Container(name="node", image="i", env=[EnvVar("KEY", "hidden")], args=["hidden"])
    found = replace(
        found,
        metadata=replace(found.metadata, annotations={names.RUN_ID: RUN, "note": "hidden"}),
        spec=replace(found.spec, containers=[secretive], node_name="node-7"),
        status=replace(
            found.status,
            phase="Running",
            conditions=[PodCondition(type="Ready", status="False", last_transition_time=EPOCH)],
        ),
    )
    parts = await desk.gathered(ended(found))
    [told] = as_json(parts, "pods.json")
    assert (told["name"], told["uid"], told["node"], told["phase"]) == (
        "fuji-1", "pod-1", "node-7", "Running",
    )  # fmt: skip
    assert told["conditions"][0]["since"] == "2026-11-23T06:00:00Z"
    [node] = told["containers"]
    assert (node["restarts"], node["image"]) == (6, pinned("a"))
    assert node["last_state"]["terminated"]["exit_code"] == 1
    assert b"hidden" not in b"".join(parts.values())


async def test_nothing_secret_is_kept(desk: Desk) -> None:
    """Is every part redacted: logs, Events, words of pods, progress, facts?"""
    leak, known = "password=hunter2", "s3cret-of-ours"
    text = f"{leak} and {known}"
    found = node_pod(restarts=1)
    found = replace(found, status=replace(found.status, message=text))
    desk.gatherer = desk.another(secrets=(known,))
    desk.witness.logs = {
        "fuji-1 node": Read(f"\x1b[31m{text}\x1b[0m\n"),
        "fuji-1 node previous": Read(unread=text),
    }
    desk.witness.told = {"fuji-1": ([PodEvent(EPOCH, "Normal", "x", text)], text)}
    answer = NodeAnswer(AnswerKind.ANSWERED, text, failing={"a": text}, document=text.encode())
    parts = await desk.gathered(
        ended(
            found,
            outcome=outcome(message=text),
            answer=answer,
            progress={"password": "hunter2", "a": [text]},
            facts={"a": text},
        )
    )
    everything = b"".join(parts.values())
    assert b"hunter2" not in everything
    assert known.encode() not in everything
    assert parts["node.log"] == b"password=[redacted] and [redacted]\n"


async def test_logs_keep_their_ends_within_bounds(desk: Desk) -> None:
    """Is a long log cut from its beginning, at a line, and said to be cut?"""
    lines = [f"line {number} {'x' * 90} password=hunter2\n" for number in range(20_000)]
    desk.witness.logs = {"fuji-1 node": Read("".join(lines), cut=True)}
    parts = await read(desk, ended(node_pod()))
    log = parts["node.log"]
    assert PART_BYTES - 200 < len(log) <= PART_BYTES
    first, second, *_ = log.splitlines()
    assert first == b"(the beginning is left out)"
    assert second.startswith(b"line ")
    assert log.endswith(b"line 19999 " + b"x" * 90 + b" password=[redacted]\n")
    assert as_json(parts, "summary.json")["logs"]["node.log"] == {
        "pod": "fuji-1", "container": "node", "only_its_end": True,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["é" * 2_000_000, "z" * 2_000_000, "a b" * 900_000])
async def test_a_log_of_one_line_is_bounded_too(desk: Desk, text: str) -> None:
    """Is a line without end cut at a whole character?"""
    desk.witness.logs = {"fuji-1 node": Read(text)}
    log = (await read(desk, ended(node_pod())))["node.log"]
    assert len(log) <= PART_BYTES
    assert text.endswith(log.decode().splitlines()[-1])


async def test_a_part_that_is_too_long_is_left_out_and_said_to_be(desk: Desk) -> None:
    """Can no part, whatever is in it, keep the others out of the store?"""
    progress = {str(number): "x" * 1000 for number in range(2000)}
    parts = await read(desk, ended(node_pod(), progress=progress))
    assert "left out" in as_json(parts, "progress.json")["unread"]
    assert any(line.startswith("progress.json: left out") for line in unread(parts))
    assert sum(len(part) for part in parts.values()) < 4 * PART_BYTES


async def test_control_characters_do_not_reach_a_terminal(desk: Desk) -> None:
    """Are logs and JSON free of what moves a cursor or turns text round, and lines kept?"""
    text = "\x1b[31mred\x1b[0m\ttab\r\nnext\x9b2J\u202eend\x00\n\u061cto\u2066the\u2069end\n"
    desk.witness.logs = {"fuji-1 node": Read(text)}
    parts = await desk.gathered(ended(node_pod(), facts={"a": "\u202eturned"}))
    assert parts["node.log"].decode() == "red\ttab\nnext 2J end \n to the end\n"
    assert as_json(parts, "summary.json")["facts"] == {"a": " turned"}


class Gate(Sequence[str]):
    """A secret; who asks for it in another thread than the loop's waits until the gate is opened.
    came: whether anybody has.
    """

    def __init__(self) -> None:
        self.came, self.open = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[str]:
        if threading.current_thread() is not threading.main_thread():
            self.came.set()
            assert self.open.wait(5)
        return iter(("s3cret-of-ours",))

    def __len__(self) -> int:
        return 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return ("s3cret-of-ours",)[index]


LONG = "s3cret-of-ours in a line of a log\n" * 10_000


async def begun(desk: Desk, gate: Gate, run: Ended) -> asyncio.Task[Mapping[str, bytes]]:
    """A bundle in the making, its redaction held at the gate."""
    making = asyncio.create_task(read(desk, run, gate))
    while not gate.came.is_set():
        await asyncio.sleep(0)
        assert not making.done(), "nothing was done beside the loop"
    return making


@pytest.mark.parametrize("of", ["log", "json"])
async def test_the_loop_goes_on_while_a_long_part_is_redacted(desk: Desk, of: str) -> None:
    """While redaction is under way, can others do their work, and is the part whole afterwards?"""
    gate = Gate()
    desk.witness.logs = {"fuji-1 node": Read(LONG if of == "log" else "short\n")}
    progress = {"said": [LONG] if of == "json" else []}
    making = await begun(desk, gate, ended(node_pod(), progress=progress))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not making.done()
    gate.open.set()
    parts = await making
    assert b"s3cret" not in b"".join(parts.values())
    assert parts["node.log" if of == "log" else "progress.json"].count(b"[redacted]") == 10_000


async def test_a_bundle_can_be_cancelled_while_it_is_redacted(desk: Desk) -> None:
    """Does a stop not wait for a long redaction, nor get anything but its own cancellation?"""
    gate = Gate()
    desk.witness.logs = {"fuji-1 node": Read(LONG)}
    making = await begun(desk, gate, ended(node_pod()))
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert not gate.open.is_set()
    gate.open.set()
    assert desk.store.kept == []
