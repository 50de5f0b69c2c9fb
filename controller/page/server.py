"""The page's server: what a request gets. Reads only, and nothing of a request's body."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import SettingsFault
from controller.base.listening import listening_site
from controller.base.text import shown
from controller.base.version import our_version
from controller.page import api, html
from controller.page.answers import HEADERS, answer, plain
from controller.page.asked import Asked, BadQuestion, read_asked
from controller.page.changes import Changes, TooMany
from controller.page.hosts import REFUSED, Hosts, host_of
from controller.page.library import Library, NotLeading, Unknown
from controller.page.openapi import describe
from controller.page.pages import Pages
from controller.page.quiet_server import QuietServer
from controller.page.routes import matched
from controller.page.source import Source
from controller.views.parts import View, as_json
from store.api import StoreMisused, StoreUnavailable

PATIENCE = 10.0  # seconds for one answer
AT_ONCE = 4  # answers that are worked on; others wait
IDLE_SECONDS = 60.0  # between two requests on one connection
STOP_SECONDS = 2.0
_API = "/api/v1"

Tell = Callable[[Library, Asked], Awaitable[View]]


class PageServer:
    """Serves until it is closed."""

    def __init__(self, source: Source, clock: Clock, names: Iterable[str] = ()) -> None:
        """names: of hosts under which browsers may ask, as `Hosts` takes them."""
        self._source = source
        self._clock = clock
        self._hosts = Hosts(names)
        self._changes = Changes(clock)
        self._templates = html.Templates()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        pages = Pages(self._templates)
        self._pages = {
            "/": pages.matrix,
            "/targets/{target}": pages.target,
            "/runs/{target}/{run}": pages.run,
            "/builds": pages.builds,
            "/builds/{digest}": pages.build,
        }
        self._tells: dict[str, Tell] = {
            "/deployments": api.deployments,
            "/targets": api.targets,
            "/targets/{target}": api.target,
            "/runs/{target}/{run}": api.run,
            "/builds": api.builds,
            "/builds/{digest}": api.build,
            "/polls": api.polls,
            "/history": api.history,
        }
        self._files = {
            "/static/page.css": (html.style(), "text/css"),
            "/static/page.js": (html.script(), "text/javascript"),
            "/static/icon.svg": (html.icon(), "image/svg+xml"),
        }
        source.on_change(self._changes.note)
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port. Raises SettingsFault if it cannot listen there."""
        server = QuietServer(self._handle, access_log=None, keepalive_timeout=IDLE_SECONDS)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        try:
            await listening_site(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise SettingsFault(
                [
                    f"--page (BOOTSTRAP_PAGE) is '{shown(address)}': it cannot be listened on"
                    f" ({shown(error.strerror)}): write a free port and an address of this machine"
                ]
            ) from error
        self._runner = runner
        return int(runner.addresses[0][1])

    async def close(self) -> None:
        self._changes.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if (host := host_of(request.headers.getall("Host", []))) is None:
            return plain(400, "The Host header is none.")
        if not self._hosts.known(host):
            return plain(421, REFUSED)
        if request.method not in ("GET", "HEAD"):
            return plain(405, "Only GET and HEAD are understood here.", Allow="GET, HEAD")
        path = request.raw_path.partition("?")[0]
        try:
            if path == "/events":
                return await self._watch(request)
            if path in self._files:
                return answer(*self._files[path])
            async with self._at_once:
                return await self._clock.within(PATIENCE, self._answer(request, path))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except TimeoutError:
            return self._error(path, 503, "The store took too long: try again later.")
        except Exception:  # noqa: BLE001 a mistake of ours must not end the controller
            logger.bind(page=shown(path)).exception("the page could not be made")
            return self._error(path, 500, "This page could not be made: see the controller's log.")

    async def _answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        try:
            if path == f"{_API}/openapi.json":
                return answer(as_json(describe(our_version())), "application/json")
            if path.startswith(f"{_API}/"):
                found = matched(path.removeprefix(_API), self._tells)
                if found is not None:
                    asked = read_asked(found[1], request.query)
                    told = await self._tells[found[0]](Library(self._source), asked)
                    return answer(as_json(told), "application/json")
            elif (found := matched(path, self._pages)) is not None:
                asked = read_asked(found[1], request.query)
                page = self._pages[found[0]]
                library = Library(self._source)
                return answer(await page(library, asked, self._clock.now()), "text/html")
        except NotLeading as why:
            return self._error(path, 503, f"This controller does not lead: {why}.")
        except Unknown as unknown:
            return self._error(path, 404, str(unknown))
        except BadQuestion as bad:
            return self._error(path, 400, f"{bad}.")
        except (StoreUnavailable, StoreMisused) as error:
            return self._error(path, 503, f"The store does not answer: {shown(error)}.")
        return self._error(path, 404, "There is no such page.")

    def _error(self, path: str, status: int, sentence: str) -> web.Response:
        """Of the kind that was asked for."""
        if path.startswith(f"{_API}/"):
            return answer(as_json({"error": sentence}), "application/json", status)
        titles = {400: "Not understood", 404: "Not found", 503: "Not here now"}
        title = titles.get(status, "Trouble")
        page = self._templates.render("message.html", title=title, message=sentence)
        return answer(page, "text/html", status)

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {**HEADERS, "Content-Type": "text/event-stream"}
        response = web.StreamResponse(headers=headers)
        pieces = self._changes.watch()
        try:
            first = await anext(pieces)
        except TooMany:
            return plain(503, "Too many watch this page: it is up to date when it is loaded anew.")
        try:
            await response.prepare(request)
            if request.method == "GET":
                await response.write(first)
                async for piece in pieces:
                    await self._clock.within(PATIENCE, response.write(piece))
        except TimeoutError:
            raise ConnectionError("it does not read what it watches") from None
        finally:
            await pieces.aclose()
        return response
