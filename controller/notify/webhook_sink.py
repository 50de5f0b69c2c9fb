"""Notices posted to a webhook, as Slack and those that speak like it want them: `{"text": …}`.

The URL is a secret: whoever knows it can post. Nothing here shows more of it than the host.
"""

import asyncio
import contextlib
from collections import deque
from random import Random

import aiohttp
import orjson
from loguru import logger
from yarl import URL

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.clock import Clock
from controller.base.errors import Trouble
from controller.base.http_errors import translated
from controller.base.metrics import Metrics
from controller.base.said_once import SaidOnce
from controller.base.tasks import stop_all, supervise
from controller.domain.notice import Notice
from controller.domain.notice_text import sum_of, text_of

QUEUE = 500  # notices that wait; of more the oldest are dropped
POST_SECONDS = 10.0  # for one request
WINDOW = 60.0  # seconds
MOST = 20  # texts in a window; what comes beyond is summed up in one line when the window opens
TRIES = 6  # of one text
CLOSE_SECONDS = 3.0  # for what still waits when the controller stops
RETRY = BackoffPolicy(first=1.0, cap=60.0)
LONGEST_PAUSE = 300.0  # seconds that the other side may ask for
_LATER = frozenset({408, 425, 429})  # of 4xx, those that may go well later


class _NotTaken(Exception):
    """pause: seconds to wait at least; None: it will not be taken later either."""

    def __init__(self, why: str, pause: float | None = 0.0) -> None:
        super().__init__(why)
        self.pause = pause


class WebhookSink:
    """`tell` never waits: a task of its own posts what is queued, one after the other. An async
    context manager: the task runs within it.
    """

    def __init__(
        self, url: str, template: str, clock: Clock, random: Random, metrics: Metrics
    ) -> None:
        self._url = URL(url)
        self._host = f"webhook at {self._url.host}"
        self._template = template
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._waiting: deque[Notice] = deque()
        self._posted: deque[float] = deque()  # monotonic seconds of the last posts
        self._lost = 0  # notices dropped since the last text that was taken
        self._failing = SaidOnce[str]()
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "WebhookSink":
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        work = supervise("webhook", self._run, self._clock, self._random)
        self._task = asyncio.create_task(work, name="webhook")
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            await self._clock.within(CLOSE_SECONDS, self._idle.wait())
        if self._waiting:
            self._drop(len(self._waiting), "the controller stops")
        if self._task is not None:
            await stop_all([self._task])
        if self._session is not None:
            await self._session.close()

    async def tell(self, notice: Notice) -> None:
        if notice.quiet:
            return  # one notice of the registry or of the store says it for all
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self._drop(1, "too many notices wait")
        self._waiting.append(notice)
        self._idle.clear()
        self._filled.set()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._idle.set()
                self._filled.clear()
                await self._filled.wait()
            if await self._is_open():
                notices = [self._waiting.popleft()]
                text = text_of(notices[0], self._template)
            else:
                notices = list(self._waiting)
                self._waiting.clear()
                single = len(notices) == 1
                text = text_of(notices[0], self._template) if single else sum_of(notices)
            await self._deliver(text, len(notices))

    async def _is_open(self) -> bool:
        """Whether one more text fits into the window at once; if not, waits until one does."""
        now = self._clock.monotonic()
        while self._posted and now - self._posted[0] >= WINDOW:
            self._posted.popleft()
        if len(self._posted) < MOST:
            return True
        await self._clock.sleep(self._posted[0] + WINDOW - now)
        self._posted.popleft()
        return False

    async def _deliver(self, text: str, count: int) -> None:
        """count: of the notices in the text."""
        backoff = Backoff(RETRY, self._clock, self._random)
        for left in reversed(range(TRIES)):
            lost = f"\n({self._lost} notices before were lost)" if self._lost else ""
            self._posted.append(self._clock.monotonic())
            try:
                await self._post(text + lost)
            except _NotTaken as error:
                if self._failing.begin(self._host, "failed"):
                    logger.bind(why=str(error)).warning("the webhook takes no notices")
                if error.pause is None or not left:
                    self._drop(count, str(error))
                    return
                await self._clock.sleep(backoff.next_delay(error.pause))
            else:
                self._lost = 0
                self._failing.end("dropped")
                self._metrics.webhook("posted" if count == 1 else "summed_up", count)
                if self._failing.end(self._host):
                    logger.bind(host=self._url.host).info("the webhook takes notices again")
                return

    async def _post(self, text: str) -> None:
        """Raises _NotTaken."""
        assert self._session is not None
        try:
            with translated(self._host, POST_SECONDS):
                status, pause = await self._clock.within(POST_SECONDS, self._ask(text))
        except Trouble as trouble:
            raise _NotTaken(str(trouble)) from None  # what is behind it may hold the URL
        if status in _LATER or status >= 500:
            raise _NotTaken(f"{self._host} answers {status}", pause)
        if not 200 <= status < 300:
            raise _NotTaken(f"{self._host} answers {status}", None)

    async def _ask(self, text: str) -> tuple[int, float]:
        """The status, and the seconds after which it wants to be asked again."""
        assert self._session is not None
        async with self._session.post(
            self._url,
            data=orjson.dumps({"text": text}),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,  # elsewhere somebody else may listen
        ) as answer:
            after = answer.headers.get("Retry-After", "")
            pause = float(after) if after.isascii() and after.isdigit() else 0.0
            return answer.status, min(LONGEST_PAUSE, pause)

    def _drop(self, count: int, why: str) -> None:
        self._lost += count
        self._metrics.webhook("dropped", count)
        if self._failing.begin("dropped", "dropped"):
            logger.bind(why=why).warning("notices for the webhook are dropped")
