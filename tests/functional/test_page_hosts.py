"""Under which names the page answers, by bytes on a real connection."""

import asyncio

import pytest

from tests.page_desk import FakeSource, filled, served

NAMED = ("tests.example.com",)


async def status_for(source: FakeSource, host: str, path: str, names: tuple[str, ...]) -> bytes:
    """The answer, its head if it is a page, to a browser that believes to ask this host."""
    async with served(source, names=names) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ask = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(ask.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        body = b"" if b" 200 " in head[:20] else await reader.read()  # an event stream has no end
        writer.close()
        return head + body


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8081",  # kubectl port-forward
        "LocalHost.",
        "127.0.0.1:1",
        "[::1]:8081",
        "10.0.3.7:8081",  # a kubelet's probe
        "bootstrap-controller:8081",  # a pod of the same namespace
        "bootstrap-controller.bootstrap.svc",
        "bootstrap-controller.bootstrap.svc.cluster.local:8081",
        "tests.example.com",
        "Tests.Example.com:443",
    ],
)
async def test_names_that_nobody_else_can_have_are_served(host: str) -> None:
    """Is the page there by address, on this machine, in the cluster, and by a name that was set?"""
    answer = await status_for(await filled(runs=1), host, "/", NAMED)
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["/", "/api/v1/targets", "/events", "/static/page.js"])
@pytest.mark.parametrize(
    "host",
    [
        "alert.example.com",
        "tests.example.com.alert.example.com",
        "localhost.alert.example.com",
        "127.0.0.1.alert.example.com",
        "bootstrap.svc.alert.com:8081",
        "alertsvc.com",
    ],
)
async def test_a_name_of_somebody_else_is_refused(host: str, path: str) -> None:
    """Is a browser that was led here by a name's second address told nothing, but which setting
    would allow it?
    """
    answer = await status_for(await filled(runs=1), host, path, NAMED)
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert b"--page-host (BOOTSTRAP_PAGE_HOSTS)" in answer
    assert b"alert" not in answer
    assert b"fuji" not in answer


async def test_a_star_takes_any_name() -> None:
    """May who has a proxy that looks at names leave it to that?"""
    answer = await status_for(await filled(runs=1), "any.example.com", "/", ("*",))
    assert answer.startswith(b"HTTP/1.1 200 ")
    none = await status_for(await filled(runs=1), "a b", "/", ("*",))
    assert none.startswith(b"HTTP/1.1 400 ")
