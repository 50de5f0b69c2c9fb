"""The registry client: what a tag points to, which build is behind it, and what is told of that."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import aiohttp

from controller.base.bounded_map import BoundedMap
from controller.base.clock import Clock
from controller.base.errors import BootstrapError, Garbled, Refused
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
from controller.registry.authorizer import Authorizer
from controller.registry.docker_config import CredentialFile
from controller.registry.hosts import Hosts
from controller.registry.hub_tags import HubTags
from controller.registry.rate_limits import Gates
from controller.registry.reader import Reader, stated_digest
from controller.registry.site import Site
from controller.registry.transport import TIME_LIMIT, Ask, Reply, Transport
from controller.registry.ways import Ways

_IMAGES_KEPT = 64  # configurations, a hundred bytes of each: more than there are open runs
_SENTENCE = 400  # characters of what could not be had: two names and a reason


class RegistryClient:
    """Implements the engine's port `Registry` for any OCI registry.

    Nothing is repeated here but the one request after a challenge: when to try again is the
    caller's choice, and Busy is raised without a request while a registry has asked us to wait.

    mirrors: registries that are asked somewhere else. auth_file: a docker config.json; None for
    anonymous access. time_limit: seconds of one exchange. ways: proxies; None for none.
    """

    def __init__(  # noqa: PLR0913 three collaborators, and what a person may set
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        random: Random,
        *,
        mirrors: Mirrors | None = None,
        auth_file: Path | None = None,
        time_limit: float = TIME_LIMIT,
        ways: Ways | None = None,
    ) -> None:
        self._hosts = Hosts(mirrors or Mirrors())
        self._transport = Transport(session, clock, time_limit, ways)
        authorizer = Authorizer(self._transport, clock, CredentialFile(auth_file))
        self._reader = Reader(self._transport, authorizer)
        self._gates = Gates(clock, random)
        self._hub = HubTags(self._transport, self._hosts, self._gates)
        self._images = BoundedMap[tuple[Repository, Build], BuildFacts](_IMAGES_KEPT)

    async def head(self, repository: Repository, reference: str) -> str:
        """The digest that a tag, or a digest, stands for now; costs no pull [76], except at a
        registry whose HEAD does not tell: there the manifest is fetched and hashed [71].
        """
        parse_tag_or_digest(reference)
        reply = await self._ask_manifest("HEAD", repository, reference)
        if reply.method == "GET":
            return self._read(repository, reference, reply)[1]
        stated = stated_digest(reply)
        try:
            digest = check_digest(stated)
        except ReferenceFault as fault:
            raise Garbled(
                f"{self._about(repository)}: the registry answers with no digest: {fault}"
            ) from fault
        if _is_digest(reference) and digest != reference:
            about = self._about(repository)
            raise Garbled(f"{about}: the registry answers with another digest than was asked")
        return digest

    async def build(self, repository: Repository, digest: str, platform: Platform) -> Build:
        """The platform manifest behind a digest; costs one pull, and a second where the index
        names no platforms. Raises Refused where it has not this one, or there is no image.
        """
        document = await self._manifest(repository, check_digest(digest))
        with _named(self._about(repository)):
            build = manifests.build_of(document, digest, platform)
        if not manifests.tells_platform(document, build):
            await self._check_platform(repository, build, platform)
        return build

    def quota(self, repository: Repository) -> Quota | None:
        """What the registry last said is left; None where it named no limit."""
        return self._reader.quota(self._hosts.endpoint(repository.registry).base)

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
        document = await self._manifest(repository, check_digest(build))
        with _named(self._about(repository)):
            digest = manifests.config_of(document)
        body = await self._blob(repository, digest)
        with _named(self._about(repository)):
            image = build_facts.parse_config(body)
        self._images[repository, build] = image
        return image

    async def _manifest(self, repository: Repository, reference: str) -> manifests.Document:
        reply = await self._ask_manifest("GET", repository, reference)
        return self._read(repository, reference, reply)[0]

    async def _ask_manifest(self, method: str, repository: Repository, reference: str) -> Reply:
        site = self._site(repository)
        url = site.endpoint.manifest(repository, reference)
        ask = Ask(str(repository), method, url, manifests.LONGEST, {"Accept": manifests.ACCEPT})
        kind = "manifest" if _is_digest(reference) else "tag"
        reply = await self._reader.ask(site, ask, f"{kind} {shown(reference)}")
        with _named(self._about(repository)):
            manifests.check_type(reply.headers.get("Content-Type", ""))
        return reply

    def _read(
        self, repository: Repository, reference: str, reply: Reply
    ) -> tuple[manifests.Document, str]:
        """With its digest: that of the raw bytes, whatever a header says."""
        if not reply.body:
            raise Garbled(f"{self._about(repository)}: the registry answers with an empty manifest")
        expected = reference if _is_digest(reference) else stated_digest(reply)
        algorithm = expected.partition(":")[0] if expected else "sha256"
        if algorithm not in ("sha256", "sha512"):
            raise Garbled(f"{self._about(repository)}: the registry answers with no digest")
        digest = manifests.digest_of(reply.body, algorithm)
        with _named(self._about(repository)):
            # The digest of an obsolete manifest is not of all its bytes: that comes first.
            if expected not in ("", digest) and not manifests.is_obsolete(reply.body):
                raise Garbled(f"the manifest's bytes do not have the digest {shown(expected)}")
            return manifests.parse(reply.body), digest

    async def _check_platform(
        self, repository: Repository, build: Build, platform: Platform
    ) -> None:
        """Of a build that its index names without a platform: raises Refused where the image's own
        configuration names another [151]. Costs one pull.
        """
        document = await self._manifest(repository, build)
        with _named(self._about(repository)):
            digest = manifests.config_of(document)
        body = await self._blob(repository, digest)
        with _named(self._about(repository)):
            build_facts.check_platform(body, platform)

    async def _blob(self, repository: Repository, digest: str) -> bytes:
        """A small one: at most `build_facts.LONGEST` bytes. Registries send for blobs to another
        host, which gets no credentials of ours [74].
        """
        site = self._site(repository)
        url = site.endpoint.blob(repository, digest)
        ask = Ask(str(repository), "GET", url, build_facts.LONGEST)
        reply = await self._reader.ask(site, ask, f"blob {digest}")
        if manifests.digest_of(reply.body, digest.partition(":")[0]) != digest:
            raise Garbled(
                f"{self._about(repository)}: the blob's bytes do not have the digest {digest}"
            )
        return reply.body

    def _site(self, repository: Repository) -> Site:
        endpoint = self._hosts.endpoint(repository.registry)
        path, about = endpoint.path_of(repository), endpoint.about(repository)
        return Site(endpoint, path, about, self._gates.of(endpoint))

    def _about(self, repository: Repository) -> str:
        """The beginning of sentences about what it answers."""
        return self._hosts.endpoint(repository.registry).about(repository)


@contextmanager
def _named(about: str) -> Iterator[None]:
    """Says whose manifest it is."""
    try:
        yield
    except (Refused, Garbled) as error:
        raise type(error)(f"{about}: {error}") from error


@contextmanager
def _noted(unread: list[str], what: str) -> Iterator[None]:
    """Makes a sentence of what could not be had, and why."""
    try:
        yield
    except BootstrapError as error:
        unread.append(shown(f"{what}: {error}", _SENTENCE))


def _is_digest(reference: str) -> bool:
    return ":" in reference
