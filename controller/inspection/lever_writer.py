"""Writes a lever's annotation: one guarded patch a Deployment, read again where it was refused.

Nothing is acted on here: that is the controller's, which sees the annotation.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.errors import Busy, Conflict, Garbled, NotFound, Trouble, Unavailable
from controller.base.http_errors import NotConnected
from controller.base.text import shown
from controller.domain.objects import Deployment
from controller.inspection.deployments import inspected
from controller.inspection.lever_annotations import Asker, Lever, Result, Wish
from controller.inspection.unlabelled import why_not_found
from controller.kube.api.call import JSON_PATCH, WRITE_TIMEOUT, Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import DEPLOYMENTS
from controller.kube.watch.listing import Listing, list_all
from controller.kube.watch.selection import Selection
from controller.kube.writer import DeploymentWriter
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings

# Not the controller's own: managedFields are to tell what a person wrote from what it wrote.
FIELD_MANAGER = "bootstrap-controller-cli"
ATTEMPTS = 6  # the controller writes a Deployment a few times in a row, and then rests
# A person is waiting: six attempts take some seconds at most.
PATIENCE = BackoffPolicy(first=0.1, cap=2.0, jitter=1.0)


@dataclass(frozen=True)
class Pulled:
    """What became of one Deployment."""

    deployment: str  # its key
    wish: Wish  # as it was last made; where it failed, `said` is why


@dataclass(frozen=True)
class Chosen:
    """Names that were asked for, looked up."""

    found: dict[str, Deployment]  # by key, each once
    missing: list[str]  # names that no labelled Deployment has
    ambiguous: dict[str, list[str]]  # name to the keys that it may mean


class LeverHand:
    """Use inside `open_hand`."""

    def __init__(self, wiring: Wiring, client: KubeClient) -> None:
        self._wiring = wiring
        self._client = client
        self._writer = DeploymentWriter(client)
        self._listings: dict[str, Listing[Deployment]] = {}

    async def choose(self, wanted: Sequence[str]) -> Chosen:
        """What `[NAMESPACE/]NAME`s mean: a namespace of its own goes before those that are watched.
        Raises Trouble.
        """
        chosen = Chosen({}, [], {})
        for name in dict.fromkeys(wanted):
            namespace, slash, _ = name.partition("/")
            there = await self._labelled((namespace,) if slash else self._watched())
            keys = [key for key in there if name in (key, key.partition("/")[2])]
            if not keys:
                chosen.missing.append(name)
            elif len(keys) > 1:
                chosen.ambiguous[name] = keys
            else:
                chosen.found[keys[0]] = there[keys[0]]
        return chosen

    async def why_missing(self, name: str) -> str:
        """A sentence on a name that no labelled Deployment has."""
        here = {x.metadata.key for each in self._listings.values() for x in each.objects}
        return await why_not_found(self._wiring, self._client, name, sorted(here))

    async def all(self) -> dict[str, Deployment]:
        """Every labelled Deployment of the watched namespaces, by key. Raises Trouble."""
        return await self._labelled(self._watched())

    async def pull(
        self, lever: Lever, chosen: dict[str, Deployment], who: str
    ) -> AsyncIterator[Pulled]:
        """One after the other; the trouble of one keeps nobody from the next."""
        around = self._wiring.around
        asker = Asker(who, around.clock.now(), around.rules)
        for key, deployment in chosen.items():
            try:
                yield Pulled(key, await self._pull(lever, deployment, asker))
            except Trouble as trouble:
                wish = lever(inspected(deployment), asker)
                yield Pulled(key, Wish(Result.FAILED, str(trouble), wish.annotation, wish.value))

    async def _pull(self, lever: Lever, deployment: Deployment, asker: Asker) -> Wish:
        backoff = Backoff(PATIENCE, self._wiring.around.clock, self._wiring.around.random)
        sent: Wish | None = None
        while True:
            if sent is not None and _stands(sent, deployment):
                return sent  # its reply was lost, or a late one landed
            wish = lever(inspected(deployment), asker)
            if wish.result is not Result.WRITTEN:
                return wish
            try:
                await self._client.fetch(_call(deployment, wish))
            except NotConnected:
                raise  # nothing was sent
            except (Conflict, Unavailable) as refused:
                if not isinstance(refused, Conflict):
                    sent = wish  # it may have been applied, or be so yet
                if backoff.failures + 1 >= ATTEMPTS:
                    raise
                asked_for = refused.retry_after if isinstance(refused, Busy) else None
                delay = backoff.next_delay(min(asked_for or 0.0, PATIENCE.cap))
                await self._wiring.around.clock.sleep(delay)
                deployment = await self._again(deployment)
            else:
                return wish

    async def _again(self, deployment: Deployment) -> Deployment:
        found = await self._writer.read(deployment.metadata.key)
        if found is None:
            raise NotFound("it is gone")
        return found

    def _watched(self) -> tuple[str, ...]:
        return self._wiring.watched(self._client)

    async def _labelled(self, namespaces: Sequence[str]) -> dict[str, Deployment]:
        found = {}
        for namespace in namespaces:
            listing = await self._listing(namespace)
            found.update({each.metadata.key: each for each in listing.objects})
        return dict(sorted(found.items()))

    async def _listing(self, namespace: str) -> Listing[Deployment]:
        if namespace not in self._listings:
            selector = self._wiring.settings.cluster.selector
            listing = await list_all(self._client, DEPLOYMENTS, Selection(namespace, selector))
            for bad in listing.unreadable:
                raise Garbled(f"Deployment {shown(bad.key)} cannot be read: {bad.why}")
            self._listings[namespace] = listing
        return self._listings[namespace]


async def open_hand(settings: Settings, around: Surroundings, stack: AsyncExitStack) -> LeverHand:
    """What it opens is closed with the stack. Raises SettingsFault."""
    wiring = Wiring(settings, around, stack)
    return LeverHand(wiring, await wiring.client())


def _stands(wish: Wish, found: Deployment) -> bool:
    return found.metadata.annotation(wish.annotation) == wish.value


def _call(deployment: Deployment, wish: Wish) -> Call:
    meta = deployment.metadata
    return Call(
        DEPLOYMENTS.operation("patch", meta.namespace, meta.name),
        "PATCH",
        DEPLOYMENTS.path(meta.namespace, meta.name),
        query=(("fieldManager", FIELD_MANAGER),),
        body=orjson.dumps(operations(deployment, wish)),
        content_type=JSON_PATCH,
        timeout=WRITE_TIMEOUT,
    )


def operations(deployment: Deployment, wish: Wish) -> list[dict[str, Any]]:
    """The patch: tests of uid and of the annotation as it was read, then the change."""
    meta, where = deployment.metadata, "/metadata/annotations"
    tests: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/uid", "value": meta.uid}]
    if meta.annotations is None:
        # A missing map is tested and added whole: nothing can be added under it [46].
        tests.append({"op": "test", "path": where, "value": None})
        return [*tests, {"op": "add", "path": where, "value": {wish.annotation: wish.value}}]
    path = f"{where}/{wish.annotation.replace('~', '~0').replace('/', '~1')}"
    before = meta.annotation(wish.annotation)
    tests.append({"op": "test", "path": path, "value": before})  # null stands for absence [46]
    if wish.value is None:
        return [*tests, {"op": "remove", "path": path}]
    return [*tests, {"op": "add", "path": path, "value": wish.value}]
