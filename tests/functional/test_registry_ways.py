"""How registries, token servers and whom they redirect to are reached: proxies and private CAs.

Included: real sockets, a proxy at which every name is this machine. Excluded: how the variables are
read (tests/unit/test_proxies.py).
"""

import base64
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from loguru import logger
from yarl import URL

from controller.base.errors import Refused, Trouble
from controller.base.http_errors import NotConnected, Untrusted
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.process.wiring import Surroundings, Wiring
from controller.registry.client import RegistryClient
from controller.registry.transport import registry_session
from controller.registry.ways import Ways
from controller.settings.settings import load_settings
from tests.fakes import FakeClock
from tests.forward_proxy import ForwardProxy
from tests.misbehaving import ScriptedServer
from tests.private_ca import PrivateCa, private_ca

DIGEST = "sha256:" + "1" * 64
FOUND = {"Docker-Content-Digest": DIGEST}
REPOSITORY = Repository("r.example", "team/node")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return private_ca(tmp_path_factory.mktemp("company"))


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}", level="WARNING")
    yield lines
    logger.remove(sink)


@asynccontextmanager
async def client_for(
    mirror: str, environ: Mapping[str, str], ca: Path | None = None
) -> AsyncIterator[RegistryClient]:
    """One that asks there for r.example."""
    ways = Ways(environ, ca)
    async with registry_session() as session:
        mirrors = Mirrors.parse([f"r.example={mirror}"])
        yield RegistryClient(session, FakeClock(), Random(1), mirrors=mirrors, ways=ways)


async def failure(client: RegistryClient) -> Trouble:
    with pytest.raises(Trouble) as caught:
        await client.head(REPOSITORY, "latest")
    return caught.value


def found(_: web.Request) -> web.Response:
    return web.Response(headers=FOUND)


async def test_https_goes_through_the_proxy(company: PrivateCa) -> None:
    """Is the proxy asked to connect, and TLS spoken with the registry and not with the proxy?"""
    async with ScriptedServer(found, tls=company.server()) as server, ForwardProxy() as proxy:
        mirror = f"https://registry.test:{server.port}"
        environ = {"HTTPS_PROXY": proxy.url, "HTTP_PROXY": "http://127.0.0.1:9"}
        async with client_for(mirror, environ, company.ca) as client:
            assert await client.head(REPOSITORY, "latest") == DIGEST

        assert proxy.asked == [f"CONNECT registry.test:{server.port}"]
        assert server.requests == ["HEAD /v2/team/node/manifests/latest"]


async def test_token_server_and_redirects_go_by_their_own_hosts() -> None:
    """Is each URL looked at by itself: the registry reached directly, the others by the proxy?"""

    def respond(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"token": "t"})
        if request.path == "/cdn":
            return web.Response(headers=FOUND)
        if "Authorization" not in request.headers:
            challenge = f'Bearer realm="http://tokens.test:{server.port}/token"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        location = f"http://cdn.test:{server.port}/cdn"
        return web.Response(status=307, headers={"Location": location})

    async with ScriptedServer(respond) as server, ForwardProxy() as proxy:
        async with client_for(server.url, {"HTTP_PROXY": proxy.url}) as client:
            assert await client.head(REPOSITORY, "latest") == DIGEST

        tokens, cdn = proxy.asked
        assert tokens.startswith(f"GET http://tokens.test:{server.port}/token?")
        assert cdn == f"HEAD http://cdn.test:{server.port}/cdn"


async def test_no_proxy(company: PrivateCa) -> None:
    """Is a host that NO_PROXY names asked directly, so that a wrong proxy is in nobody's way?"""
    async with ForwardProxy() as proxy:
        environ = {"HTTPS_PROXY": proxy.url, "NO_PROXY": ".test:1,other.example"}
        async with client_for("https://nobody.test:1", environ) as client:
            assert "proxy" not in str(await failure(client))
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("proxy", "kind"),
    [
        ("socks5://user:hunter2@proxy:1080", "HTTPS_PROXY is of the kind socks5"),
        ("socks5h://proxy:1080", "HTTPS_PROXY is of the kind socks5h"),
        ("ftp://proxy", "HTTPS_PROXY is of the kind ftp"),
        ("http://user:hunter2@[", "HTTPS_PROXY is no URL"),
        ("http://", "HTTPS_PROXY is no URL"),
    ],
)
async def test_a_proxy_that_is_not_of_http(proxy: str, kind: str) -> None:
    """Is it refused by name, with what to write, and without its password?"""
    async with client_for("https://m.example", {"HTTPS_PROXY": proxy}) as client:
        error = await failure(client)

    assert type(error) is Refused
    assert str(error) == (
        f"r.example/team/node: m.example is to be reached by a proxy, and {kind}: write"
        " http://HOST:PORT, or the host into NO_PROXY"
    )


async def test_a_proxy_with_a_user() -> None:
    """Is it let in by the password in its URL, which no sentence shows when it is not enough?"""
    async with ScriptedServer(found) as server, ForwardProxy() as proxy:
        environ = {"HTTP_PROXY": f"http://us%40er:hunter2@127.0.0.1:{proxy.port}"}
        async with client_for(f"http://registry.test:{server.port}", environ) as client:
            assert await client.head(REPOSITORY, "latest") == DIGEST
    assert proxy.logins == ["Basic " + base64.b64encode(b"us@er:hunter2").decode()]

    async with ForwardProxy(status=407) as proxy:
        environ = {"HTTPS_PROXY": f"http://user:hunter2@127.0.0.1:{proxy.port}"}
        async with client_for("https://registry.test", environ) as client:
            error = await failure(client)
    assert isinstance(error, NotConnected)
    assert "its proxy answers 407" in str(error)
    assert "hunter2" not in str(error)


