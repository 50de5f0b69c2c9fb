"""The listener: /healthz, /readyz and /metrics for the kubelet, Prometheus and Datadog's agent.

No other routes, nothing is ever read from a request's body, and nothing can be changed through it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from controller.base.errors import SettingsFault
from controller.base.listening import listening_site
from controller.base.metrics import CONTENT_TYPE, Metrics
from controller.base.text import shown

KEEPALIVE_SECONDS = 75.0  # outlives the pause between two scrapes, of a minute at most
STOP_SECONDS = 2.0  # an answer is one short text: who has not read it by then has gone
LONGEST_BODY = 1  # bytes; aiohttp takes 0 for no limit


@dataclass(frozen=True)
class Health:
    """The answer to a question about our health."""

    holds: bool
    sentence: str  # why, or why not


Ask = Callable[[], Health]


class Listener:
    """Serves until it is closed.

    alive: whether the loops go round (their heartbeat is young enough); a no makes the kubelet
    start the container again. ready: whether the caches are synced and this controller leads or
    stands by; which of the two is in the sentence. Both are asked on each request: they must be
    quick.
    """

    def __init__(self, metrics: Metrics, alive: Ask, ready: Ask) -> None:
        self._metrics = metrics
        app = web.Application(client_max_size=LONGEST_BODY)
        app.router.add_get("/healthz", _answering(alive))
        app.router.add_get("/readyz", _answering(ready))
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(
            app,
            access_log=None,  # a probe every few seconds is no news
            handle_signals=False,  # the composition root stops us in its own order
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=STOP_SECONDS,
        )

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port: the system's choice for port 0. host: without brackets.

        Raises SettingsFault if it cannot listen there.
        """
        await self._runner.setup()
        try:
            await listening_site(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise SettingsFault(
                [
                    f"--listen (BOOTSTRAP_LISTEN) is '{shown(address)}': it cannot be listened on"
                    f" ({shown(error.strerror)}): write a free port and an address of this machine"
                ]
            ) from error
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _show_metrics(self, request: web.Request) -> web.Response:
        # as a header: aiohttp's own content_type takes no version
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})


def _answering(ask: Ask) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        condition = ask()
        return web.Response(
            status=200 if condition.holds else 503, text=shown(condition.sentence, 500) + "\n"
        )

    return answer
