"""Refusals of registries: what is tried once more, what never again, and what people are told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import Busy, NotFound, Refused, Unavailable
from controller.domain.build import Platform
from tests.guarded_registry import DIGEST, FOUND, PASSWORD, GuardedRegistry, refusal
from tests.misbehaving import ScriptedServer

HARBOR = "current image with 86 vulnerabilities cannot be pulled due to configured policy"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GuardedRegistry]:
    made = GuardedRegistry(tmp_path)
    async with made.registry, made.tokens:
        yield made


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_kept_token_is_fetched_once_more(
    world: GuardedRegistry, session: aiohttp.ClientSession, status: int
) -> None:
    """Is a token that was good and is refused, with whatever status, replaced in one retry?"""
    client = world.client(session)
    assert await client.head(world.repository(), "latest") == DIGEST
    world.good, world.refused = set(), refusal(status)

    assert await client.head(world.repository(), "latest") == DIGEST
    assert len(world.tokens.requests) == 2
    assert len(world.registry.requests) == 4


async def test_kept_token_is_fetched_once_more_without_a_challenge(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a 401 that says nothing more understood, where a token was good before?"""
    client = world.client(session)
    await client.head(world.repository(), "latest")
    world.good, world.challenged = set(), ""

    assert await client.head(world.repository(), "latest") == DIGEST
    assert len(world.tokens.requests) == 2


async def test_password_is_wanted(world: GuardedRegistry, session: aiohttp.ClientSession) -> None:
    """Does the sentence say whether there is no file, or no login in it?"""
    world.challenged = 'Basic realm="r"'
    wanted = f"{world.registry.netloc} wants a user and a password, and no login was sent: "
    sentence = await world.trouble(world.client(session), Refused)
    assert sentence.endswith(wanted + "--registry-auth names no file of logins")

    world.write_login("elsewhere.example.com")
    sentence = await world.trouble(world.client(session), Refused)
    assert f"{wanted}{world.auth_file} has no login for {world.registry.netloc}" in sentence


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_fresh_token_is_not_fetched_twice(
    world: GuardedRegistry, session: aiohttp.ClientSession, status: int
) -> None:
    """Does a token that opens nothing cost one request for it at each call, and no loop?"""
    client = world.client(session)
    await client.head(world.repository(), "latest")
    world.useless, world.good, world.refused = True, set(), refusal(status)
    await world.trouble(client, Refused)
    for calls in (1, 2):
        before = len(world.registry.requests)
        await world.trouble(client, Refused)
        assert len(world.tokens.requests) == 2 + calls
        assert len(world.registry.requests) - before <= 2

    world.useless = False
    assert await client.head(world.repository(), "latest") == DIGEST


