"""Gets leave to read: challenge, token, and what is not tried twice.

1. The registry answers 401 with a challenge that names a token server, its realm [68].
2. The token server gives a token, for a password or for nothing.
3. The request is sent again with it, once. A second 401 means: no access [69].

Later requests to the same repository begin with 2, or with a token that is still good.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from yarl import URL

from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.errors import Garbled, Refused, Unavailable
from controller.base.loopback import is_loopback
from controller.base.text import shown
from controller.registry.challenge import Basic, Bearer, choose, parse_challenges
from controller.registry.docker_config import Credential, CredentialFile
from controller.registry.hosts import Endpoint
from controller.registry.rate_limits import Gate
from controller.registry.tokens import Token, TokenCache, parse_token
from controller.registry.transport import Ask, Reply, Transport

_LONGEST_ANSWER = 256 * 1024  # bytes: a token with its frame is a few KB
# Repositories whose demand is known, so that it need not be asked for: one answer of 401 each
_DEMANDS_KEPT = 1000
_CLIENT_ID = "bootstrap-controller"  # the token specification wants a client to name itself


@dataclass(frozen=True)
class Site:
    """One repository at one registry."""

    endpoint: Endpoint  # of the registry, or of the mirror that is asked in its stead
    path: str  # of the repository
    about: str  # its canonical name, for sentences
    gate: Gate  # of who is asked


class Authorizer:
    """Authorization headers for requests: holds the tokens, and what was learnt of registries."""

    def __init__(self, transport: Transport, clock: Clock, credentials: CredentialFile) -> None:
        self._transport = transport
        self._clock = clock
        self._credentials = credentials
        self._tokens = TokenCache(clock)
        self._demands = BoundedMap[tuple[URL, str], Bearer | Basic](_DEMANDS_KEPT)
        self._rejected: set[tuple[str, int]] = set()
        # Several tags of one repository are asked for at once: one of them fetches the token.
        self._turns = WeakValueDictionary[URL, asyncio.Lock]()

    async def prepare(self, site: Site) -> Mapping[str, str]:
        """Headers by what is known of the repository; none before its first challenge."""
        demand = self._demands.get((site.endpoint.base, site.path))
        return {} if demand is None else await self._answer(site, demand, stale=None)

    async def renew(
        self, site: Site, challenges: Sequence[str], sent: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Headers after a 401. challenges: its WWW-Authenticate headers. sent: the headers that
        were not taken: they are not used again.
        """
        demand = choose(parse_challenges(challenges), f"repository:{site.path}:pull")
        if demand is None:
            raise Refused(f"{site.about}: the registry wants a kind of login that is not known")
        if isinstance(demand, Bearer):
            _check_realm(site, demand)
        self._demands[site.endpoint.base, site.path] = demand
        stale = sent.get("Authorization")
        if isinstance(demand, Basic) and stale is not None:
            raise self.denied(site, sent)
        return await self._answer(site, demand, stale=stale)

    def denied(self, site: Site, sent: Mapping[str, str]) -> Refused:
        """The error after a 401 that answered these very headers."""
        credential = self._credential(site)
        if credential and sent.get("Authorization") == credential.basic():
            return self._reject(site, credential)
        return no_access(site)

    def _credential(self, site: Site) -> Credential | None:
        """Raises Refused for one that was rejected: each try with it counts as a failed login, and
        many of them lock the whole address out, HEADs too [70].
        """
        credential = self._credentials.find(site.endpoint.host, site.path)
        if credential and (site.endpoint.host, credential.version) in self._rejected:
            raise self._rejection(site)
        return credential

    def _reject(self, site: Site, credential: Credential) -> Refused:
        self._rejected = {
            (host, version) for host, version in self._rejected if version == credential.version
        } | {(site.endpoint.host, credential.version)}
        return self._rejection(site)

    def _rejection(self, site: Site) -> Refused:
        return Refused(
            f"{site.about}: the credentials for {site.endpoint.host} in"
            f" {shown(self._credentials.path)} are not accepted; they are not tried again until the"
            " file changes"
        )

    async def _answer(
        self, site: Site, demand: Bearer | Basic, stale: str | None
    ) -> Mapping[str, str]:
        async with self._turns.setdefault(site.endpoint.base, asyncio.Lock()):
            credential = self._credential(site)
            if isinstance(demand, Basic):
                if credential is None:
                    raise Refused(
                        f"{site.about}: {site.endpoint.host} wants a user and a password: name a"
                        " docker config.json that has them with --registry-auth"
                    )
                return {"Authorization": credential.basic()}
            # With the version: a token got with yesterday's password is not used for today's.
            key = (site.endpoint.base, demand, credential and credential.version)
            token = self._tokens.get(key)
            if token is None or f"Bearer {token.secret}" == stale:
                self._tokens.drop(key)
                site.gate.check()
                asked_at = self._clock.monotonic()
                token = await self._fetch(site, demand, credential)
                self._tokens.put(key, token, asked_at)
            return {"Authorization": f"Bearer {token.secret}"}

    async def _fetch(self, site: Site, demand: Bearer, credential: Credential | None) -> Token:
        ask = _token_request(site, demand, credential)
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
        if busy := site.gate.read(reply.status, reply.headers):
            return busy
        if reply.status >= 500:
            return Unavailable(f"{ask.peer}, its token server, answers {reply.status}")
        # An OAuth2 endpoint says invalid_grant with 400.
        if credential and (reply.status == 401 or (reply.status == 400 and ask.form)):
            return self._reject(site, credential)
        if reply.status in (401, 403):
            return no_access(site)
        return Refused(f"{ask.peer}, its token server, answers {reply.status}")


def no_access(site: Site) -> Refused:
    """Registries do not tell the two apart, so that nobody learns what exists [69]."""
    return Refused(f"{site.about}: no access, or no such repository")


def _check_realm(site: Site, demand: Bearer) -> None:
    """A registry may name any token server: that is the protocol. But it must not have us send a
    password in the clear, nor to what a sentence about it would not show.
    """
    try:
        realm = URL(demand.realm)
    except ValueError:
        realm = URL()
    if realm.scheme not in ("http", "https") or not realm.host or realm.user or realm.password:
        raise Refused(f"{site.about}: the registry names a token server that is no URL of HTTP")
    base = site.endpoint.base
    if realm.scheme == "http" and base.scheme == "https" and not is_loopback(base.host):
        raise Refused(f"{site.about}: the registry names a token server without TLS")


def _token_request(site: Site, demand: Bearer, credential: Credential | None) -> Ask:
    scopes = demand.scope.split()  # one challenge can name several, parted by spaces
    realm = URL(demand.realm).with_fragment(None)
    if credential and credential.identity_token:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.identity_token,
            "service": demand.service,
            "scope": demand.scope,
            "client_id": _CLIENT_ID,
        }
        return Ask(site.about, "POST", realm, _LONGEST_ANSWER, form=form)
    query = [("service", demand.service)] if demand.service else []
    query += [("scope", scope) for scope in scopes] + [("client_id", _CLIENT_ID)]
    headers = {"Authorization": credential.basic()} if credential else {}
    return Ask(site.about, "GET", realm.extend_query(query), _LONGEST_ANSWER, headers=headers)
