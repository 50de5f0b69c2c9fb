"""The registry client: what a tag points to, which build is behind it, and what is told of that."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import aiohttp
from yarl import URL

from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.errors import BootstrapError, Garbled, NotFound, Refused
from controller.base.text import shown
from controller.domain.build import Build, Platform, Quota
from controller.domain.evidence import BuildFacts
from controller.domain.mirrors import Mirrors
from controller.domain.reference import (
    ReferenceFault,
    Repository,
    check_digest,
    parse_tag_or_digest,
)
from controller.registry import build_facts, manifests
from controller.registry.authorizer import Authorizer, Site, no_access
from controller.registry.docker_config import CredentialFile
from controller.registry.hosts import Hosts, same_origin
from controller.registry.hub_tags import HubTags
from controller.registry.rate_limits import HOSTS_KEPT, Gates, quota_in
from controller.registry.statuses import meaning_of
from controller.registry.transport import TIME_LIMIT, Ask, Reply, Transport

_DIGEST_HEADER = "Docker-Content-Digest"
_IMAGES_KEPT = 64  # configurations, a hundred bytes of each: more than there are open runs
_SENTENCE = 400  # characters of what could not be had: two names and a reason


class RegistryClient:
    """Implements the engine's port `Registry` for any OCI registry.

    Nothing is repeated here but the one request after a challenge: when to try again is the
    caller's choice, and Busy is raised without a request while a registry has asked us to wait.

    mirrors: registries that are asked somewhere else. auth_file: a docker config.json; None for
    anonymous access. time_limit: seconds of one exchange.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        random: Random,
        *,
        mirrors: Mirrors | None = None,
        auth_file: Path | None = None,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._hosts = Hosts(mirrors or Mirrors())
        self._transport = Transport(session, clock, time_limit)
        self._authorizer = Authorizer(self._transport, clock, CredentialFile(auth_file))
        self._gates = Gates(clock, random)
        self._hub = HubTags(self._transport, self._hosts, self._gates)
        self._quotas = BoundedMap[URL, Quota](HOSTS_KEPT)
        self._images = BoundedMap[tuple[Repository, Build], BuildFacts](_IMAGES_KEPT)

    async def head(self, repository: Repository, reference: str) -> str:
        """The digest that a tag, or a digest, stands for now; costs no pull [76], except at a
        registry that leaves the digest out: there the manifest is fetched and hashed [71].
        """
        parse_tag_or_digest(reference)
        reply = await self._ask_manifest("HEAD", repository, reference)
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

    async def describe(self, repository: Repository, tag: str, build: Build) -> BuildFacts:
        """What the image's configuration says of the build, and what its tags' names do. tag: the
        one that was followed, and pointed to the build; empty if there is none.

        Costs one pull, which is once a run, and runs take hours to weeks [77]: GETs of the manifest
        and of the configuration, and at Docker Hub one of its list of tags. What an image says is
        remembered, so a second call for the same build costs the list alone. Each of the three is
        told without the others; nothing of `base.errors` is raised.
        """
        image = BuildFacts()
        names: tuple[str, ...] = ()
        unread: list[str] = []
        with _noted(unread, "its labels"):
            image = await self._image(repository, build)
        with _noted(unread, "its other tags"):
            names = await self._hub.names(repository, build)
        facts = build_facts.described(image, tag, names)
        return replace(facts, unread=(*unread, *facts.unread))

    async def _image(self, repository: Repository, build: Build) -> BuildFacts:
        """What the build's own image says. Never changes: both digests are of the bytes."""
        kept = self._images.get((repository, build))
        if kept is not None:
            return kept
        document, _ = await self._manifest(repository, check_digest(build))
        with _named(repository):
            digest = manifests.config_of(document)
        body = await self._blob(repository, digest)
        with _named(repository):
            image = build_facts.parse_config(body)
        self._images[repository, build] = image
        return image

    async def _manifest(
        self, repository: Repository, reference: str
    ) -> tuple[manifests.Document, str]:
        """With its digest: that of the raw bytes, whatever a header says."""
        reply = await self._ask_manifest("GET", repository, reference)
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

    async def _ask_manifest(self, method: str, repository: Repository, reference: str) -> Reply:
        site = self._site(repository)
        url = site.endpoint.manifest(repository, reference)
        ask = Ask(site.about, method, url, manifests.LONGEST, {"Accept": manifests.ACCEPT})
        kind = "manifest" if _is_digest(reference) else "tag"
        return await self._ask(site, ask, f"{kind} {shown(reference)}")

    async def _blob(self, repository: Repository, digest: str) -> bytes:
        """A small one: at most `build_facts.LONGEST` bytes. Registries send for blobs to another
        host, which gets no credentials of ours [74].
        """
        site = self._site(repository)
        url = site.endpoint.blob(repository, digest)
        ask = Ask(site.about, "GET", url, build_facts.LONGEST)
        reply = await self._ask(site, ask, f"blob {digest}")
        if manifests.digest_of(reply.body, digest.partition(":")[0]) != digest:
            raise Garbled(f"{repository}: the blob's bytes do not have the digest {digest}")
        return reply.body

    async def _ask(self, site: Site, ask: Ask, thing: str) -> Reply:
        """The answer with status 200; every other one is raised as what it means. thing: what is
        asked for, in sentences.
        """
        sent = await self._authorizer.prepare(site)
        reply = await self._exchange(site, ask, sent)
        # Only the registry itself may ask for our credentials, not whom it redirects to.
        if reply.status == 401 and same_origin(reply.url, ask.url):
            challenges = reply.headers.getall("WWW-Authenticate", [])
            sent = await self._authorizer.renew(site, challenges, sent)
            reply = await self._exchange(site, ask, sent)
            if reply.status == 401:
                raise self._authorizer.denied(site, sent)
        if reply.status == 200:
            return reply
        if reply.status == 404:
            raise NotFound(f"no {thing} in repository {site.about}")
        if reply.status in (401, 403):
            raise no_access(site)
        raise meaning_of(reply.status, f"{site.about}: the registry")

    async def _exchange(self, site: Site, ask: Ask, authorization: Mapping[str, str]) -> Reply:
        site.gate.check()
        # identity: a digest is of the bytes, and a bound should be of what is sent.
        headers = {**ask.headers, "Accept-Encoding": "identity", **authorization}
        reply = await self._transport.exchange(replace(ask, headers=headers))
        if busy := site.gate.read(reply.status, reply.headers):
            raise busy
        if quota := quota_in(reply.headers):
            self._quotas[site.endpoint.base] = quota
        return reply

    def _site(self, repository: Repository) -> Site:
        endpoint = self._hosts.endpoint(repository.registry)
        return Site(endpoint, repository.path, str(repository), self._gates.of(endpoint))


@contextmanager
def _named(repository: Repository) -> Iterator[None]:
    """Says whose manifest it is."""
    try:
        yield
    except (Refused, Garbled) as error:
        raise type(error)(f"{repository}: {error}") from error


@contextmanager
def _noted(unread: list[str], what: str) -> Iterator[None]:
    """Makes a sentence of what could not be had, and why."""
    try:
        yield
    except BootstrapError as error:
        unread.append(shown(f"{what}: {error}", _SENTENCE))


def _is_digest(reference: str) -> bool:
    return ":" in reference
