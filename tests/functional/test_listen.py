"""The listener as a kubelet, Prometheus and a stranger see it, over real connections."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from controller.base.errors import SettingsFault
from controller.base.metrics import Metrics
from controller.process.listener import Health, Listener

YES = Health(True, "leading")


@asynccontextmanager
async def listening(
    alive: Health = YES, ready: Health = YES, metrics: Metrics | None = None
) -> AsyncIterator[str]:
    """The base URL of a listener with these answers."""
    listener = Listener(metrics or Metrics("1"), lambda: alive, lambda: ready)
    port = await listener.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await listener.close()


@asynccontextmanager
async def asking(method: str, url: str, **more: object) -> AsyncIterator[aiohttp.ClientResponse]:
    """One request."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **more) as response,  # type: ignore[arg-type]
    ):
        yield response


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_conditions_that_hold_are_200(path: str) -> None:
    """Does a probe of the kubelet succeed when all is well, and say why?"""
    async with listening() as base, asking("GET", base + path) as answer:
        assert (answer.status, await answer.text()) == (200, "leading\n")


async def test_health_and_readiness_are_apart() -> None:
    """Does a controller that is not synced fail only the probe that does not kill it?"""
    waiting = Health(False, "not synced: pods in tests")
    async with listening(ready=waiting) as base:
        async with asking("GET", base + "/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "not synced: pods in tests\n")
        async with asking("GET", base + "/healthz") as answer:
            assert answer.status == 200


async def test_a_dead_loop_is_unhealthy() -> None:
    """Is the container started again when its loops stand still?"""
    dead = Health(False, "the workers have not turned for 3m")
    async with listening(alive=dead) as base, asking("GET", base + "/healthz") as answer:
        assert answer.status == 503


async def test_conditions_are_asked_each_time() -> None:
    """Is an answer never one of yesterday?"""
    answers = iter([Health(False, "no"), YES])
    listener = Listener(Metrics("1"), lambda: YES, lambda: next(answers))
    url = f"http://127.0.0.1:{await listener.start('127.0.0.1', 0)}/readyz"
    for expected in (503, 200):
        async with asking("GET", url) as answer:
            assert answer.status == expected
    await listener.close()


async def test_metrics_are_served_in_their_format() -> None:
    """Can Prometheus read them, type and all?"""
    metrics = Metrics("1.2.3")
    async with listening(metrics=metrics) as base, asking("GET", base + "/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert 'bootstrap_build_info{version="1.2.3"} 1.0' in await answer.text()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_head_works(path: str) -> None:
    """Does HEAD answer as GET does, without a body?"""
    async with listening() as base, asking("HEAD", base + path) as answer:
        assert (answer.status, await answer.read()) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/healthz/", 404),
        ("GET", "/debug", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/healthz", 405),
        ("DELETE", "/metrics", 405),
    ],
)
async def test_there_is_nothing_else(method: str, path: str, status: int) -> None:
    """Is there no other route, and nothing that can be changed?"""
    async with listening() as base, asking(method, base + path) as answer:
        assert answer.status == status


async def test_a_body_is_not_read() -> None:
    """Is a stranger's megabyte answered without being taken in?"""
    async with listening() as base, asking("POST", base + "/healthz", data=b"x" * 2**20) as answer:
        assert answer.status == 405


async def test_a_port_in_use_is_a_fault_that_names_the_flag() -> None:
    """Is a person told which setting to change?"""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsFault) as caught:
            await Listener(Metrics("1"), lambda: YES, lambda: YES).start("127.0.0.1", port)
    (fault,) = caught.value.faults
    assert fault.startswith(f"--listen (BOOTSTRAP_LISTEN) is '127.0.0.1:{port}': it cannot be")
    assert "address already in use" in fault
    assert fault.endswith("write a free port and an address of this machine")


async def test_an_address_of_another_machine_is_a_fault() -> None:
    """Is an address that is not ours told as a fault of the setting too?"""
    listener = Listener(Metrics("1"), lambda: YES, lambda: YES)
    with pytest.raises(SettingsFault, match=r"'\[2001:db8::1\]:8080'"):
        await listener.start("2001:db8::1", 8080)


@pytest.mark.jumping
async def test_closing_does_not_wait_for_idle_connections() -> None:
    """Does a scraper that keeps its connection not hold up the end?"""
    listener = Listener(Metrics("1"), lambda: YES, lambda: YES)
    port = await listener.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    async with asyncio.timeout(5):
        await listener.close()
        assert (await reader.read()).endswith(b"leading\n")
    writer.close()
    await writer.wait_closed()
