"""One request, and what becomes of it.

Included: statuses, time limits, bounds, the token, the server's clock. Excluded: watches
(test_kube_watch.py), writes (test_kube_writer.py).
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime

import pytest

from controller.base.errors import (
    Busy,
    Conflict,
    Forbidden,
    Garbled,
    LostReply,
    NotFound,
    Refused,
    Trouble,
    Unavailable,
)
from controller.base.http_errors import NoAnswer, NotConnected
from controller.base.http_limits import TooLong
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.errors import Denied, Expired, Rejected, TurnedAway, Unauthenticated
from controller.kube.api.resources import DEPLOYMENTS
from controller.kube.login.tls import keepalive_socket
from tests.jumping_loop import LoopClock
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.credentials import GivenCredentials
from tests.kube_samples.objects import recording, status
from tests.kube_samples.script import Answer, Script, lost, nothing, reply, stream
from tests.misbehaving import RawServer, closed_port

pytestmark = pytest.mark.jumping

OPERATION = DEPLOYMENTS.operation("list", "bootstrap")
GET = Call(OPERATION, "GET", DEPLOYMENTS.path("bootstrap"))
PATCH = Call(OPERATION, "PATCH", DEPLOYMENTS.path("bootstrap", "fuji"), body=b"[]")


@asynccontextmanager
async def client_of(server: Script, clock: InstantClock | None = None) -> AsyncIterator[KubeClient]:
    async with KubeClient(GivenCredentials(server.url), clock or InstantClock()) as client:
        yield client


async def raised(answer: Answer, call: Call = GET) -> Trouble:
    """What an answer is turned into."""
    async with Script(answer) as server, client_of(server) as client:
        with pytest.raises(Trouble) as caught:
            await client.fetch(call)
        return caught.value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, Denied),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, Expired),
        (415, Denied),
        (422, Rejected),
        (429, TurnedAway),
        (500, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (302, Garbled),
    ],
)
async def test_each_status_is_one_kind_of_error(code: int, kind: type[Trouble]) -> None:
    """Callers answer kinds, never numbers."""
    assert type(await raised(reply(status(code), code))) is kind


async def test_a_recorded_refusal_names_verb_resource_and_namespace() -> None:
    """A person reads which right to add."""
    said = recording("49")["response"]

    error = await raised(reply(said["body"], said["status"]))

    assert isinstance(error, Forbidden)
    assert str(error).startswith("not allowed to list deployments.apps in namespace bootstrap: ")
    assert "system:serviceaccount:bootstrap:weak" in str(error)


async def test_the_fair_queue_answers_in_text() -> None:
    """429 with no Status, and a time to wait [21]."""
    text = b"Too many requests, please try again later.\n"

    error = await raised(reply(text, 429, Retry_After="7"))

    assert isinstance(error, Busy)
    assert error.retry_after == 7.0
    assert "Too many requests" in str(error)


async def test_a_status_may_say_how_long_to_wait() -> None:
    """Without the header, the Status body tells."""
    body = status(429) | {"details": {"retryAfterSeconds": 3}}

    error = await raised(reply(body, 429))

    assert isinstance(error, Busy)
    assert error.retry_after == 3.0


@pytest.mark.parametrize("header", ["-1", "soon", "1e9", "", "99999999999"])
async def test_an_odd_time_to_wait_is_bounded_or_ignored(header: str) -> None:
    """No header makes us wait for a year."""
    error = await raised(reply(b"", 429, Retry_After=header))

    assert isinstance(error, Busy)
    assert error.retry_after is None or error.retry_after <= 3600


async def test_a_shutting_down_server_asks_to_wait() -> None:
    """503 with Retry-After is a request to wait, without it a failure [22]."""
    assert isinstance(await raised(reply(status(503), 503, Retry_After="1")), Busy)


async def test_what_a_server_says_is_made_fit_to_be_shown() -> None:
    """No control character and no page of HTML reaches a log or an annotation."""
    error = await raised(reply(b"<html>\x1b[31m\r\n" + b"x" * 100_000, 502))

    assert len(str(error)) < 400
    assert "\x1b" not in str(error)


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    """Also for a write: this is the one failure that proves that it was not applied."""
    port = await closed_port()
    async with KubeClient(GivenCredentials(f"http://127.0.0.1:{port}"), InstantClock()) as client:
        for call in (GET, PATCH):
            with pytest.raises(NotConnected):
                await client.request(call)


@pytest.mark.parametrize(
    ("call", "kind"), [(GET, Unavailable), (PATCH, LostReply)], ids=["read", "write"]
)
async def test_a_broken_connection(call: Call, kind: type[Trouble]) -> None:
    """A read is tried again; a write may have been applied."""
    async with Script(*[lost] * 9) as server, client_of(server) as client:
        with pytest.raises(Trouble) as caught:
            await client.request(call)
        assert type(caught.value) is kind
        assert len(server.requests) <= 2
        if call is PATCH:
            assert len(server.requests) == 1  # a write is never sent twice behind our back


@pytest.mark.parametrize(
    ("call", "kind"), [(GET, NoAnswer), (PATCH, LostReply)], ids=["read", "write"]
)
async def test_a_time_limit(call: Call, kind: type[Trouble]) -> None:
    """No request waits for ever."""
    assert type(await raised(nothing, call)) is kind
    assert LoopClock().monotonic() == pytest.approx(call.timeout)


async def test_a_body_that_stands_still_is_given_up() -> None:
    """The time limit is for all of the answer and not for its headers."""
    assert type(await raised(stream(b"{", end="silent"))) is NoAnswer
    assert LoopClock().monotonic() == pytest.approx(GET.timeout)


async def test_more_bytes_than_the_limit_are_not_read() -> None:
    """A wrong server must not fill the memory."""
    small = Call(OPERATION, "GET", GET.path, limit=1000)
    error = await raised(stream(*[b"x" * 600] * 5), small)
    assert isinstance(error, TooLong)


async def test_what_is_no_http_is_garbled() -> None:
    """Such as a port of another protocol."""
    async with (
        RawServer(b"SSH-2.0-OpenSSH\r\n\r\n") as server,
        KubeClient(GivenCredentials(f"http://127.0.0.1:{server.port}"), InstantClock()) as client,
    ):
        with pytest.raises(Garbled):
            await client.fetch(GET)


async def test_a_name_with_odd_characters_stays_one_path_segment() -> None:
    """Nothing that comes from outside changes which object is asked for."""
    call = Call(OPERATION, "GET", DEPLOYMENTS.path("a/b", "c?d"), (("labelSelector", "x/y=a b&c"),))
    async with Script(reply({})) as server, client_of(server) as client:
        await client.fetch(call)
        (request,) = server.requests
    assert request == (
        "GET /apis/apps/v1/namespaces/a%2Fb/deployments/c%3Fd?labelSelector=x%2Fy%3Da%20b%26c"
    )


async def test_the_servers_clock_is_read_from_its_date() -> None:
    """Whole seconds, so half a second of doubt; carried on until the next answer."""
    clock = InstantClock()
    date = format_datetime(clock.now() - timedelta(seconds=90), usegmt=True)
    async with Script(reply({}, Date=date)) as server, client_of(server, clock) as client:
        assert client.skew() is None
        await client.fetch(GET)
        assert client.skew() == pytest.approx(89.5)
        clock.move(600)
        assert client.skew() == pytest.approx(89.5)


async def test_a_date_from_behind_the_proxy_is_not_the_servers() -> None:
    """A node with a wrong clock must not stop all verdicts."""
    through = Call(OPERATION, "GET", "/proxy/ext/health", host="localhost")
    answer = reply({}, Date="Mon, 23 Nov 2020 06:00:00 GMT")
    async with Script(answer) as server, client_of(server) as client:
        await client.request(through)
        assert client.skew() is None
        assert server.headers[0]["Host"] == "localhost"


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Nov 2026 06:00:00 GMT"])
async def test_an_odd_date_is_ignored(date: str) -> None:
    """It is no reason to fail a request."""
    async with Script(reply({}, Date=date)) as server, client_of(server) as client:
        await client.fetch(GET)
        assert client.skew() is None


class Rotating(GivenCredentials):
    """Credentials that a test renews."""

    def __init__(self, url: str, *tokens: str) -> None:
        super().__init__(url)
        self.tokens = list(tokens)

    async def authorization(self) -> str | None:
        return f"Bearer {self.tokens[0]}"

    async def renew(self, used: str | None) -> bool:
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return await self.authorization() != used


async def test_a_401_is_asked_again_once_with_a_new_token() -> None:
    """The token was rotated a moment ago; and a second 401 is the answer."""
    no = reply(status(401), 401)
    async with Script(no, reply({"a": 1}), no, no) as server:
        async with KubeClient(Rotating(server.url, "old", "new"), InstantClock()) as client:
            assert await client.fetch(GET) == b'{"a": 1}'
            with pytest.raises(Refused):
                await client.fetch(GET)
        sent = [headers["Authorization"] for headers in server.headers]
    assert sent == ["Bearer old", "Bearer new", "Bearer new"]


async def test_a_watch_is_asked_again_after_a_401_too() -> None:
    """A stream is no exception."""
    async with Script(reply(status(401), 401), stream(b"x")) as server:
        credentials = Rotating(server.url, "old", "new")
        async with KubeClient(credentials, InstantClock()) as client, client.stream(GET) as opened:
            assert await opened.read() == b"x"
        assert [each["Authorization"] for each in server.headers] == ["Bearer old", "Bearer new"]


async def test_secrets_are_in_no_repr_and_no_message() -> None:
    """What is logged by mistake must not open the cluster."""
    async with Script(reply(status(401), 401)) as server:
        credentials = GivenCredentials(server.url, "s3cret")
        async with KubeClient(credentials, InstantClock()) as client:
            with pytest.raises(Refused) as caught:
                await client.fetch(GET)
            assert "s3cret" not in f"{credentials!r} {client!r} {caught.value!r} {GET!r}"


def test_sockets_notice_a_dead_peer() -> None:
    """aiohttp sets no keepalive itself [31]."""
    made = keepalive_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1)))
    try:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 45_000
    finally:
        made.close()


async def test_cancelling_a_request_passes_and_leaves_nothing() -> None:
    """Stopping is never an error, and never waits for an answer."""
    async with Script() as server, client_of(server) as client:
        task = asyncio.create_task(client.fetch(GET))
        await server.asked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
