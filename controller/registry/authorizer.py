"""Gets leave to read: challenge, token, and what is not tried twice.

1. The registry answers 401 with a challenge that names a token server, its realm [68]. Some say so
   at `/v2/` alone, and answer 403 or 404 elsewhere to whom they do not know [153].
2. The token server gives a token, for a password or for nothing.
3. The request is sent again with it, once. A second refusal means: no access [69]. A token that was
   kept is renewed once also where it is answered with 400 or 403 [155].

Later requests to the same repository begin with 2, or with a token that is still good.
"""

import asyncio
import math
from collections.abc import Sequence
from weakref import WeakValueDictionary

from yarl import URL

from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.errors import Garbled, Refused, Unavailable
from controller.registry.challenge import Basic, Bearer, choose, parse_challenges
from controller.registry.docker_config import Credential, CredentialFile
from controller.registry.hosts import same_origin
from controller.registry.logins import Logins
from controller.registry.rate_limits import HOSTS_KEPT
from controller.registry.said import quoted, said_in
from controller.registry.site import Leave, Site, secrets_of
from controller.registry.token_server import check_realm, token_request
from controller.registry.tokens import Token, TokenCache, parse_token
from controller.registry.transport import Ask, Reply, Transport

# Repositories whose demand is known, so that it need not be asked for: one answer of 401 each
_DEMANDS_KEPT = 1000
_PING_HOLDS = 3600.0  # seconds for which a registry is not asked again what it demands at `/v2/`
_LONGEST_PING = 64 * 1024  # bytes of the answer at `/v2/`, of which nothing is read


