"""The webhook sink against a real HTTP server: what it is told, and what its failures cost."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from controller.base.metrics import Metrics
from controller.domain.notice import Level, Notice
from controller.domain.notice_text import DEFAULT_TEMPLATE
from controller.domain.run import Phase
from controller.notify.webhook_sink import MOST, POST_SECONDS, QUEUE, WINDOW, WebhookSink
from tests.controlled_world import controlled_world
from tests.fakes import EPOCH
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

SECRET = "T0/B0/s3cr3tpath"
FAILED = Notice(
    id="1",
    at=EPOCH,
    level=Level.ERROR,
    title="fuji-full-sync: Failed (BadBlock)",
    text="C cannot verify <block> 5 & stops.",
    reason="BadBlock",
    deployment="tests/fuji",
    target="fuji-full-sync",
    phase=Phase.FAILED,
)
PASSED = replace(FAILED, level=Level.SUCCESS, title="fuji-full-sync: Passed (Soaked)", text="Well.")


class Receiver:
    """A server that answers with the next status of a list, then with 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.hangs = 0  # so many requests are not answered
        self.texts: list[str] = []  # that it took
        self.at: list[float] = []  # when each request came
        self.url = ""
        self.strays = 0  # requests to where a redirect leads

    async def stray(self, _: web.Request) -> web.Response:
        self.strays += 1
        return web.Response()

    async def answer(self, request: web.Request) -> web.Response:
        self.at.append(LoopClock().monotonic())
        if self.hangs:
            self.hangs -= 1
            await LoopClock().sleep(2 * POST_SECONDS)
            return web.Response(status=500)  # to nobody
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            assert request.content_type == "application/json"
            told = await request.json()
            assert list(told) == ["text"]
            self.texts.append(told["text"])
        return web.Response(status=status, headers=self.headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post(f"/{SECRET}", found.answer)
    app.router.add_route("*", f"/{SECRET}/elsewhere", found.stray)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{SECRET}"
    yield found
    await runner.cleanup()


@asynccontextmanager
async def sink_to(
    url: str, template: str = DEFAULT_TEMPLATE, metrics: Metrics | None = None
) -> AsyncIterator[WebhookSink]:
    sink = WebhookSink(url, template, LoopClock(), Random(3), metrics or Metrics("1"))
    async with sink:
        yield sink


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3600):
        while not condition():
            await LoopClock().sleep(0.5)


def counted(metrics: Metrics, outcome: str) -> float:
    line = f'bootstrap_webhook_notices_total{{outcome="{outcome}"}} '
    found = [each for each in metrics.render().decode().splitlines() if each.startswith(line)]
    return float(found[0].removeprefix(line)) if found else 0.0


async def test_a_notice_is_one_text_that_slack_shows_as_it_is(receiver: Receiver) -> None:
    """Is the text escaped as Slack wants it, so that nothing becomes a link or a mention?"""
    async with sink_to(receiver.url) as sink:
        await sink.tell(FAILED)
    assert receiver.texts == [
        ":x: *fuji-full-sync: Failed (BadBlock)*\nC cannot verify &lt;block&gt; 5 &amp; stops."
    ]


async def test_a_template_says_what_it_says(receiver: Receiver) -> None:
    """Are placeholders filled in, and only once?"""
    odd = replace(FAILED, text="{build}")
    async with sink_to(receiver.url, "{level} {target}\\n{reason} {text}") as sink:
        await sink.tell(odd)
    assert receiver.texts == ["error fuji-full-sync\nBadBlock {build}"]


async def test_trouble_of_all_is_not_told_for_each(receiver: Receiver) -> None:
    """Are quiet notices, of many Deployments at once, left to log and Kubernetes Event?"""
    async with sink_to(receiver.url) as sink:
        await sink.tell(replace(FAILED, quiet=True))
        await sink.tell(PASSED)
    assert len(receiver.texts) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_what_may_go_well_later_is_tried_again(
    receiver: Receiver, status: int, lines: list[dict[str, Any]]
) -> None:
    """Does a notice arrive once, after a pause, with one warning and one word of the end?"""
    receiver.statuses = [status, status]
    async with sink_to(receiver.url) as sink:
        await sink.tell(FAILED)
        await until(lambda: len(receiver.texts) == 1)
    assert [line["message"] for line in lines] == [
        "the webhook takes no notices",
        "the webhook takes notices again",
    ]
    assert f"answers {status}" in lines[0]["bootstrap"]["why"]
    assert receiver.at[1] - receiver.at[0] >= 1.0


async def test_a_pause_that_is_asked_for_is_kept(receiver: Receiver) -> None:
    """Is `Retry-After` heeded?"""
    receiver.statuses, receiver.headers = [429], {"Retry-After": "40"}
    async with sink_to(receiver.url) as sink:
        await sink.tell(FAILED)
        await until(lambda: len(receiver.texts) == 1)
    assert 40 <= receiver.at[1] - receiver.at[0] < 45


