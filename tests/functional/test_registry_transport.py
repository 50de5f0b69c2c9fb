"""The registry client's connections: none, hanging, cut, encrypted, redirected."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from controller.base.errors import Garbled, Refused, Trouble, Unavailable
from controller.base.http_errors import HandshakeFailed, NotConnected, PortClosed, Untrusted
from controller.domain.build import Platform
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from tests.fakes import FakeClock
from tests.misbehaving import RawServer, ScriptedServer, closed_port

DIGEST = "sha256:" + "1" * 64
FOUND = {"Docker-Content-Digest": DIGEST}


class EverythingIsHere(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files of a certificate of 127.0.0.1 and registry.test that signed itself, and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                    x509.DNSName("registry.test"),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
async def trusting(certificate: tuple[Path, Path]) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that trusts the certificate, and finds every name on this machine."""
    context = ssl.create_default_context(cafile=certificate[0])
    connector = aiohttp.TCPConnector(ssl=context, resolver=EverythingIsHere())
    async with aiohttp.ClientSession(connector=connector) as made:
        yield made


async def failure(
    session: aiohttp.ClientSession, registry: str, mirror: str | None = None
) -> Trouble:
    """What `head` raises at that registry."""
    mirrors = Mirrors.parse([f"{registry}={mirror}"] if mirror else [])
    client = RegistryClient(session, FakeClock(), Random(1), mirrors=mirrors)
    repository = Repository(registry, "team/node")
    with pytest.raises(Trouble) as caught:
        await client.head(repository, "latest")
    assert str(caught.value).startswith(f"{repository}")
    return caught.value


async def test_nobody_listens(session: aiohttp.ClientSession) -> None:
    """Is a refused connection something that passes?"""
    error = await failure(session, f"127.0.0.1:{await closed_port()}")

    assert type(error) is PortClosed
    assert "cannot be reached: it refuses connections" in str(error)


async def test_unknown_name(session: aiohttp.ClientSession) -> None:
    """Is a name that does not resolve something that passes, with a sentence of its own?"""
    error = await failure(session, "registry.invalid", "http://registry.invalid")

    assert type(error) is NotConnected
    assert "not found by its name" in str(error)


async def test_name_that_no_resolver_takes(session: aiohttp.ClientSession) -> None:
    """Is a label that is too long for DNS no raw error of the encoder?"""
    error = await failure(session, "registry.invalid", f"http://{'a' * 70}.invalid")

    assert type(error) is Unavailable


async def test_hangs(session: aiohttp.ClientSession) -> None:
    """Is a registry that accepts and says nothing given up after 30 seconds, and not before?"""
    clock = FakeClock()
    client = RegistryClient(session, clock, Random(1))
    async with RawServer(None) as server:
        repository = Repository(f"127.0.0.1:{server.port}", "a")
        call = asyncio.create_task(client.head(repository, "latest"))
        await server.accepted.wait()
        await clock.advance(29.9)
        assert not call.done()
        await clock.advance(0.1)
        with pytest.raises(Unavailable, match="did not answer within 30s"):
            await call


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", Unavailable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Garbled),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", Garbled),
    ],
    ids=["closed", "no HTTP", "long header"],
)
async def test_no_http(session: aiohttp.ClientSession, answer: bytes, kind: type[Trouble]) -> None:
    """Does what is no HTTP become a trouble of ours?"""
    async with RawServer(answer) as server:
        assert type(await failure(session, f"127.0.0.1:{server.port}")) is kind


