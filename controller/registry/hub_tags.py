"""Docker Hub's list of tags: not the registry's protocol, and on a host of its own [79]."""

import msgspec

from controller.base.errors import Garbled, NotFound, Refused
from controller.base.undecodable import UNDECODABLE
from controller.domain.build import Build
from controller.domain.reference import ReferenceFault, Repository, check_tag
from controller.registry.hosts import Hosts
from controller.registry.rate_limits import Gates
from controller.registry.said import said_in
from controller.registry.statuses import meaning_of
from controller.registry.transport import Ask, Transport

_PAGE = 100  # tags: the most that it gives at once [79]
_LONGEST = 2 << 20  # bytes: a page is some hundred KB, and more where tags have many platforms
_MOST = 20  # names that are taken: a build has two or three


class HubTags:
    """Names of a build, for people: nothing that runs is chosen by them, for they are cached there.

    Nobody is ever logged in here: a challenge is not answered, and no credential is looked up.
    """

    def __init__(self, transport: Transport, hosts: Hosts, gates: Gates) -> None:
        self._transport = transport
        self._hosts = hosts
        self._gates = gates

    async def names(self, repository: Repository, build: Build) -> tuple[str, ...]:
        """Tags that point to the build, among those of the first page; at most 20. One request,
        none where the repository's registry is not Docker Hub. Raises Trouble.
        """
        hub = self._hosts.hub_api(repository.registry)
        namespace, _, name = repository.path.partition("/")
        if hub is None or not name or "/" in name:
            return ()
        # The abuse limit counts requests to both hosts [78]; that each one might prolong it is our
        # own caution.
        self._gates.of(self._hosts.endpoint(repository.registry)).check()
        gate = self._gates.of(hub)
        gate.check()
        url = hub.below(f"v2/namespaces/{namespace}/repositories/{name}/tags")
        ask = Ask(
            str(repository),
            "GET",
            url.with_query(page_size=_PAGE),
            _LONGEST,
            # identity: a bound should be of what is sent.
            {"Accept": "application/json", "Accept-Encoding": "identity"},
        )
        reply = await self._transport.exchange(ask)
        said = ""
        if reply.status >= 400:
            said = said_in(reply.body, reply.headers.get("Content-Type", ""))
        if busy := gate.read(reply.status, reply.headers, said):
            raise busy
        about = f"{repository}: Docker Hub's list of tags"
        if reply.status == 404:
            raise NotFound(f"{about} has no such repository that is open to all")
        if reply.status in (401, 403):
            raise Refused(f"{about} is not open to all")
        if reply.status != 200:
            raise meaning_of(reply.status, about, said)
        try:
            return names_of(reply.body, build)
        except Garbled as error:
            raise Garbled(f"{about} {error}") from error


class _Image(msgspec.Struct):
    digest: str | None = None  # of one platform's manifest


class _Tag(msgspec.Struct):
    name: str
    digest: str | None = None  # of the index; not documented, and absent for old tags [79]
    images: list[_Image] | None = None  # one for each platform


class _Page(msgspec.Struct):
    results: list[_Tag]


def names_of(body: bytes, build: Build) -> tuple[str, ...]:
    """Tags on a page of the list that point to the build; at most 20, in the page's order. Raises
    Garbled for what is no such page.
    """
    try:
        page = msgspec.json.decode(body, type=_Page)
    except UNDECODABLE as error:
        raise Garbled("is not in the form that is documented") from error
    found = dict.fromkeys(tag.name for tag in page.results if _points(tag, build))
    return tuple(name for name in found if _is_tag(name))[:_MOST]


def _points(tag: _Tag, build: Build) -> bool:
    return tag.digest == build or any(image.digest == build for image in tag.images or ())


def _is_tag(name: str) -> bool:
    try:
        check_tag(name)
    except ReferenceFault:
        return False
    return True
