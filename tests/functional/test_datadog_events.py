"""Each event that Datadog's agent is sent, parsed back by a parser that knows only the protocol."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from controller.base.clock import SystemClock
from controller.domain.notice import Level, Notice
from controller.domain.run import Phase
from controller.notify.datadog_sink import DatadogSink
from controller.notify.notice_tags import TAGS
from controller.reference.notices import Row, rows
from tests.dogstatsd import Event, parse_event
from tests.fakes import EPOCH

ROWS = list(rows())
NOTICE = Notice(
    id="tests.fuji.20261123t060000z-1a2b3c4d.7",
    at=EPOCH,
    level=Level.INFO,
    title="fuji-full-sync: Soaking (Bootstrapped)",
    text="The node says so.",
    reason="Bootstrapped",
    deployment="tests/fuji",
    target="fuji-full-sync",
    network="fuji",
    sync_mode="full-sync",
    run="20261123t060000z-1a2b3c4d",
    build="sha256:1a2b3c4d",
    image="avaplatform/avalanchego:latest@sha256:1a2b3c4d",
    phase_before=Phase.BOOTSTRAPPING,
    phase=Phase.SOAKING,
)


@pytest.fixture(autouse=True)
def no_datadog_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads these itself and adds tags from them: not on this machine."""
    for name in ("DD_ENV", "DD_SERVICE", "DD_VERSION", "DD_ENTITY_ID", "DATADOG_TAGS"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def agent() -> Iterator[tuple[socket.socket, DatadogSink]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.settimeout(5)
        listening.bind(("127.0.0.1", 0))
        sink = DatadogSink("127.0.0.1", listening.getsockname()[1], "", SystemClock(), 5.0)
        yield listening, sink
        sink.close()


async def event_of(notice: Notice) -> Event:
    with agent() as (listening, sink):
        await sink.tell(notice)
        return parse_event(listening.recv(65536))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.reason}-{row.level}")
async def test_every_notice_is_an_event(row: Row) -> None:
    """Is each reason at its level an event with title, text, time, run and tags as they are?"""
    notice = replace(NOTICE, level=row.level, reason=row.reason, text=row.when)
    event = await event_of(notice)
    assert event.title == NOTICE.title
    assert event.text.startswith(f"{row.when}\n\ndeployment: tests/fuji\n")
    assert event.fields == {
        "date": str(int(EPOCH.timestamp())),
        "key": NOTICE.run,
        "source": "bootstrap-controller",
        "alert": str(row.level),
    }
    assert [tag.partition(":")[0] for tag in event.tags] == list(TAGS)
    assert f"reason:{row.reason.lower()}" in event.tags


@pytest.mark.parametrize(
    "odd",
    [
        "a|b|#c:d|t:error",
        "line\nline\r\n_e{1,1}:a|b",
        "größer 😀 " * 400,
        "\ud800 no character",
        "\x00\x1b[31m",
        "}:|",
    ],
    ids=["marks", "lines", "long", "surrogate", "control", "head"],
)
async def test_strange_text_stays_within_its_event(odd: str) -> None:
    """Does a title, a text, a name of a run or a reason of any kind begin no field and no event?"""
    notice = replace(NOTICE, title=odd, text=odd, reason=odd, run=odd, network=odd)
    event = await event_of(notice)
    assert event.fields["alert"] == "info"
    assert set(event.fields) == {"date", "key", "source", "alert"}
    assert len([tag for tag in event.tags if tag.startswith("kube_deployment:")]) == 1


async def test_what_concerns_no_deployment_is_an_event_too() -> None:
    """Is an outage of the store told, with its reason as the only tag?"""
    outage = Notice(
        "s.1", EPOCH, Level.WARNING, "store: StoreUnreachable", "away", "StoreUnreachable"
    )
    event = await event_of(outage)
    assert (event.tags, event.fields["key"]) == (["reason:storeunreachable"], "StoreUnreachable")


@pytest.mark.parametrize(
    "datagram",
    [
        b"x:1|c",
        b"_e{3,1}:a|b",
        b"_e{1,1}:a|b|z:1",
        b"_e{1,1}:a|b|t:bad",
        b"_e{1,1}:a|b\n_e{1,1}:a|b",
    ],
)
def test_the_parser_refuses_what_is_no_event(datagram: bytes) -> None:
    """Would a mistake on the wire be seen?"""
    with pytest.raises(ValueError):
        parse_event(datagram)
