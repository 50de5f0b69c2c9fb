"""Sends a write and finds out what became of it, whatever the answer was."""

import orjson
from loguru import logger

from controller.base.errors import (
    Conflict,
    Garbled,
    LostReply,
    NotFound,
    Trouble,
    Unavailable,
)
from controller.base.http_errors import NotConnected
from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.write import Write, WriteReply
from controller.kube.api.call import JSON_PATCH, WRITE_TIMEOUT, Call
from controller.kube.api.client import KubeClient
from controller.kube.api.errors import TurnedAway
from controller.kube.api.resources import DEPLOYMENTS
from controller.kube.patches import patch_of, stands, undone
from controller.kube.watch.decoding import ObjectDecoder, Unreadable

_DECODER = ObjectDecoder(Deployment)


class DeploymentWriter:
    """Reads and writes single Deployments, past any cache."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, key: str) -> Deployment | None:
        """As it is now; None if there is none. Raises Garbled where it cannot be read."""
        namespace, _, name = key.partition("/")
        call = Call(
            DEPLOYMENTS.operation("get", namespace, name), "GET", DEPLOYMENTS.path(namespace, name)
        )
        try:
            return _decode(await self._client.fetch(call), key)
        except NotFound:
            return None

    async def write(self, write: Write) -> WriteReply:
        """See `engine.ports.Cluster.write`.

        Beside LostReply it raises what says that nothing was applied: NotConnected (nothing was
        sent), TurnedAway, Forbidden and Refused.
        """
        try:
            body = await self._client.fetch(_call(write))
            return WriteReply(applied=True, deployment=_decode(body, write.key))
        except (NotConnected, TurnedAway):
            raise
        except NotFound:
            return WriteReply(applied=False, deployment=None)
        except Conflict as exc:
            # 422 answers a failed test, and also a patch whose first reply was lost [47, 49].
            return await self._look(write, exc)
        except (Unavailable, Garbled) as exc:
            # A broken connection, a time limit, a 5xx, a proxy's page: it may stand all the same.
            logger.bind(deployment=write.key, why=str(exc)).warning("reply to a write was lost")
            reply = await self._look(write, exc)
        found = reply.deployment
        if reply.applied or found is None or undone(write, found):
            return reply
        if found.metadata.uid != write.uid:
            return reply  # another Deployment has the name: ours is gone, and the write with it
        raise LostReply(f"{write.key} shows neither the write nor what was before it")

    async def _look(self, write: Write, why: Trouble) -> WriteReply:
        try:
            found = await self.read(write.key)
        except Trouble as exc:
            # What to mend comes first: where it is told, it may be cut.
            raise LostReply(
                f"after a write it cannot be read again: {exc}; the write: {why}"
            ) from exc
        return WriteReply(applied=found is not None and stands(write, found), deployment=found)


def _call(write: Write) -> Call:
    namespace, _, name = write.key.partition("/")
    return Call(
        DEPLOYMENTS.operation("patch", namespace, name),
        "PATCH",
        DEPLOYMENTS.path(namespace, name),
        # Named always: Argo CD is told to leave to this manager what it wrote [54].
        query=(("fieldManager", names.FIELD_MANAGER),),
        body=orjson.dumps(patch_of(write)),
        content_type=JSON_PATCH,
        timeout=WRITE_TIMEOUT,
    )


def _decode(body: bytes, key: str) -> Deployment:
    found = _DECODER.object(body)
    if isinstance(found, Unreadable):
        raise Garbled(f"Deployment {key} cannot be read: {found.why}")
    return found
