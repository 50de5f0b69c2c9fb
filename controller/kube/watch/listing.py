"""A whole list, page by page: complete and of one moment, or an error; never a part [8]."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from controller.base.errors import Garbled, Unavailable
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.errors import Expired
from controller.kube.api.resources import Page, Resource
from controller.kube.watch.decoding import ObjectDecoder, Unreadable
from controller.kube.watch.selection import Selection

T = TypeVar("T")

PAGE = 500  # client-go's page [6]
# Pages follow each other in seconds and a position lives for minutes: a list that expires again
# and again is not going to succeed now.
ATTEMPTS = 3
MOST_PAGES = 2000  # a million objects: a `continue` that never ends is a fault of the server


@dataclass(frozen=True)
class Listing(Generic[T]):
    """Everything that matched at one moment."""

    objects: list[T]
    resource_version: str  # of that moment; where a watch begins
    # objects that are there but could not be read: what is known of them stays as it was
    unreadable: list[Unreadable] = field(default_factory=list)


_PAGE = msgspec.json.Decoder(Page)


async def list_all(client: KubeClient, resource: Resource[T], selection: Selection) -> Listing[T]:
    """No resourceVersion is sent: the list is of now, never older than what was seen [2].

    A 410 in the middle begins the list again; the inconsistent token that comes with it is not
    used [7]. Raises what `KubeClient.fetch` raises.
    """
    for _ in range(ATTEMPTS):
        try:
            return await _list_once(client, resource, selection)
        except Expired:
            continue
    operation = resource.operation("list", selection.namespace, selection.name)
    raise Unavailable(f"the API server's pages expired {ATTEMPTS} times, to {operation}")


async def _list_once(client: KubeClient, resource: Resource[T], selection: Selection) -> Listing[T]:
    operation = resource.operation("list", selection.namespace, selection.name)
    decoder = ObjectDecoder(resource.type)
    objects: list[T] = []
    unreadable: list[Unreadable] = []
    token = ""
    for _ in range(MOST_PAGES):
        query = [*selection.query(), ("limit", str(PAGE))]
        if token:
            query.append(("continue", token))  # and no resourceVersion beside it [6]
        path = resource.path(selection.namespace)
        body = await client.fetch(Call(operation, "GET", path, tuple(query)))
        page = _decode(body)
        for raw in page.items or ():
            found = decoder.object(raw)
            if isinstance(found, Unreadable):
                unreadable.append(found)
            else:
                objects.append(found)
        token = page.metadata.continue_
        if not token:
            if not page.metadata.resource_version:
                raise Garbled(f"a list without a resourceVersion, to {operation}")
            return Listing(objects, page.metadata.resource_version, unreadable)
    raise Garbled(f"a list of more than {MOST_PAGES} pages, to {operation}")


def _decode(body: bytes) -> Page:
    try:
        return _PAGE.decode(body)
    except UNDECODABLE as exc:
        raise Garbled(f"a list that is not JSON of a list: {shown(exc)}") from exc