async def test_cut_off(session: aiohttp.ClientSession) -> None:
    """Is a body that ends too early something that passes, and never hashed?"""
    async with RawServer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{") as server:
        client = RegistryClient(session, FakeClock(), Random(1))
        with pytest.raises(Unavailable, match="broke off in the middle"):
            await client.build(Repository(f"127.0.0.1:{server.port}", "a"), DIGEST, Platform())


async def test_untrusted_certificate(
    session: aiohttp.ClientSession, server_tls: ssl.SSLContext
) -> None:
    """Is a certificate that is not trusted for a person to look at, in a sentence of its own?"""
    async with ScriptedServer(lambda _: web.Response(headers=FOUND), tls=server_tls) as server:
        error = await failure(session, server.netloc, server.url)

        assert type(error) is Untrusted
        assert "certificate that is not trusted" in str(error)
        assert server.requests == []


async def test_tls_where_none_is_spoken(session: aiohttp.ClientSession) -> None:
    """Does the sentence say how to name a registry without TLS?"""
    async with ScriptedServer(lambda _: web.Response(headers=FOUND)) as server:
        error = await failure(session, server.netloc, f"https://{server.netloc}")

    assert type(error) is HandshakeFailed
    assert "--registry HOST=http" in str(error)


async def test_trusted_certificate(
    trusting: aiohttp.ClientSession, server_tls: ssl.SSLContext
) -> None:
    """Does a registry with TLS answer?"""
    async with ScriptedServer(lambda _: web.Response(headers=FOUND), tls=server_tls) as server:
        mirrors = Mirrors.parse([f"r.example={server.url}"])
        client = RegistryClient(trusting, FakeClock(), Random(1), mirrors=mirrors)
        assert await client.head(Repository("r.example", "a"), "latest") == DIGEST


async def test_token_server_must_have_tls_where_the_registry_has(
    trusting: aiohttp.ClientSession, server_tls: ssl.SSLContext
) -> None:
    """Is nothing sent in the clear because a registry names a token server without TLS?"""
    async with (
        ScriptedServer(lambda _: web.json_response({"token": "t"})) as tokens,
        ScriptedServer(
            lambda _: web.Response(
                status=401, headers={"WWW-Authenticate": f'Bearer realm="{tokens.url}"'}
            ),
            tls=server_tls,
        ) as server,
    ):
        error = await failure(trusting, "r.example", f"https://registry.test:{server.port}")

        assert type(error) is Refused
        assert "token server without TLS" in str(error)
        assert tokens.requests == []


async def test_redirect_within_the_registry_keeps_the_token(
    session: aiohttp.ClientSession,
) -> None:
    """Is a redirect followed, with the Authorization where scheme, host and port are the same?"""

    def respond(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"token": "secret-token"})
        if "Authorization" not in request.headers:
            challenge = f'Bearer realm="{server.url}/token"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if request.path != "/moved":
            return web.Response(status=307, headers={"Location": "/moved"})
        return web.Response(headers=FOUND)

    async with ScriptedServer(respond) as server:
        client = RegistryClient(session, FakeClock(), Random(1))
        assert await client.head(Repository(server.netloc, "a"), "latest") == DIGEST
        assert server.requests[-1] == "HEAD /moved"


async def test_redirect_elsewhere_loses_the_token(session: aiohttp.ClientSession) -> None:
    """Is the Authorization dropped at another origin, and not taken up again on the way back?"""

    def respond(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"token": "secret-token"})
        if request.path == "/back":
            return web.Response(headers=FOUND)
        if "Authorization" not in request.headers:
            challenge = f'Bearer realm="{server.url}/token"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return web.Response(status=307, headers={"Location": f"{cdn.url}/x?signed=1"})

    async with (
        ScriptedServer(respond) as server,
        ScriptedServer(
            lambda _: web.Response(status=302, headers={"Location": f"{server.url}/back"})
        ) as cdn,
    ):
        client = RegistryClient(session, FakeClock(), Random(1))
        assert await client.head(Repository(server.netloc, "a"), "latest") == DIGEST

    assert "Authorization" in server.headers[-2]
    assert "Authorization" not in cdn.headers[0]
    assert server.requests[-1] == "HEAD /back"
    assert "Authorization" not in server.headers[-1]


async def test_challenge_from_elsewhere_is_not_answered(session: aiohttp.ClientSession) -> None:
    """Is whom a registry redirects to never sent a token or a password, though it asks?"""
    async with (
        ScriptedServer(
            lambda request: web.Response(
                status=401, headers={"WWW-Authenticate": f'Bearer realm="http://{request.host}/t"'}
            )
        ) as thief,
        ScriptedServer(
            lambda _: web.Response(status=307, headers={"Location": f"{thief.url}/x"})
        ) as server,
    ):
        error = await failure(session, server.netloc)

    assert type(error) is Refused
    assert thief.requests == ["HEAD /x"]


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/v2/team/node/manifests/latest", Garbled),
        ("ftp://host/x", Garbled),
        ("http://[", Garbled),
        ("", Garbled),
        ("http://", Garbled),
        (f"http://{'a' * 70}.invalid/", Unavailable),
    ],
    ids=["loop", "ftp", "no URL", "none", "no host", "long label"],
)
async def test_bad_redirects(
    session: aiohttp.ClientSession, location: str, kind: type[Trouble]
) -> None:
    """Does a redirect that leads nowhere, or for ever, end in a trouble of ours?"""
    headers = {"Location": location} if location else {}
    async with ScriptedServer(lambda _: web.Response(status=302, headers=headers)) as server:
        error = await failure(session, server.netloc)

        assert type(error) is kind
        assert len(server.requests) <= 6


async def test_redirect_never_leaves_tls(
    trusting: aiohttp.ClientSession, server_tls: ssl.SSLContext
) -> None:
    """Is a redirect from https to http refused, and nothing asked there?"""
    async with (
        ScriptedServer(lambda _: web.Response(headers=FOUND)) as plain,
        ScriptedServer(
            lambda _: web.Response(status=302, headers={"Location": f"{plain.url}/x"}),
            tls=server_tls,
        ) as server,
    ):
        error = await failure(trusting, "r.example", server.url)

        assert type(error) is Refused
        assert "from https to http" in str(error)
        assert plain.requests == []
