"""Notices: what each sink makes of them, and that one sink's trouble is nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.errors import Forbidden, Unavailable
from controller.base.metrics import Metrics
from controller.domain.notice import Level, Notice
from controller.domain.run import Phase
from controller.notify.datadog_sink import TEXT_BYTES, event_tags, event_text
from controller.notify.fan_out import SINK_SECONDS, Notifier
from controller.notify.kube_sink import KubeSink
from controller.notify.log_sink import LogSink, facts
from tests.fakes import EPOCH, FakeClock

FAILED = Notice(
    id="20261123t060000z-1a2b3c4d.5",
    at=EPOCH,
    level=Level.ERROR,
    title="fuji-full-sync: run failed",
    text="The node crashed 3 times.",
    reason="CrashLoop",
    deployment="tests/fuji-full-sync",
    uid="u",
    target="fuji-full-sync",
    network="fuji",
    sync_mode="full-sync",
    run="20261123t060000z-1a2b3c4d",
    build="sha256:1a2b3c4d",
    image="avaplatform/avalanchego:master@sha256:1a2b3c4d",
    phase_before=Phase.BOOTSTRAPPING,
    phase=Phase.FAILED,
)
REGISTRY_GONE = Notice(
    id="registry-docker.io.1",
    at=EPOCH,
    level=Level.WARNING,
    title="registry unreachable",
    text="docker.io does not answer.",
    reason="RegistryUnreachable",
)


class Recorder:
    """A sink that keeps what it was told, and first does something else."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.told: list[Notice] = []

    async def tell(self, notice: Notice) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.told.append(notice)

    async def post_event(self, notice: Notice) -> None:
        await self.tell(notice)