async def test_login_that_the_token_server_forbids(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a login that is answered 403 sent once a repository, until the file changes?"""
    world.write_login()
    world.granted = refusal(403, "DENIED", "your key has expired")
    client = world.client(session)
    for _ in range(3):
        assert await world.trouble(client, Refused) == (
            f"{world.repository()}: the credentials for {world.registry.netloc} in"
            f" {world.auth_file} are not accepted for this repository (403); they are not tried"
            " again until the file changes; it says 'DENIED: your key has expired'"
        )
    await world.clock.advance(86400.0)
    await world.trouble(client, Refused)
    assert world.logins() == 1
    await world.trouble(client, Refused, "team/other")
    await world.trouble(client, Refused, "team/other")
    assert world.logins() == 2

    world.granted = None
    world.write_login(username="user", password="another-horse")
    assert await client.head(world.repository(), "latest") == DIGEST
    assert world.logins() == 3


@pytest.mark.parametrize(("status", "where"), [(401, ""), (403, " for this repository (403)")])
async def test_login_that_the_registry_refuses(
    world: GuardedRegistry, session: aiohttp.ClientSession, status: int, where: str
) -> None:
    """Is a password that the registry itself refuses sent once, and the file named?"""
    world.write_login()
    world.challenged = 'Basic realm="r"'
    client = world.client(session)
    world.refused = refusal(401)
    world.good = {"Basic none"}
    world.registry.respond = lambda request: (
        refusal(status)() if "Authorization" in request.headers else world._registry(request)
    )
    for _ in range(3):
        sentence = await world.trouble(client, Refused)
        assert f"in {world.auth_file} are not accepted{where}; they are not tried" in sentence
    assert world.logins() == 1


async def test_whether_a_login_was_sent(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Does a sentence about access say whether a login was sent, and from which file?"""
    world.useless = True
    began = f"{world.repository()}: no access, or no such repository; "
    sentence = await world.trouble(world.client(session), Refused)
    assert sentence == began + "no login was sent: --registry-auth names no file of logins"

    world.write_login("elsewhere.example.com")
    sentence = await world.trouble(world.client(session), Refused)
    assert sentence == (
        f"{began}no login was sent: {world.auth_file} has no login for"
        f" {world.registry.netloc}/team/node"
    )

    world.write_login()
    sentence = await world.trouble(world.client(session), Refused)
    assert sentence == (
        f"{began}the login for {world.registry.netloc} in {world.auth_file} was sent"
    )


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_challenge_at_the_root_alone(
    world: GuardedRegistry, session: aiohttp.ClientSession, status: int
) -> None:
    """Is a registry that hides what it has, and says how to log in at `/v2/` alone, asked there
    once, and its token used at once from then on?
    """
    world.refused = refusal(status)
    world.registry.respond = lambda request: (
        refusal(status)()
        if request.path != "/v2/" and "Authorization" not in request.headers
        else world._registry(request)
    )
    client = world.client(session)
    assert await client.head(world.repository(), "latest") == DIGEST
    assert await client.head(world.repository(), "latest") == DIGEST

    manifest = "HEAD /v2/team/node/manifests/latest"
    assert world.registry.requests == [manifest, "GET /v2/", manifest, manifest]
    assert "scope=repository:team/node:pull" in world.tokens.requests[0]
    assert len(world.tokens.requests) == 1


async def test_many_tags_ask_the_root_once(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is `/v2/` asked once for many tags that are asked for at once?"""
    world.refused = refusal(404)
    client = world.client(session)
    await asyncio.gather(*(client.head(world.repository(), f"t{n}") for n in range(8)))

    assert world.registry.requests.count("GET /v2/") == 1
    assert len(world.tokens.requests) == 1


async def test_password_is_demanded_at_the_root(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a login sent to a registry that answers 404 to strangers, and wants it at `/v2/`?"""
    world.write_login()
    world.challenged = 'Basic realm="r"'
    world.refused = refusal(404)
    world.registry.respond = lambda request: (
        web.Response(headers=FOUND)
        if "Authorization" in request.headers
        else world._registry(request)
    )

    assert await world.client(session).head(world.repository(), "latest") == DIGEST
    assert world.logins() == 1


async def test_a_missing_tag_where_strangers_may_read(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a tag that is not there told as such, where a login is wanted at `/v2/` and we have
    none?
    """
    world.challenged = 'Basic realm="r"'
    world.refused = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    client = world.client(session)

    sentence = await world.trouble(client, NotFound)
    assert sentence == f"no tag latest in repository {world.repository()}"
    world.good = {None}  # type: ignore[arg-type] what strangers send
    assert await client.head(world.repository(), "latest") == DIGEST


@pytest.mark.parametrize("ping", [200, 404, 500])
async def test_open_registry_is_pinged_once_an_hour(
    world: GuardedRegistry, session: aiohttp.ClientSession, ping: int
) -> None:
    """Is a registry that demands nothing not asked for its demands at each missing tag?"""
    world.ping, world.refused = refusal(ping), refusal(404)
    client = world.client(session)
    for _ in range(3):
        await world.trouble(client, NotFound)
    assert world.registry.requests.count("GET /v2/") == 1

    await world.clock.advance(3601.0)
    await world.trouble(client, NotFound)
    assert world.registry.requests.count("GET /v2/") == 2


@pytest.mark.parametrize(
    ("status", "code", "kind", "began"),
    [
        (403, "DENIED", Refused, "no access, or no such repository; no login was sent"),
        (412, "PROJECTPOLICYVIOLATION", Refused, "the registry answers 412"),
        (400, "UNSUPPORTED", Refused, "the registry answers 400"),
        (451, "BLOCKED", Refused, "the registry answers 451"),
    ],
)
async def test_what_the_registry_says(
    world: GuardedRegistry,
    session: aiohttp.ClientSession,
    status: int,
    code: str,
    kind: type[Refused],
    began: str,
) -> None:
    """Is the registry's own sentence passed on, for which a HEAD has no room, at one GET?"""
    world.ping, world.refused = refusal(200), refusal(status, code, HARBOR)
    sentence = await world.trouble(world.client(session), kind)

    assert sentence.startswith(f"{world.repository()}: {began}")
    assert sentence.endswith(f"; it says '{code}: {HARBOR}'")
    manifests = [one for one in world.registry.requests if "/manifests/" in one]
    assert [one.partition(" ")[0] for one in manifests] == ["HEAD", "GET"]


async def test_what_is_said_of_a_missing_repository(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is it told that not the tag but the repository is missing, where the registry says so?"""
    world.ping, world.refused = refusal(200), refusal(404, "NAME_UNKNOWN", "no such repository")

    sentence = await world.trouble(world.client(session), NotFound)
    assert sentence.endswith("; it says 'NAME_UNKNOWN: no such repository'")


async def test_what_a_broken_registry_says(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a registry that is in trouble not asked twice, and what it says of a GET told?"""
    world.refused = refusal(503, "UNAVAILABLE", "maintenance until noon")
    client = world.client(session)
    assert "it says" not in await world.trouble(client, Unavailable)
    assert len(world.registry.requests) == 1
    with pytest.raises(Unavailable, match="answers 503; it says 'UNAVAILABLE: maintenance"):
        await client.build(world.repository(), DIGEST, Platform())


async def test_what_is_said_of_a_limit(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is the registry's sentence about its limit told, and kept while nothing is asked?"""
    world.refused = refusal(429, "TOOMANYREQUESTS", "You have reached your pull rate limit")
    client = world.client(session)
    for _ in range(2):
        with pytest.raises(Busy, match="it says 'TOOMANYREQUESTS: You have reached your pull"):
            await client.build(world.repository(), DIGEST, Platform())
    assert len(world.registry.requests) == 1


async def test_what_the_token_server_says(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Are the token server's own words told, of a login and without one?"""
    world.granted = lambda: web.json_response(
        {"details": "the organisation enforces single sign-on"}, status=403
    )
    sentence = await world.trouble(world.client(session), Refused)
    assert sentence.endswith("; it says 'the organisation enforces single sign-on'")

    world.granted = refusal(404, "NOT_FOUND", "no such service")
    sentence = await world.trouble(world.client(session), Refused)
    assert "token server, answers 404; it says 'NOT_FOUND: no such service'" in sentence


async def test_secrets_that_come_back_are_not_told(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a password or token that a server repeats in its words never in a sentence?"""
    world.write_login()
    world.useless = True
    world.registry.respond = lambda request: (
        refusal(403, "DENIED", f"{request.headers['Authorization'].partition(' ')[2]} is bad")()
        if "Authorization" in request.headers
        else world._registry(request)
    )
    sentence = await world.trouble(world.client(session), Refused)
    assert "it says 'DENIED: [redacted] is bad'" in sentence

    world.granted = refusal(403, "DENIED", f"user:{PASSWORD} is wrong")
    sentence = await world.trouble(world.client(session), Refused)
    assert "is wrong" in sentence


async def test_pages_are_not_told(world: GuardedRegistry, session: aiohttp.ClientSession) -> None:
    """Is nothing of a proxy's page in a sentence?"""
    world.ping = refusal(200)
    world.refused = lambda: web.Response(
        status=403, text="<html>Blocked by the proxy</html>", content_type="text/html"
    )

    assert "it says" not in await world.trouble(world.client(session), Refused)


async def test_storage_behind_the_registry_refuses(
    world: GuardedRegistry, session: aiohttp.ClientSession
) -> None:
    """Is the host named that refused what the registry sent us to, and nobody's rights doubted?"""
    async with ScriptedServer(lambda _: web.Response(status=403, text="<Error/>")) as storage:
        world.registry.respond = lambda _: web.Response(
            status=307, headers={"Location": f"{storage.url}/blob?signature=1"}
        )
        sentence = await world.trouble(world.client(session), Refused)

    assert sentence == (
        f"{world.repository()}: {storage.netloc}, to which the registry leads, answers 403"
    )
