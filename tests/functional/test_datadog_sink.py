"""The Datadog sink against real sockets as the agent: what is on the wire, byte by byte.

Included: UDP, datagram and stream unix sockets, agents that are absent, come back or are behind.
Excluded: what Datadog does with an event.
"""

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.base.clock import SystemClock
from controller.domain.notice import Level, Notice
from controller.domain.run import Phase
from controller.notify.datadog_sink import TEXT_BYTES, TITLE_BYTES, DatadogSink
from tests.fakes import EPOCH, FakeClock

AGENT_SECONDS = 5.0  # how long a test waits for a datagram before it fails
AGENT_BUFFER = 8192  # what a real agent reads of one datagram [133]

PASSED = Notice(
    id="20261123t060000z-1a2b3c4d.7",
    at=EPOCH,
    level=Level.SUCCESS,
    title="fuji: run passed",
    text="Bootstrapped in 3d4h.",
    reason="Soaked",
    deployment="tests/fuji",
    network="fuji",
    run="20261123t060000z-1a2b3c4d",
    build="sha256:1a2b3c4d",
    phase=Phase.PASSED,
)
PASSED_DATAGRAM = (
    b"_e{16,149}:fuji: run passed|Bootstrapped in 3d4h.\\n\\ndeployment: tests/fuji\\nnetwork: fuji"
    b"\\nrun: 20261123t060000z-1a2b3c4d\\nbuild: sha256:1a2b3c4d\\nphase: Passed\\nreason: Soaked"
    b"|d:1795413600|k:20261123t060000z-1a2b3c4d|s:bootstrap-controller|t:success"
    b"|#network:fuji,phase:passed,reason:soaked,kube_namespace:tests,kube_deployment:fuji\n"
)


@pytest.fixture(autouse=True)
def no_datadog_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads these itself and adds tags from them: not on this machine."""
    for name in ("DD_ENV", "DD_SERVICE", "DD_VERSION", "DD_ENTITY_ID", "DATADOG_TAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: the path of a unix socket ends at 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dsd-") as path:
        yield Path(path)


@contextmanager
def agent(address: tuple[str, int] | Path = ("127.0.0.1", 0)) -> Iterator[socket.socket]:
    """A socket that takes datagrams as the agent does."""
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    if isinstance(address, tuple) and ":" in address[0]:
        family = socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as listening:
        listening.settimeout(AGENT_SECONDS)
        listening.bind(str(address) if isinstance(address, Path) else address)
        yield listening


@contextmanager
def sink_to(
    listening: socket.socket | Path | tuple[str, int], send_seconds: float = AGENT_SECONDS
) -> Iterator[DatadogSink]:
    """A sink that sends to that agent."""
    if isinstance(listening, Path):
        sink = DatadogSink("", 8125, str(listening), SystemClock(), send_seconds)
    else:
        address = listening if isinstance(listening, tuple) else listening.getsockname()
        sink = DatadogSink(address[0], address[1], "", SystemClock(), send_seconds)
    yield sink
    sink.close()


async def wire(notice: Notice) -> bytes:
    """The datagram of a notice."""
    with agent() as listening, sink_to(listening) as sink:
        await sink.tell(notice)
        return listening.recv(65536)


def parsed(datagram: bytes) -> tuple[bytes, bytes, list[bytes]]:
    """Title, text and fields, found as the agent finds them: by the lengths in the head [132]."""
    head, _, rest = datagram.partition(b"}:")
    title, text = (int(number) for number in head.removeprefix(b"_e{").split(b","))
    assert rest[title : title + 1] == b"|"
    tail = rest[title + 1 + text :].removesuffix(b"\n")
    assert tail.startswith(b"|")
    return rest[:title], rest[title + 1 : title + 1 + text], tail[1:].split(b"|")


async def test_the_datagram_is_exactly_this() -> None:
    """Is every byte as the agent's protocol wants it [132]?"""
    assert await wire(PASSED) == PASSED_DATAGRAM


async def test_a_unix_socket_gets_the_same(folder: Path) -> None:
    """Is the agent's own socket served like UDP?"""
    path = folder / "dsd.socket"
    with agent(path) as listening, sink_to(path) as sink:
        await sink.tell(PASSED)
        assert listening.recv(65536) == PASSED_DATAGRAM


async def test_a_unix_stream_socket_gets_the_same(folder: Path) -> None:
    """Is an agent that listens for streams served too, each message led by its length?"""
    path = folder / "dsd.socket"
    with socket.socket(socket.AF_UNIX) as listening, sink_to(path) as sink:
        listening.settimeout(AGENT_SECONDS)
        listening.bind(str(path))
        listening.listen()
        await sink.tell(PASSED)
        with listening.accept()[0] as taken:
            taken.settimeout(AGENT_SECONDS)
            assert taken.recv(65536)[4:] == PASSED_DATAGRAM


async def test_an_ipv6_agent_gets_the_same() -> None:
    """Is a bare IPv6 address (a node's host IP) sent to?"""
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    with agent(("::1", 0)) as listening, sink_to(listening) as sink:
        await sink.tell(PASSED)
        assert listening.recv(65536) == PASSED_DATAGRAM


@pytest.mark.parametrize("text", ["x" * 9000, "é" * 9000, "𝄞\n|" * 3000])
async def test_what_is_too_long_is_cut_and_arrives(text: str) -> None:
    """Does an agent, which drops what it cannot read whole, get a datagram that it can [133]?"""
    datagram = await wire(replace(PASSED, title=text, text=text))
    title, body, fields = parsed(datagram)
    assert len(datagram) < AGENT_BUFFER
    assert 0 < len(title) <= TITLE_BYTES
    assert TEXT_BYTES - 60 < len(body) <= TEXT_BYTES
    assert title.decode().endswith("…")
    assert b"run: 20261123t060000z-1a2b3c4d" in body
    assert b"k:20261123t060000z-1a2b3c4d" in fields


