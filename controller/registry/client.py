"""The registry client: what a tag points to, and which build stands behind it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

import aiohttp
from yarl import URL

from controller.base.clock import Clock
from controller.base.errors import BootstrapError, Garbled, NotFound, Refused, Unavailable
from controller.base.text import shown
from controller.domain.build import Build, Platform, Quota
from controller.domain.reference import (
    ReferenceFault,
    Repository,
    check_digest,
    parse_tag_or_digest,
)
from controller.registry import manifests
from controller.registry.authorizer import Authorizer, Site, no_access
from controller.registry.credentials import CredentialFile
from controller.registry.hosts import Hosts, same_origin
from controller.registry.limits import Gate, quota_in
from controller.registry.transport import TIME_LIMIT, Ask, Reply, Transport

_DIGEST_HEADER = "Docker-Content-Digest"


class RegistryClient:
    """Implements the engine's port `Registry` for any OCI registry.

    Nothing is repeated here but the one request after a challenge: when to try again is the
    caller's choice, and Busy is raised without a request while a registry has asked us to wait.

    mirrors: registry host to the URL asked in its stead; raises SettingsFault for a bad one.
    auth_file: a docker config.json; None for anonymous access. time_limit: seconds of one exchange.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        random: Random,
        *,
        mirrors: Mapping[str, str] | None = None,
        auth_file: Path | None = None,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._clock = clock
        self._random = random
        self._hosts = Hosts(mirrors or {})
        self._transport = Transport(session, clock, time_limit)
        self._authorizer = Authorizer(self._transport, clock, CredentialFile(auth_file))
        self._gates: dict[URL, Gate] = {}
        self._quotas: dict[URL, Quota] = {}

    async def head(self, repository: Repository, reference: str) -> str:
        """The digest that a tag, or a digest, stands for now; costs no pull [76], except at a
        registry that leaves the digest out: there the manifest is fetched and hashed [71].
        """
        parse_tag_or_digest(reference)
        reply = await self._ask("HEAD", repository, reference)
        stated = reply.headers.get(_DIGEST_HEADER)
        if stated is None:
            _, digest = await self._manifest(repository, reference)
            return digest
        try:
            digest = check_digest(stated)
        except ReferenceFault as fault:
            raise Garbled(f"{repository}: the registry answers with no digest: {fault}") from fault
        if _is_digest(reference) and digest != reference:
            raise Garbled(f"{repository}: the registry answers with another digest than was asked")
        return digest

    async def build(self, repository: Repository, digest: str, platform: Platform) -> Build:
        """The platform manifest behind a digest; costs one pull. Raises Refused where the index
        has no such platform.
        """
        document, _ = await self._manifest(repository, check_digest(digest))
        with _named(repository):
            return manifests.build_of(document, digest, platform)

    def quota(self, repository: Repository) -> Quota | None:
        """What the registry last said is left; None where it named no limit."""
        return self._quotas.get(self._hosts.endpoint(repository.registry).base)

    async def _manifest(
        self, repository: Repository, reference: str
    ) -> tuple[manifests.Document, str]:
        """With its digest: that of the raw bytes, whatever a header says."""
        reply = await self._ask("GET", repository, reference)
        if not reply.body:
            raise Garbled(f"{repository}: the registry answers with an empty manifest")
        expected = reference if _is_digest(reference) else reply.headers.get(_DIGEST_HEADER)
        algorithm = expected.partition(":")[0] if expected else "sha256"
        if algorithm not in ("sha256", "sha512"):
            raise Garbled(f"{repository}: the registry answers with no digest")
        digest = manifests.digest_of(reply.body, algorithm)
        if expected not in (None, digest):
            raise Garbled(
                f"{repository}: the manifest's bytes do not have the digest {shown(expected)}"
            )
        with _named(repository):
            return manifests.parse(reply.body), digest

    async def _ask(self, method: str, repository: Repository, reference: str) -> Reply:
        """The answer with status 200; every other one is raised as what it means."""
        site = self._site(repository)
        url = site.endpoint.manifest(repository, reference)
        sent = await self._authorizer.prepare(site)
        reply = await self._exchange(site, method, url, sent)
        # Only the registry itself may ask for our credentials, not whom it redirects to.
        if reply.status == 401 and same_origin(reply.url, url):
            challenges = reply.headers.getall("WWW-Authenticate", [])
            sent = await self._authorizer.renew(site, challenges, sent)
            reply = await self._exchange(site, method, url, sent)
            if reply.status == 401:
                raise self._authorizer.denied(site, sent)
        if reply.status == 200:
            return reply
        raise _failure(site, reference, reply)

    async def _exchange(
        self, site: Site, method: str, url: URL, authorization: Mapping[str, str]
    ) -> Reply:
        site.gate.check()
        # identity: a digest is of the bytes, and a bound should be of what is sent.
        headers = {"Accept": manifests.ACCEPT, "Accept-Encoding": "identity", **authorization}
        reply = await self._transport.exchange(
            Ask(site.subject, method, url, manifests.LONGEST, headers)
        )
        if busy := site.gate.read(reply.status, reply.headers):
            raise busy
        if quota := quota_in(reply.headers):
            self._quotas[site.endpoint.base] = quota
        return reply

    def _site(self, repository: Repository) -> Site:
        endpoint = self._hosts.endpoint(repository.registry)
        gate = self._gates.get(endpoint.base)
        if gate is None:
            gate = Gate(endpoint.host, self._clock, self._random)
            self._gates[endpoint.base] = gate
        return Site(endpoint, repository.path, str(repository), gate)


@contextmanager
def _named(repository: Repository) -> Iterator[None]:
    """Says whose manifest it is."""
    try:
        yield
    except (Refused, Garbled) as error:
        raise type(error)(f"{repository}: {error}") from error


def _is_digest(reference: str) -> bool:
    return ":" in reference


def _failure(site: Site, reference: str, reply: Reply) -> BootstrapError:
    if reply.status == 404:
        if _is_digest(reference):
            return NotFound(f"no manifest {shown(reference)} in repository {site.subject}")
        return NotFound(f"no tag {shown(reference)} in repository {site.subject}")
    if reply.status in (401, 403):
        return no_access(site)
    if reply.status >= 500 or reply.status == 408:
        return Unavailable(f"{site.subject}: the registry answers {reply.status}")
    if reply.status >= 400:
        return Refused(f"{site.subject}: the registry answers {reply.status}")
    return Garbled(f"{site.subject}: the registry answers {reply.status} for a manifest")