class Authorizer:
    """Authorization headers for requests: holds the tokens, and what was learnt of registries."""

    def __init__(self, transport: Transport, clock: Clock, credentials: CredentialFile) -> None:
        self._transport = transport
        self._clock = clock
        self._logins = Logins(credentials)
        self._tokens = TokenCache(clock)
        self._demands = BoundedMap[tuple[URL, str], Bearer | Basic](_DEMANDS_KEPT)
        # what was demanded at `/v2/`, and until when that is believed, monotonic
        self._pinged = BoundedMap[URL, tuple[Bearer | Basic | None, float]](HOSTS_KEPT)
        # Several tags of one repository are asked for at once: one of them asks `/v2/`, or fetches
        # the token.
        self._turns = WeakValueDictionary[URL, asyncio.Lock]()

    async def prepare(self, site: Site) -> Leave:
        """Leave by what is known of the repository; none before its first challenge."""
        demand = self._demands.get((site.endpoint.base, site.path))
        return Leave() if demand is None else await self._answer(site, demand, Leave())

    async def better(self, site: Site, reply: Reply, sent: Leave) -> Leave | None:
        """Leave that may open what `sent` did not; None where there is no better one. Raises what
        a login or a token server that fails means.
        """
        if reply.status == 401:
            return await self._renew(site, reply, sent)
        if reply.status in (403, 404) and not sent.headers:
            demand = await self._ping(site)
            if isinstance(demand, Basic) and self._logins.find(site) is None:
                return None  # where nobody has a name, what was answered stands
            return None if demand is None else await self._meet(site, demand, sent)
        if reply.status in (400, 403) and sent.is_kept:
            demand = self._demands.get((site.endpoint.base, site.path))
            return None if demand is None else await self._meet(site, demand, sent)
        return None

    def denied(self, site: Site, reply: Reply, sent: Leave, said: str) -> Refused:
        """The error after a 401 or 403 that answered `sent`. said: by the registry."""
        if sent.is_login and sent.credential is not None:
            return self._logins.reject(site, sent.credential, reply.status, said)
        self.forget(site, sent)
        return self._logins.no_access(site, sent.credential, said)

    def forget(self, site: Site, sent: Leave) -> None:
        """Of a token that was not taken: the next request begins with a new one, with the rights of
        that time.
        """
        demand = self._demands.get((site.endpoint.base, site.path))
        if isinstance(demand, Bearer):
            key = _key(site, demand, sent.credential)
            token = self._tokens.get(key)
            if token is not None and sent.sends(f"Bearer {token.secret}"):
                self._tokens.drop(key)

    async def _renew(self, site: Site, reply: Reply, sent: Leave) -> Leave | None:
        known = self._demands.get((site.endpoint.base, site.path))
        demand = _demanded(site, reply.headers.getall("WWW-Authenticate", []))
        if demand is None:
            demand = known if sent.headers else await self._ping(site)
        if demand is None:
            raise Refused(f"{site.about}: the registry wants a kind of login that is not known")
        if sent.headers and not sent.is_kept and demand == known:
            return None  # it has just been met, and that was not enough
        return await self._meet(site, demand, sent)

    async def _ping(self, site: Site) -> Bearer | Basic | None:
        """What the registry demands where it speaks of itself, as docker asks it [153]; None if
        nothing. The scope there is of no repository, and not used.
        """
        base = site.endpoint.base
        async with self._turns.setdefault(base, asyncio.Lock()):
            demand, until = self._pinged.get(base, (None, -math.inf))
            if self._clock.monotonic() >= until:
                site.gate.check()
                ask = Ask(site.about, "GET", site.endpoint.below("v2/"), _LONGEST_PING)
                reply = await self._transport.exchange(ask)
                if busy := site.gate.read(reply.status, reply.headers, _said(reply)):
                    raise busy
                demand = None
                if reply.status == 401 and same_origin(reply.url, ask.url):
                    demand = _demanded(site, reply.headers.getall("WWW-Authenticate", []))
                self._pinged[base] = demand, self._clock.monotonic() + _PING_HOLDS
        if isinstance(demand, Bearer):
            return Bearer(demand.realm, demand.service, _scope(site))
        return demand

    async def _meet(self, site: Site, demand: Bearer | Basic, stale: Leave) -> Leave | None:
        """None where the same would be sent again."""
        if isinstance(demand, Bearer):
            check_realm(site, demand)
        elif stale.headers:
            return None
        self._demands[site.endpoint.base, site.path] = demand
        return await self._answer(site, demand, stale)

    async def _answer(self, site: Site, demand: Bearer | Basic, stale: Leave) -> Leave:
        async with self._turns.setdefault(site.endpoint.base, asyncio.Lock()):
            credential = self._logins.find(site)
            if isinstance(demand, Basic):
                if credential is None:
                    raise self._logins.wanted(site)
                return Leave({"Authorization": credential.basic()}, credential=credential)
            key = _key(site, demand, credential)
            token, is_kept = self._tokens.get(key), True
            if token is None or stale.sends(f"Bearer {token.secret}"):
                self._tokens.drop(key)
                site.gate.check()
                asked_at, is_kept = self._clock.monotonic(), False
                token = await self._fetch(site, demand, credential)
                self._tokens.put(key, token, asked_at)
            return Leave({"Authorization": f"Bearer {token.secret}"}, is_kept, credential)

    async def _fetch(self, site: Site, demand: Bearer, credential: Credential | None) -> Token:
        ask = token_request(site, demand, credential)
        reply = await self._transport.exchange(ask)
        if reply.status == 200:
            token = parse_token(reply.body)
            if token is None:
                raise Garbled(f"{ask.peer}, its token server, answers with what is no token")
            return token
        raise self._failure(site, ask, reply, credential)

    def _failure(
        self, site: Site, ask: Ask, reply: Reply, credential: Credential | None
    ) -> Exception:
        said = _said(reply, credential)
        if busy := site.gate.read(reply.status, reply.headers, said):
            return busy
        sentence = f"{ask.peer}, its token server, answers {reply.status}{quoted(said)}"
        if reply.status >= 500:
            return Unavailable(sentence)
        if credential and reply.status in (400, 401, 403):
            # An OAuth2 endpoint says invalid_grant, of the login itself, with 400.
            is_all = reply.status == 401 or (reply.status == 400 and ask.form is not None)
            return self._logins.reject(site, credential, 401 if is_all else reply.status, said)
        if reply.status in (401, 403):
            return self._logins.no_access(site, credential, said)
        return Refused(sentence)


def _key(
    site: Site, demand: Bearer, credential: Credential | None
) -> tuple[URL, Bearer, int | None]:
    """With the version: a token got with yesterday's password is not used for today's."""
    return site.endpoint.base, demand, credential.version if credential else None


def _demanded(site: Site, challenges: Sequence[str]) -> Bearer | Basic | None:
    return choose(parse_challenges(challenges), _scope(site))


def _scope(site: Site) -> str:
    return f"repository:{site.path}:pull"


def _said(reply: Reply, credential: Credential | None = None) -> str:
    content_type = reply.headers.get("Content-Type", "")
    return said_in(reply.body, content_type, secrets_of(credential))