class Hanging:
    """A sink that never comes back."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    async def tell(self, notice: Notice) -> None:
        await self._clock.sleep(1e9)


@asynccontextmanager
async def being_told(notifier: Notifier, notice: Notice) -> AsyncIterator[asyncio.Task[None]]:
    """One notice that is being told, ended at the end."""
    task = asyncio.create_task(notifier.tell(notice))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_log_has_one_line_a_notice(lines: list[dict[str, Any]]) -> None:
    """Is everything that is known of a notice on its line?"""
    await LogSink().tell(FAILED)
    (line,) = lines
    assert (line["status"], line["message"]) == ("error", "fuji-full-sync: run failed")
    assert line["bootstrap"] == {
        "notice": FAILED.id,
        "at": "2026-11-23T06:00:00+00:00",
        "text": "The node crashed 3 times.",
        "deployment": "tests/fuji-full-sync",
        "target": "fuji-full-sync",
        "network": "fuji",
        "sync_mode": "full-sync",
        "run": "20261123t060000z-1a2b3c4d",
        "build": "sha256:1a2b3c4d",
        "image": "avaplatform/avalanchego:master@sha256:1a2b3c4d",
        "phase_before": "Bootstrapping",
        "phase": "Failed",
        "reason": "CrashLoop",
    }


@pytest.mark.parametrize(
    ("level", "status"),
    [
        (Level.INFO, "info"),
        (Level.SUCCESS, "info"),
        (Level.WARNING, "warning"),
        (Level.ERROR, "error"),
    ],
)
async def test_each_level_has_its_place_in_the_log(
    lines: list[dict[str, Any]], level: Level, status: str
) -> None:
    """Is a notice found in the log by how bad it is?"""
    await LogSink().tell(replace(FAILED, level=level))
    assert lines[0]["status"] == status


async def test_a_title_is_not_a_pattern(lines: list[dict[str, Any]]) -> None:
    """Does a title with braces stand in the log as it is?"""
    await LogSink().tell(replace(FAILED, title="{title}"))
    assert lines[0]["message"] == "{title}"


async def test_every_sink_is_told_in_order() -> None:
    """Does each sink get the notice, and is it counted by its reason?"""
    order: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        async def tell(self, notice: Notice) -> None:
            order.append(self.name)

    metrics = Metrics("1")
    await Notifier([Named("log"), Named("datadog"), Named("event")], FakeClock(), metrics).tell(
        FAILED
    )
    assert order == ["log", "datadog", "event"]
    assert b'bootstrap_notices_total{reason="CrashLoop"} 1.0' in metrics.render()


async def test_a_failing_sink_hides_nothing_from_the_next(lines: list[dict[str, Any]]) -> None:
    """Is the next sink told whatever the one before it did, and the failure told once?"""
    broken, after = Recorder(RuntimeError("bug\nhere")), Recorder()
    notifier = Notifier([broken, after], FakeClock(), Metrics("1"))
    await notifier.tell(FAILED)
    await notifier.tell(REGISTRY_GONE)
    assert after.told == [FAILED, REGISTRY_GONE]
    assert [line["message"] for line in lines] == ["sink has failed"]
    assert lines[0]["bootstrap"] == {"sink": "0 Recorder", "error": "RuntimeError: bug here"}


async def test_a_hanging_sink_is_left_after_its_time(lines: list[dict[str, Any]]) -> None:
    """Does a sink that never comes back cost its time and no more?"""
    clock, after = FakeClock(), Recorder()
    notifier = Notifier([Hanging(clock), after], clock, Metrics("1"))
    async with being_told(notifier, FAILED) as telling:
        await clock.advance(SINK_SECONDS - 0.1)
        assert after.told == []
        await clock.advance(0.2)
        assert telling.done()
    assert after.told == [FAILED]
    assert lines[0]["bootstrap"]["error"] == "it took longer than 5s"


async def test_cancelling_passes_through() -> None:
    """Is a controller that stops not held up by a sink, and the sink not blamed?"""
    clock, after = FakeClock(), Recorder()
    notifier = Notifier([Hanging(clock), after], clock, Metrics("1"))
    async with being_told(notifier, FAILED) as telling:
        await clock.settle()
        telling.cancel()
        await clock.settle()
        assert telling.cancelled()
    assert after.told == []


async def test_a_sink_that_works_again_is_told(lines: list[dict[str, Any]]) -> None:
    """Does the log say when the trouble is over, and begin anew with the next one?"""
    sink = Recorder(RuntimeError("bug"))
    notifier = Notifier([sink], FakeClock(), Metrics("1"))
    for trouble in (sink.trouble, None, None, sink.trouble):
        sink.trouble = trouble
        await notifier.tell(FAILED)
    assert [line["message"] for line in lines] == [
        "sink has failed",
        "sink takes notices again",
        "sink has failed",
    ]


async def test_events_are_posted_for_deployments_only() -> None:
    """Is a notice that concerns no single Deployment kept from the cluster?"""
    poster = Recorder()
    sink = KubeSink(poster)
    await sink.tell(REGISTRY_GONE)
    await sink.tell(FAILED)
    assert poster.told == [FAILED]


async def test_trouble_with_events_is_told_once_a_namespace(lines: list[dict[str, Any]]) -> None:
    """Do missing rights in one namespace make one line, and their coming back another?"""
    poster = Recorder(Forbidden("create events is not allowed"))
    sink = KubeSink(poster)
    await sink.tell(FAILED)
    await sink.tell(FAILED)
    await sink.tell(replace(FAILED, deployment="other/x"))
    poster.trouble = Unavailable("no answer")
    await sink.tell(FAILED)
    poster.trouble = None
    await sink.tell(FAILED)
    assert [(line["message"], line["bootstrap"]["namespace"]) for line in lines] == [
        ("Kubernetes Events cannot be posted", "tests"),
        ("Kubernetes Events cannot be posted", "other"),
        ("Kubernetes Events can be posted again", "tests"),
    ]
    assert lines[0]["bootstrap"]["error"] == "create events is not allowed"


def test_tags_have_few_values() -> None:
    """Are the tags exactly those that people filter by, and none of them a digest or a run id?"""
    assert event_tags(FAILED) == [
        "network:fuji",
        "sync_mode:full-sync",
        "phase:failed",
        "reason:crashloop",
        "kube_namespace:tests",
        "kube_deployment:fuji-full-sync",
    ]
    assert event_tags(REGISTRY_GONE) == ["reason:registryunreachable"]


def test_the_text_holds_what_the_tags_must_not() -> None:
    """Are build, run and image found in the event?"""
    text = event_text(FAILED)
    assert text.startswith("The node crashed 3 times.\n\n")
    for name, value in facts(FAILED).items():
        assert f"\n{name}: {value}" in text


@given(text=st.text() | st.text(alphabet="é|\n𝄞").map(lambda part: part * 3000))
def test_no_text_is_longer_than_datadog_takes(text: str) -> None:
    """Whatever the text, do its bytes on the wire stay below the limit?"""
    wire = event_text(replace(FAILED, text=text)).replace("\n", "\\n")
    assert len(wire.encode()) <= TEXT_BYTES


def test_a_long_text_never_costs_the_facts() -> None:
    """If a sentence is much too long, are run and build still there?"""
    text = event_text(replace(FAILED, text="é" * 9000))
    assert f"run: {FAILED.run}" in text
    assert f"build: {FAILED.build}" in text
    assert "…\n\n" in text
    assert len(text.encode()) > TEXT_BYTES - 50


async def test_no_sink_is_told_a_secret() -> None:
    """Is what a registry or a store says of its password told to nobody?"""
    said = replace(REGISTRY_GONE, text="redis://u:hunter2@host refused: AccountKey=hunter2")
    sink = Kept()
    await Notifier([sink], FakeClock(), Metrics("1")).tell(said)
    assert [n.text for n in sink.notices] == [
        "redis://u:[redacted]@host refused: AccountKey=[redacted]"
    ]


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def tell(self, notice: Notice) -> None:
        self.notices.append(notice)
