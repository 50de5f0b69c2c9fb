"""Debian's docker-registry as other people run it: with logins, TLS of a private CA, behind a proxy
that connects, and below a path.
"""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import NotFound, Refused
from controller.base.http_errors import Untrusted
from controller.domain.build import Platform
from controller.domain.evidence import BuildFacts
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from controller.registry.transport import registry_session
from controller.registry.ways import Ways
from tests.fakes import FakeClock
from tests.forward_proxy import ForwardProxy
from tests.misbehaving import ScriptedServer
from tests.private_ca import private_ca
from tests.registry_server import Pusher, docker_registry, platform

# `htpasswd -nbB user correct:horse`
HTPASSWD = "user:$2y$04$aQU8xjBJuWsmdThRBBNZdOxJyBO9xqy6dmgk0ZxiSMZWn/76eYSB6\n"
LOGIN = base64.b64encode(b"user:correct:horse").decode()
LABELS = {"org.opencontainers.image.version": "1.14.0"}
AMD64 = Platform()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with registry_session() as made:
        yield made


async def test_logins_and_a_private_ca_behind_a_proxy(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """Is a registry read that has all three, and each that is missing told by itself?"""
    company = private_ca(tmp_path / "company")
    logins = tmp_path / "config.json"
    with docker_registry(tmp_path, htpasswd=HTPASSWD, tls=company) as port:
        async with ForwardProxy() as proxy:
            host = f"registry.test:{port}"
            environ = {"HTTPS_PROXY": proxy.url}
            ways = Ways(environ, company.ca)

            def client(ways: Ways) -> RegistryClient:
                return RegistryClient(session, FakeClock(), Random(1), auth_file=logins, ways=ways)

            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=ways.tls)
            ) as trusting:
                push = Pusher(trusting, f"https://127.0.0.1:{port}", "team/node", f"Basic {LOGIN}")
                image = await push.image("x", labels=LABELS)
                index = await push.index("latest", [platform(image, "amd64")])
            repository = Repository(host, "team/node")

            logins.write_text(json.dumps({"auths": {f"*.test:{port}/team": {"auth": LOGIN}}}))
            good = client(ways)
            assert await good.head(repository, "latest") == index["digest"]
            build = await good.build(repository, index["digest"], AMD64)
            assert await good.describe(repository, "latest", build) == BuildFacts("1.14.0")
            assert set(proxy.asked) == {f"CONNECT {host}"}

            with pytest.raises(Untrusted, match="not trusted"):
                await client(Ways(environ)).head(repository, "latest")
            logins.write_text(json.dumps({"auths": {"*.test/team": {"auth": LOGIN}}}))
            with pytest.raises(Refused, match=f"has no login for registry.test:{port}/team/node"):
                await client(ways).head(repository, "latest")
            logins.write_text(json.dumps({"auths": {host: {"auth": LOGIN[:-4]}}}))
            with pytest.raises(Refused, match="are not accepted"):
                await client(ways).head(repository, "latest")


async def test_a_proxy_cache_below_a_path(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Is an image of Docker Hub found in a project of a registry that is its mirror?"""
    with docker_registry(tmp_path) as port:
        push = Pusher(session, f"http://127.0.0.1:{port}", "hub-cache/team/node")
        image = await push.image("x", "latest", labels=LABELS)
        mirror = f"docker.io=http://127.0.0.1:{port}/v2/hub-cache"
        client = RegistryClient(session, FakeClock(), Random(1), mirrors=Mirrors.parse([mirror]))
        repository = Repository("docker.io", "team/node")

        digest = await client.head(repository, "latest")
        assert digest == image["digest"]
        assert await client.build(repository, digest, AMD64) == digest
        assert await client.describe(repository, "latest", digest) == BuildFacts("1.14.0")
        asked = rf"docker\.io/team/node \(asked at 127\.0\.0\.1:{port}/hub-cache/team/node\)"
        with pytest.raises(NotFound, match=rf"no tag v9 in repository {asked}"):
            await client.head(repository, "v9")


async def test_a_registry_below_a_path(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Is a registry found that a web server keeps below a path of its own?"""
    with docker_registry(tmp_path) as port:

        async def below(request: web.Request) -> web.Response:
            prefix, _, rest = request.path.partition("/v2/")
            if prefix != "/repository/hub":
                return web.Response(status=404)
            url = f"http://127.0.0.1:{port}/v2/{rest}"
            accept = {"Accept": request.headers.get("Accept", "*/*")}
            async with session.request(request.method, url, headers=accept) as reply:
                kept = {
                    name: reply.headers[name]
                    for name in ("Content-Type", "Docker-Content-Digest")
                    if name in reply.headers
                }
                return web.Response(status=reply.status, body=await reply.read(), headers=kept)

        async with ScriptedServer(below) as front:
            push = Pusher(session, f"http://127.0.0.1:{port}", "team/node")
            image = await push.image("x", "latest", labels=LABELS)
            mirrors = Mirrors.parse([f"docker.io={front.url}/repository/hub/"])
            client = RegistryClient(session, FakeClock(), Random(1), mirrors=mirrors)
            repository = Repository("docker.io", "team/node")

            digest = await client.head(repository, "latest")
            assert digest == image["digest"]
            assert await client.describe(repository, "latest", digest) == BuildFacts("1.14.0")