async def test_a_hanging_server_costs_its_time_and_nobody_waits(receiver: Receiver) -> None:
    """Does `tell` return at once, and the text arrive when the server comes back?"""
    receiver.hangs = 1
    async with sink_to(receiver.url) as sink:
        before = LoopClock().monotonic()
        await sink.tell(FAILED)
        await sink.tell(PASSED)
        assert LoopClock().monotonic() == before
        await until(lambda: len(receiver.texts) == 2)
        await LoopClock().sleep(2 * POST_SECONDS)
    assert POST_SECONDS <= receiver.at[1] - receiver.at[0] < POST_SECONDS + 5


async def test_a_refusal_is_not_tried_again_and_is_told_later(
    receiver: Receiver, lines: list[dict[str, Any]]
) -> None:
    """Is a lost notice counted, warned of once, and told with the next that is taken?"""
    receiver.statuses = [404, 404]
    metrics = Metrics("1")
    async with sink_to(receiver.url, metrics=metrics) as sink:
        await sink.tell(FAILED)
        await sink.tell(FAILED)
        await sink.tell(PASSED)
        await until(lambda: len(receiver.texts) == 1)
    assert len(receiver.at) == 3
    assert receiver.texts[0].endswith("Well.\n(2 notices before were lost)")
    assert (counted(metrics, "dropped"), counted(metrics, "posted")) == (2, 1)
    warnings = [line["message"] for line in lines if line["status"] == "warning"]
    assert warnings == ["the webhook takes no notices", "notices for the webhook are dropped"]


async def test_a_server_that_stays_away_does_not_fill_the_memory() -> None:
    """Is the queue bounded, are the oldest dropped, and does the stop not wait for ever?"""
    metrics = Metrics("1")
    async with sink_to("http://127.0.0.1:9/x", metrics=metrics) as sink:
        for _ in range(QUEUE + 30):
            await sink.tell(FAILED)
        assert counted(metrics, "dropped") == 30
        before = LoopClock().monotonic()
    assert LoopClock().monotonic() - before < 20
    assert counted(metrics, "posted") == 0


async def test_a_storm_is_damped(receiver: Receiver) -> None:
    """Are there few texts in a minute, then one that sums up the rest, and none lost?"""
    metrics = Metrics("1")
    async with sink_to(receiver.url, metrics=metrics) as sink:
        for place in range(90):
            await sink.tell(PASSED if place % 3 else FAILED)
        await until(lambda: len(receiver.texts) == MOST + 1)
        await sink.tell(PASSED)
        await until(lambda: len(receiver.texts) == MOST + 2)
    assert receiver.at[MOST - 1] - receiver.at[0] < 5
    assert receiver.at[MOST] - receiver.at[0] >= WINDOW
    assert receiver.texts[MOST] == (
        ":x: *70 notices at once*: 70 BadBlock (fuji-full-sync: Failed (BadBlock))"
    )
    assert (counted(metrics, "posted"), counted(metrics, "summed_up")) == (MOST + 1, 70)


@pytest.mark.parametrize("trouble", [[500], [404], [302], [307]])
async def test_the_url_is_in_no_log(
    receiver: Receiver, trouble: list[int], lines: list[dict[str, Any]]
) -> None:
    """Is the path, which is the secret, never shown, and never sent where a redirect leads?"""
    receiver.statuses, receiver.headers = trouble, {"Location": f"{receiver.url}/elsewhere"}
    async with sink_to(receiver.url) as sink, sink_to(f"http://127.0.0.1:9/{SECRET}") as refused:
        await sink.tell(FAILED)
        await refused.tell(FAILED)
        await LoopClock().sleep(600)
    assert lines
    assert SECRET not in json.dumps(lines)
    assert receiver.strays == 0


async def test_a_whole_run_is_told(receiver: Receiver, tmp_path: Path) -> None:
    """Does a controller that is given the file tell of each step, and show the URL in no log?"""
    file = tmp_path / "webhook"
    file.write_text(f"{receiver.url}\n")
    async with controlled_world(tmp_path) as world:
        world.start(webhook_file=str(file), webhook_template="{phase}")
        world.deploy("fuji")
        await world.passes("fuji")
        await until(lambda: "Passed" in receiver.texts)
        await world.stop()
        assert receiver.texts[-4:] == ["Starting", "Bootstrapping", "Soaking", "Passed"]
        assert not world.has_said(SECRET)


def test_who_sets_none_does_not_pay_for_it() -> None:
    """Is the sink not even loaded where no webhook is set?"""
    code = (
        "import sys, controller.process.app; print('controller.notify.webhook_sink' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