async def test_a_private_ca_is_believed_where_it_is_named(company: PrivateCa) -> None:
    """Is a CA believed as docker believes it, by the setting alone, and beside the system's?"""
    async with ScriptedServer(found, tls=company.server()) as server:
        async with client_for(server.url, {}) as client:
            error = await failure(client)
        assert type(error) is Untrusted
        assert str(error).endswith("; name a private CA with --registry-ca")
        async with client_for(server.url, {}, company.ca) as client:
            assert await client.head(REPOSITORY, "latest") == DIGEST


async def test_a_name_that_the_certificate_has_not(company: PrivateCa) -> None:
    """Is a CA that is believed no leave for another name, and no remedy told that does not help?"""
    async with (
        ScriptedServer(found, tls=company.server()) as server,
        client_for(f"https://localhost:{server.port}", {}, company.ca) as client,
    ):
        error = await failure(client)
    assert type(error) is Untrusted
    assert "localhost" in str(error)
    assert "--registry-ca" not in str(error)


def test_certificates_are_checked_as_go_checks_them(company: PrivateCa) -> None:
    """Is what Python asks for since 3.13 and Go does not left out, and nothing else?"""
    tls = Ways({}, company.ca).tls

    assert not tls.verify_flags & ssl.VERIFY_X509_STRICT
    assert tls.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    system = {str(one) for one in ssl.create_default_context().get_ca_certs()}
    assert {str(one) for one in tls.get_ca_certs()} > system


async def test_the_systems_own_may_be_replaced(
    company: PrivateCa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is SSL_CERT_FILE followed, as everywhere with OpenSSL?"""
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca))
    async with (
        ScriptedServer(found, tls=company.server()) as server,
        client_for(server.url, {}) as client,
    ):
        assert await client.head(REPOSITORY, "latest") == DIGEST


async def test_a_rotated_ca_is_read_without_a_restart(
    company: PrivateCa, tmp_path: Path, warnings: list[str]
) -> None:
    """Is a file that was replaced believed, and one that is broken later told once and no harm?"""
    file = tmp_path / "bundle.crt"
    file.write_bytes(private_ca(tmp_path / "old").ca.read_bytes())
    async with (
        ScriptedServer(found, tls=company.server()) as server,
        client_for(server.url, {}, file) as client,
    ):
        assert type(await failure(client)) is Untrusted
        (tmp_path / "new").write_bytes(company.ca.read_bytes())
        os.replace(tmp_path / "new", file)
        assert await client.head(REPOSITORY, "latest") == DIGEST
        assert warnings == []
        file.write_text("hunter2")
        for _ in range(2):
            assert await client.head(REPOSITORY, "latest") == DIGEST
        file.unlink()
        for _ in range(2):
            assert await client.head(REPOSITORY, "latest") == DIGEST

    assert (
        warnings
        == ["the file of --registry-ca cannot be used: what was read before stays in use\n"] * 2
    )


def test_a_proxy_is_none_for_this_machine() -> None:
    """Is a registry on the loopback asked directly, whatever the variables say?"""
    ways = Ways({"HTTP_PROXY": "http://proxy", "HTTPS_PROXY": "http://proxy"})

    assert ways.proxy(URL("http://127.0.0.1:5000/v2/"), "who") is None
    assert ways.proxy(URL("https://r.example/v2/"), "who") == URL("http://proxy")


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (200, {"Docker-Content-Digest": "nonsense"}, "answers with no digest"),
        (403, {}, "no access, or no such repository"),
        (404, {}, "no tag latest in repository"),
        (500, {}, "the registry answers 500"),
    ],
)
async def test_whoever_was_asked_is_named(
    status: int, headers: Mapping[str, str], said: str
) -> None:
    """Does each sentence name the mirror that answered beside the image that it is about?"""

    def respond(_: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    async with (
        ScriptedServer(respond) as server,
        client_for(f"{server.url}/v2/cache", {}) as client,
    ):
        sentence = str(await failure(client))
    assert said in sentence
    assert f"r.example/team/node (asked at {server.netloc}/cache/team/node)" in sentence


async def test_the_token_is_for_what_a_mirror_calls_it() -> None:
    """Where a challenge names no scope, is a token asked for that opens the mirror's repository?"""

    def respond(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"token": "t"})
        if "Authorization" in request.headers:
            return web.Response(headers=FOUND)
        challenge = f'Bearer realm="{server.url}/token"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async with ScriptedServer(respond) as server:
        async with client_for(f"{server.url}/v2/cache", {}) as client:
            assert await client.head(REPOSITORY, "latest") == DIGEST
        (asked,) = (URL(one.partition(" ")[2]) for one in server.requests if "/token" in one)
    assert asked.query["scope"] == "repository:cache/team/node:pull"


async def test_settings_and_environment_reach_the_client(company: PrivateCa) -> None:
    """Is what `run` makes of its settings asked by the proxy of its environment, with its CA?"""
    async with (
        ScriptedServer(found, tls=company.server()) as server,
        ForwardProxy() as proxy,
        AsyncExitStack() as stack,
    ):
        mirror = f"r.example=https://registry.test:{server.port}"
        settings = load_settings({"registry": [mirror], "registry_ca": str(company.ca)}, {})
        around = Surroundings(FakeClock(), Random(1), {"https_proxy": proxy.url})
        registry = await Wiring(settings, around, stack).registry()
        assert await registry.head(REPOSITORY, "latest") == DIGEST

    assert proxy.asked == [f"CONNECT registry.test:{server.port}"]
