"""One question to a registry: asked with leave, asked again where that may help, and its refusals
as what they mean.
"""

from dataclasses import replace

from yarl import URL

from controller.base.bounded_map import BoundedMap
from controller.base.errors import NotFound, Trouble
from controller.domain.build import Quota
from controller.registry.authorizer import Authorizer
from controller.registry.hosts import same_origin
from controller.registry.rate_limits import HOSTS_KEPT, quota_in
from controller.registry.said import quoted, said_in
from controller.registry.site import Leave, Site
from controller.registry.statuses import meaning_of
from controller.registry.transport import Ask, Reply, Transport

_DIGEST_HEADER = "Docker-Content-Digest"
_UNKNOWN = "MANIFEST_UNKNOWN"  # what our own sentence of a 404 says already


class Reader:
    """Holds what each registry last said of its limit."""

    def __init__(self, transport: Transport, authorizer: Authorizer) -> None:
        self._transport = transport
        self._authorizer = authorizer
        self._quotas = BoundedMap[URL, Quota](HOSTS_KEPT)

    def quota(self, base: URL) -> Quota | None:
        """What was last said to be left there; None where no limit was named."""
        return self._quotas.get(base)

    async def ask(self, site: Site, ask: Ask, thing: str) -> Reply:
        """The answer with status 200; every other one is raised as what it means. thing: what is
        asked for, in sentences.

        A HEAD that does not tell becomes one GET, whose answer decides: then that is returned.
        """
        leave = await self._authorizer.prepare(site)
        reply = await self._exchange(site, ask, leave)
        # Only the registry itself may ask for our credentials, not whom it redirects to.
        if same_origin(reply.url, ask.url):
            better = await self._authorizer.better(site, reply, leave)
            if better is not None:
                leave = better
                reply = await self._exchange(site, ask, leave)
        if ask.method == "HEAD" and _tells_nothing(reply, leave):
            ask = replace(ask, method="GET")
            reply = await self._exchange(site, ask, leave)
        if reply.status == 200:
            return reply
        raise self._refusal(site, ask, thing, reply, leave)

    def _refusal(self, site: Site, ask: Ask, thing: str, reply: Reply, leave: Leave) -> Trouble:
        said = _said(reply, leave)
        if reply.status == 404:
            words = "" if said.startswith(_UNKNOWN) else quoted(said)
            return NotFound(f"no {thing} in repository {site.about}{words}")
        if not same_origin(reply.url, ask.url):
            about = f"{ask.peer_at(reply.url)}, to which the registry leads,"
            return meaning_of(reply.status, about, said)
        if reply.status in (401, 403):
            return self._authorizer.denied(site, reply, leave, said)
        if reply.status == 400:
            self._authorizer.forget(site, leave)
        return meaning_of(reply.status, f"{site.about}: the registry", said)

    async def _exchange(self, site: Site, ask: Ask, leave: Leave) -> Reply:
        site.gate.check()
        # identity: a digest is of the bytes, and a bound should be of what is sent.
        headers = {**ask.headers, "Accept-Encoding": "identity", **leave.headers}
        reply = await self._transport.exchange(replace(ask, headers=headers))
        if busy := site.gate.read(reply.status, reply.headers, _said(reply, leave)):
            raise busy
        if quota := quota_in(reply.headers):
            self._quotas[site.endpoint.base] = quota
        return reply


def stated_digest(reply: Reply) -> str:
    """What the header says, not looked at yet; empty where it says nothing."""
    return reply.headers.get(_DIGEST_HEADER, "").strip()


def _tells_nothing(reply: Reply, leave: Leave) -> bool:
    """Whether a GET may tell what this answer to a HEAD does not: a digest, that it is there after
    all, or why it was refused. docker asks again after any error, containerd after 403 and 405
    [154]. Not: where the server itself is in trouble, where nothing but leave is missing, and where
    a login was refused, which is sent once only.
    """
    if reply.status == 200:
        return not stated_digest(reply)
    if reply.status == 403 and leave.is_login:
        return False
    return reply.status == 501 or (400 <= reply.status < 500 and reply.status not in (401, 408))


def _said(reply: Reply, leave: Leave) -> str:
    if reply.status < 400:
        return ""
    return said_in(reply.body, reply.headers.get("Content-Type", ""), leave.secrets())
