"""The simulated API server: what listens, and what a test or the demo holds in its hands."""

import json
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from random import Random

from aiohttp import web

from controller.base.clock import Clock
from controller.simulator.apiserver.auth import Gate, Rights
from controller.simulator.apiserver.followed_log import FollowSource, nothing_follows
from controller.simulator.apiserver.objects import Objects
from controller.simulator.apiserver.proxy import PodProxy, Resolver, by_pod_ip
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.routes import LogSource, Routes, Served
from controller.simulator.apiserver.statuses import bad_request
from controller.simulator.apiserver.storage import HISTORY, Storage
from controller.simulator.apiserver.watch import WatchSettings
from controller.simulator.faults import Faults, Handler

# The limit of a request body at the real server, in bytes.
MAX_BODY = 3 * 1024 * 1024

# How many requests are remembered for tests that ask what was sent.
REMEMBERED = 20_000


@dataclass(frozen=True)
class Seen:
    """One request as it arrived, whatever became of it."""

    method: str
    path: str  # with the query, as the client sent them


def _no_logs(namespace: str, pod: str, container: str) -> str:
    return ""


def _no_previous_logs(namespace: str, pod: str, container: str) -> str:
    raise bad_request(f'previous terminated container "{container}" in pod "{pod}" not found')


@dataclass(frozen=True)
class ServerTls:
    """TLS at a second port. Clients that read kubeconfigs send no credentials without it."""

    context: ssl.SSLContext
    ca: Path  # by which the certificate is believed, at 127.0.0.1


@dataclass(frozen=True)
class ServerSettings:
    """What can be chosen about a server; the defaults suit a test."""

    port: int = 0  # 0 for any free one
    namespaces: tuple[str, ...] = ("default", "kube-system", "bootstrap")  # from the start
    tokens: Mapping[str, str] | None = field(default=None, repr=False)  # see `Gate`
    rights: Rights | None = None  # likewise
    resolver: Resolver = by_pod_ip  # where a pod's port is reached
    logs: LogSource = _no_logs
    previous_logs: LogSource = _no_previous_logs  # of the container before
    followed: FollowSource = nothing_follows
    watch: WatchSettings = WatchSettings()  # noqa: RUF009 frozen
    history: int = HISTORY  # changes that a watch may begin in
    tls: ServerTls | None = None  # for kubeconfigs with a token; everybody else comes without it


class SimulatedApiServer:
    """One API server on the loopback address, over plain HTTP, and with TLS where that is set.

    storage: the objects; subscribe here to play a controller. objects: writes by the rules.
    faults: what is to go wrong. gate: tokens and rights. requests: what was asked, oldest first.
    served: the parts that requests reach, for a test that puts another one in.
    """

    def __init__(
        self, clock: Clock, random: Random, settings: ServerSettings | None = None
    ) -> None:
        settings = settings or ServerSettings()
        self.storage = Storage(clock, random, settings.history)
        self.objects = Objects(self.storage, random)
        self.faults = Faults()
        self.gate = Gate(settings.tokens, settings.rights)
        self.proxy = PodProxy(settings.resolver)
        self.requests: deque[Seen] = deque(maxlen=REMEMBERED)
        self.served = Served(
            self.storage,
            self.objects,
            self.gate,
            self.proxy,
            settings.logs,
            settings.previous_logs,
            settings.followed,
            self.faults,
        )
        self._routes = Routes(self.served, clock, random, settings.watch)
        self._port = settings.port
        self._tls = settings.tls
        self._tls_port = 0
        self._clock = clock
        self._runner: web.AppRunner | None = None
        for namespace in settings.namespaces:
            self.objects.create("namespaces", {"metadata": {"name": namespace}})

    @property
    def url(self) -> str:
        """Where it listens; known after the first `start`."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listens. After a `stop` it listens on the same port, with the same objects."""
        application = web.Application(
            middlewares=[self._remember, self.faults.middleware], client_max_size=MAX_BODY
        )
        application.on_response_prepare.append(self._date)
        application.router.add_route("*", "/{path:.*}", self._routes.handle)
        # A handler ends when its client goes, so that no watch outlives its reader. The wait at
        # the end is short because `stop` has ended every stream by then.
        runner = web.AppRunner(
            application, handler_cancellation=True, shutdown_timeout=1.0, access_log=None
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        self._port = runner.addresses[0][1]
        if self._tls is not None:
            secure = web.TCPSite(runner, "127.0.0.1", self._tls_port, ssl_context=self._tls.context)
            await secure.start()
            self._tls_port = runner.addresses[1][1]
        self._runner = runner

    async def stop(self) -> None:
        """Ends every stream and stops listening: clients are refused until the next `start`."""
        self._routes.close_watches()
        self.faults.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.proxy.close()

    def close_watches(self) -> None:
        """Ends every watch that is open now, as a server does that wants to be rid of them."""
        self._routes.close_watches()

    def kubeconfig(self, path: Path, *, namespace: str = "bootstrap", token: str = "") -> Path:
        """Writes a kubeconfig for this server (JSON, which is YAML) and returns its path. One with
        a token leads to the port with TLS.
        """
        cluster: Object = {"server": self.url}
        if token:
            if self._tls is None:
                raise ValueError("a token is sent over TLS alone: set ServerSettings.tls")
            cluster = {
                "server": f"https://127.0.0.1:{self._tls_port}",
                "certificate-authority": str(self._tls.ca),
            }
        config: Object = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "simulated", "cluster": cluster}],
            "users": [{"name": "simulated", "user": {"token": token} if token else {}}],
            "contexts": [
                {
                    "name": "simulated",
                    "context": {
                        "cluster": "simulated",
                        "user": "simulated",
                        "namespace": namespace,
                    },
                }
            ],
            "current-context": "simulated",
        }
        path.write_text(json.dumps(config, indent=1))
        return path

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        """By our clock; aiohttp takes the machine's, whatever clock is played."""
        response.headers["Date"] = format_datetime(self._clock.now(), usegmt=True)

    @web.middleware
    async def _remember(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(Seen(request.method, request.path_qs))
        return await handler(request)
