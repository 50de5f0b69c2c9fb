"""The page as a browser and a stranger see it, over real connections and a made-up history.

What it looks like in a browser is in test_page_in_chromium.py, the API in test_page_api.py.
"""

import asyncio
from html.parser import HTMLParser

import aiohttp
import pytest

from controller.base.errors import SettingsFault
from controller.page.changes import WATCHERS
from controller.page.server import PageServer
from tests.page_desk import (
    EVIL,
    FUJI,
    MAINNET,
    OPEN_RUN,
    QUICK,
    FakeSource,
    StillClock,
    build,
    filled,
    get,
    open_run,
    record_of,
    served,
)

PAGES = [
    "/", f"/targets/{FUJI}", f"/runs/{FUJI}/{OPEN_RUN}", "/builds", f"/builds/{build(12)}", "/none",
]  # fmt: skip


class Tags(HTMLParser):
    """names: of all elements, as they stand; words: all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


async def test_the_matrix_tells_how_every_target_stands() -> None:
    """Are all targets there with phase, build and last runs, the open one with its time left?"""
    async with served(await filled()) as url:
        status, page, _ = await get(url)
    assert status == 200
    words = " ".join(Tags(page).words.split())
    for target in (FUJI, MAINNET, QUICK):
        assert f'href="/targets/{target}"' in page
    assert "1.14.2" in words
    assert "about 2h33m left" in words
    assert page.count('class="box failed"') > 3
    assert "40s ago" in words, "when the registry last answered"
    assert "83 of 100" in words


async def test_older_runs_are_a_page_further() -> None:
    """Does the link to older runs lead to those that are not on the first page, each once?"""
    async with served(await filled(runs=130)) as url:
        link, seen = f"/targets/{MAINNET}", list[str]()
        while link:
            _, page, _ = await get(url + link)
            hrefs = [v or "" for name, v in Tags(page).attributes if name == "href"]
            seen += [h for h in hrefs if h.startswith(f"/runs/{MAINNET}/")]
            link = next((h for h in hrefs if "?before=" in h), "")
    assert len(seen) == len(set(seen)) == 130


async def test_a_run_shows_what_is_kept_of_it() -> None:
    """Are timeline, message and the names of its evidence there?"""
    source = await filled()
    (last,) = await source.store.history(QUICK, limit=1)
    run = last.id.removeprefix(f"{QUICK}.")
    async with served(source) as url:
        _, page, _ = await get(f"{url}/runs/{QUICK}/{run}")
    words = " ".join(Tags(page).words.split())
    for part in ("Node started", "cannot verify block 5", "node.log", "pod.json", "BadBlock"):
        assert part in words


async def test_a_build_shows_where_it_passed() -> None:
    """Does the page of a build name each target with what became of it there?"""
    async with served(await filled()) as url:
        for name in (build(12), build(112), build(12)[7:]):
            status, page, _ = await get(f"{url}/builds/{name}")
            assert status == 200
            for target in (FUJI, MAINNET, QUICK):
                assert f'<a href="/targets/{target}">' in page
            assert page.count('class="phase passed"') == 3


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_well_made(path: str) -> None:
    """Has it one h1, the landmarks, a language, and every element closed that must be?"""
    async with served(await filled()) as url:
        _, page, _ = await get(url + path)
    tags = Tags(page)
    assert [tags.names.count(name) for name in ("h1", "main", "nav", "header", "footer")] == [1] * 5
    assert ("lang", "en") in tags.attributes
    assert tags.names.count("table") == tags.names.count("caption")
    for name in ("table", "tr", "td", "th", "section", "div", "p", "a", "span", "article"):
        assert page.count(f"</{name}>") == tags.names.count(name), name


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_foreign_is_loaded_or_kept(path: str) -> None:
    """Does every answer have the strict policy, and load, inline and keep nothing?"""
    async with served(await filled()) as url:
        _, page, headers = await get(url + path)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src")
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    tags = Tags(page)
    assert not [a for a in tags.attributes if a[0] == "style" or a[0].startswith("on")]
    links = [v or "" for name, v in tags.attributes if name in ("href", "src")]
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links)
    assert tags.names.count("script") == 1


async def test_what_others_write_is_escaped() -> None:
    """Is markup in a message shown as text on every page that shows it?"""
    source = await filled(message=EVIL)
    source.put(record_of(FUJI, EVIL, open_run()), FUJI, EVIL)
    (last,) = await source.store.history(QUICK, limit=1)
    run = last.id.removeprefix(f"{QUICK}.")
    async with served(source) as url:
        for path in ("/", f"/targets/{QUICK}", f"/runs/{QUICK}/{run}", f"/builds/{build(33)}"):
            _, page, _ = await get(url + path)
            assert "<script>alert" not in page, path
            assert "&lt;script&gt;" in page, path


@pytest.mark.parametrize(
    "path", [f"/targets/{EVIL}", f"/runs/{FUJI}/{EVIL}", f"/{EVIL}", f"/builds/{EVIL}", "/a" * 3000]
)
async def test_a_strange_path_is_not_reflected(path: str) -> None:
    """Is what a path says nowhere in the short answer?"""
    async with served(await filled(runs=1)) as url:
        status, page, _ = await get(url + path)
    assert status == 404
    assert "alert" not in page
    assert len(page) < 2000


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/targets/fuji-ful-sync", FUJI),
        (f"/runs/{FUJI}/20261123t020000z-0000bee0", OPEN_RUN),
        (f"/builds/{build(11)[:-1]}x", build(11)),
    ],
)
async def test_the_nearest_names_are_offered(path: str, near: str) -> None:
    """Does a slip of the pen lead on?"""
    async with served(await filled(runs=2)) as url:
        status, page, _ = await get(url + path)
    assert (status, near in page) == (404, True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed(method: str) -> None:
    """Is every method but GET and HEAD refused?"""
    async with served(await filled(runs=1)) as url:
        status, _, headers = await get(url, method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


async def test_head_is_get_without_a_body() -> None:
    """Do monitors that ask with HEAD get an answer, of the event stream too?"""
    async with served(await filled(runs=1)) as url:
        for path in ("/", "/api/v1/targets", "/static/page.css", "/events"):
            status, body, _ = await get(url + path, "HEAD")
            assert (status, body) == (200, ""), path


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: alert\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"alert" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n<script>alert(1)</script>\r\n\r\n",
        b"GET /?" + b"alert" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"<script>alert(1)</script>\r\n\r\n",
    ],
    ids=["host", "two hosts", "no host", "a megabyte", "no header", "a long line", "no request"],
)
async def test_bad_requests_get_a_short_error(raw: bytes) -> None:
    """Is a request that is none answered by one short sentence, of which nothing was its own?"""
    async with served(await filled(runs=1)) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        writer.write_eof()
        try:
            answer = await reader.read(100_000)
        except ConnectionResetError:
            answer = b""
        writer.close()
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
        assert b"alert" not in answer
        assert len(answer) < 1200
        assert (await get(url))[0] == 200, "it goes on for others"


async def test_a_standby_says_who_leads() -> None:
    """Does one that does not lead say who does, for people and for programs?"""
    source = await filled(runs=1)
    source.leads = False
    async with served(source) as url:
        for path in ("/", "/api/v1/targets"):
            status, text, _ = await get(url + path)
            assert (status, "controller-1 holds the Lease" in text) == (503, True)


async def test_changes_are_told() -> None:
    """Is whoever watches told which Deployments changed, those of one moment together?"""
    source = await filled(runs=1)
    async with (
        served(source) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/events") as stream,
    ):
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await stream.content.readuntil(b"\n\n") == b"retry: 3000\n\n"
        source.tell("bootstrap/b")
        source.tell("bootstrap/a")
        told = await stream.content.readuntil(b"\n\n")
        assert told == b'event: changed\ndata: {"ids":["bootstrap/a","bootstrap/b"]}\n\n'


async def test_those_who_watch_are_counted() -> None:
    """Is one too many turned away, and let in when another has gone?"""
    source = await filled(runs=1)
    async with served(source) as url:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            streams = [await session.get(f"{url}/events") for _ in range(WATCHERS)]
            assert (await get(f"{url}/events"))[0] == 503
            for stream in streams:
                stream.close()


async def test_a_port_in_use_is_a_fault_of_the_settings() -> None:
    """Does a start on a port that is taken say which option to change?"""
    source = FakeSource((await filled(runs=1)).store)
    async with served(source) as url:
        with pytest.raises(SettingsFault, match="--page"):
            await PageServer(source, StillClock()).start("127.0.0.1", int(url.rpartition(":")[2]))
