"""Notices as events of Datadog, sent to its agent as DogStatsD datagrams.

Whether one arrives cannot be known: the agent does not answer. What is known here is only that the
system took the datagram.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from datadog.dogstatsd.base import DogStatsd as Client
from loguru import logger

from controller.base.clock import Clock
from controller.base.said_once import SaidOnce
from controller.base.text import cut_bytes, shown
from controller.domain.notice import Notice
from controller.notify.log_sink import facts
from controller.notify.notice_tags import OF_DEPLOYMENT, OF_FACTS

TITLE_BYTES = 100  # the longest title that others found Datadog to show [138]
# Datadog's own limit; with title and tags it stays far below the agent's 8192 bytes [133, 138].
TEXT_BYTES = 4000
KEY_BYTES = 100  # of the aggregation key [138]
TAG_BYTES = 200  # of one tag [137]
DETAIL_BYTES = 300  # of one line below the text: an image with a digest fits
SOURCE = "bootstrap-controller"

SEND_SECONDS = 1.0  # an agent that is alive empties its socket sooner
TELL_SECONDS = 3.0  # how long a notice may take in all: a name server may be slow
_NEVER = 10**9  # seconds; the client counts what it sent, but must not send its counts


class DatadogSink:
    """Sends each notice from a thread of its own: to look up a host's name, or to wait for an agent
    that is behind with its socket, may block, and the loop must not. Events are rare.

    host and port: of UDP; or else socket_path. send_seconds: how long a full socket is waited for.
    Never raises; trouble is logged once until it ends.
    """

    def __init__(
        self,
        host: str,
        port: int,
        socket_path: str,
        clock: Clock,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._agent = socket_path or f"{host}:{port}"
        self._clock = clock
        self._failing = SaidOnce[str]()
        self._client = Client(
            host=host or None,
            port=port,
            socket_path=socket_path or None,
            socket_timeout=send_seconds,
            telemetry_min_flush_interval=_NEVER,
            origin_detection_enabled=False,  # events are about Deployments, not about our pod [136]
        )
        # One thread, not the loop's own pool: an agent whose name cannot be looked up would take
        # the threads in which everybody else's names are.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="datadog")
        self._closed = False

    async def tell(self, notice: Notice) -> None:
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        try:
            sent = await self._clock.within(
                TELL_SECONDS, loop.run_in_executor(self._thread, self._send, notice)
            )
        except (TimeoutError, OSError, ValueError) as error:
            self._failed(shown(error) or "timed out")
            return
        if not sent:
            self._failed("not taken")
        elif self._failing.end(self._agent):
            logger.bind(agent=self._agent).info("Datadog's agent takes events again")

    def close(self) -> None:
        """Sends nothing more; does not wait for what is on its way."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _failed(self, why: str) -> None:
        if self._failing.begin(self._agent, "failed"):
            logger.bind(agent=self._agent, error=why).warning("Datadog's agent takes no events")

    def _send(self, notice: Notice) -> bool:
        """In the thread. Returns whether the system took the datagram."""
        before = self._client.packets_sent
        try:
            self._client.event(
                title=_line(notice.title, TITLE_BYTES) or SOURCE,  # the agent refuses an empty one
                message=event_text(notice),
                alert_type=notice.level.value,
                aggregation_key=_word(notice.run or notice.deployment or notice.reason, KEY_BYTES),
                source_type_name=SOURCE,
                date_happened=int(notice.at.timestamp()),
                tags=event_tags(notice),
            )
        finally:
            # A new socket for each event: an agent that was started anew has a new socket file, and
            # what UDP says of the last datagram must not be taken for the next one's fate.
            self._client.close_socket()
        return bool(self._client.packets_sent > before)


def event_text(notice: Notice) -> str:
    """The sentence, and below it a line for each fact; the facts are never cut off."""
    lines = [_line(f"{name}: {value}", DETAIL_BYTES) for name, value in facts(notice).items()]
    below = cut_bytes("\n".join(lines), TEXT_BYTES // 2)
    # a newline becomes two characters on the wire [132], and two part the sentence from the facts
    left = TEXT_BYTES - len(below.encode()) - below.count("\n") - 4
    return f"{_line(notice.text, left)}\n\n{below}"


def event_tags(notice: Notice) -> list[str]:
    """Words that people filter by; never a digest or a run id."""
    namespace, _, name = notice.deployment.partition("/")
    known = facts(notice)
    tags = {tag: known.get(tag, "") for tag in OF_FACTS}
    tags |= dict(zip(OF_DEPLOYMENT, (namespace, name), strict=True))
    return [_word(f"{tag}:{value}", TAG_BYTES).lower() for tag, value in tags.items() if value]


def _line(text: str, limit: int) -> str:
    """One line of at most that many bytes. What is no UTF-8 is replaced: the client would fail."""
    clean = shown(text, limit).encode(errors="replace").decode()
    return cut_bytes(clean, limit)


def _word(text: str, limit: int) -> str:
    """As `_line`, and without `|`, which the client does not escape and which would end the field
    that it stands in [134].
    """
    return _line(text.replace("|", "_"), limit)