async def test_no_text_can_end_its_field() -> None:
    """Do pipes, commas and newlines from outside change neither key nor tags [134]?"""
    notice = replace(
        PASSED,
        title="a|b\nc",
        text="line\nline|t:error",
        run="",
        deployment="a|t:error/b,kube_namespace:other",
        reason="x\n|p:low",
    )
    title, body, fields = parsed(await wire(notice))
    assert title == b"a|b c"
    assert body.startswith(b"line line|t:error\\n\\n")
    assert [field[:2] for field in fields] == [b"d:", b"k:", b"s:", b"t:", b"#n"]
    assert fields[1] == b"k:a_t:error/b,kube_namespace:other"
    assert fields[3] == b"t:success"
    assert fields[4] == (
        b"#network:fuji,phase:passed,reason:x__p:low"
        b",kube_namespace:a_t:error,kube_deployment:b_kube_namespace:other"
    )


async def test_an_empty_title_is_replaced() -> None:
    """Is the one title that the agent refuses never sent [132]?"""
    assert parsed(await wire(replace(PASSED, title="\n ")))[0] == b"bootstrap-controller"


async def test_text_that_is_no_utf8_arrives() -> None:
    """Is half a character replaced, not the reason that an event is lost?"""
    assert parsed(await wire(replace(PASSED, text="a\ud800b")))[1].startswith(b"a?b\\n")


@pytest.mark.parametrize(
    ("level", "alert"),
    [
        (Level.INFO, b"t:info"),
        (Level.SUCCESS, b"t:success"),
        (Level.WARNING, b"t:warning"),
        (Level.ERROR, b"t:error"),
    ],
)
async def test_each_level_is_an_alert_type(level: Level, alert: bytes) -> None:
    """Are our levels the agent's words?"""
    assert alert in parsed(await wire(replace(PASSED, level=level)))[2]


async def test_an_agent_that_comes_later_gets_the_next_event(
    folder: Path, lines: list[dict[str, Any]]
) -> None:
    """Is an absent agent told once, no reason to fail, and its coming noticed at once?"""
    path = folder / "dsd.socket"
    with sink_to(path) as sink:
        await sink.tell(PASSED)
        await sink.tell(PASSED)
        with agent(path) as listening:
            await sink.tell(PASSED)
            assert listening.recv(65536) == PASSED_DATAGRAM
    assert [line["message"] for line in lines] == [
        "Datadog's agent takes no events",
        "Datadog's agent takes events again",
    ]


async def test_an_agent_that_was_started_anew_gets_the_next_event(
    folder: Path, lines: list[dict[str, Any]]
) -> None:
    """If the agent makes its socket file anew, is not one event lost in the old one [135]?"""
    path = folder / "dsd.socket"
    with sink_to(path) as sink:
        for _ in range(2):
            with agent(path) as listening:
                await sink.tell(PASSED)
                assert listening.recv(65536) == PASSED_DATAGRAM
            path.unlink()
    assert lines == []


async def test_an_absent_udp_agent_does_not_cost_the_event_after_it() -> None:
    """Does the system's word about a lost datagram not fall on the next one?"""
    with agent() as listening:
        address = listening.getsockname()
    with sink_to(address) as sink:
        await sink.tell(PASSED)
        with agent(address) as listening:
            await sink.tell(PASSED)
            assert listening.recv(65536) == PASSED_DATAGRAM


async def test_a_host_that_has_no_address_is_told_once(lines: list[dict[str, Any]]) -> None:
    """Is a name that cannot be looked up told, once, and never raised?"""
    with sink_to(("agent.invalid", 8125)) as sink:
        await sink.tell(PASSED)
        await sink.tell(PASSED)
    assert [line["message"] for line in lines] == ["Datadog's agent takes no events"]
    assert lines[0]["bootstrap"]["agent"] == "agent.invalid:8125"


async def test_an_agent_that_is_behind_is_waited_for_without_the_loop(
    folder: Path, lines: list[dict[str, Any]]
) -> None:
    """If the agent's socket is full, is the event given up after a while, and told?"""
    path = folder / "dsd.socket"
    with agent(path), sink_to(path, send_seconds=0.05) as sink:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filling:
            filling.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    filling.sendto(b"x", str(path))
        await sink.tell(PASSED)
    (line,) = lines
    assert line["bootstrap"]["error"] == "not taken"  # by the socket's time, not by the notice's


async def test_a_sink_that_is_slow_is_left(lines: list[dict[str, Any]]) -> None:
    """Does the sink keep to the clock that it was given, whatever its thread does?"""

    class NoTime(FakeClock):
        async def within(self, seconds: float, awaitable: Any) -> Any:
            awaitable.cancel()
            raise TimeoutError

    with agent() as listening:
        host, port = listening.getsockname()
        sink = DatadogSink(host, port, "", NoTime())
        await sink.tell(PASSED)
        sink.close()
    assert lines[0]["bootstrap"]["error"] == "timed out"


async def test_a_closed_sink_sends_nothing(lines: list[dict[str, Any]]) -> None:
    """Is telling after the end harmless?"""
    with agent() as listening:
        with sink_to(listening) as sink:
            pass
        await sink.tell(PASSED)
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.recv(1)
    assert lines == []
