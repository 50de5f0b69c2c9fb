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
    WriteRefused,
)
from controller.base.http_errors import NotConnected
from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.write import Write, WriteReply
from controller.kube.api.call import JSON_PATCH, WRITE_TIMEOUT, Call
from controller.kube.api.client import KubeClient
from controller.kube.api.errors import Denied, Rejected, TurnedAway
from controller.kube.api.resources import DEPLOYMENTS
from controller.kube.patches import changed_words, in_place, patch_of, stands, undone
from controller.kube.watch.decoding import ObjectDecoder, Unreadable

_DECODER = ObjectDecoder(Deployment)
# What is said for a webhook that has side effects: nobody has refused the write itself [181].
_NO_DRY_RUN = "does not support dry run"


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
        sent), TurnedAway, Forbidden, Refused, WriteRefused; and Conflict where other writes to the
        object, of whatever part, came again and again before ours.
        """
        try:
            body = await self._client.fetch(_call(write))
            return _taken(write, _decode(body, write.key))
        except (NotConnected, TurnedAway):
            raise
        except NotFound:
            return WriteReply(applied=False, deployment=None)
        except Denied as exc:
            raise WriteRefused(str(exc)) from exc
        except Conflict as exc:
            # 422 answers a failed test, and also a patch whose first reply was lost [47, 49]; and
            # what validation or a policy does not allow [180].
            reply = await self._look(write, exc)
            if not reply.applied and reply.deployment and in_place(write, reply.deployment):
                raise _no_race(exc) from exc
            return reply
        except (Unavailable, Garbled) as exc:
            # A broken connection, a time limit, a 5xx, a proxy's page: it may stand all the same.
            return await self._unanswered(write, exc)

    async def _unanswered(self, write: Write, why: Trouble) -> WriteReply:
        """Finds out what became of a write that no answer tells of."""
        reply = await self._look(write, why)
        found = reply.deployment
        if reply.applied:
            logger.bind(deployment=write.key, why=str(why)).info("write stands, its reply was lost")
        if reply.applied or found is None:
            return reply
        if found.metadata.uid != write.uid:
            return reply  # another Deployment has the name: ours is gone, and the write with it
        if undone(write, found):
            raise WriteRefused(str(why), passing=True) from why
        raise LostReply(f"{write.key} shows neither the write nor what was before it: {why}")

    async def try_out(self, write: Write) -> None:
        """See `engine.ports.Cluster.try_out`."""
        try:
            body = await self._client.fetch(_call(write, dry=True))
            _taken(write, _decode(body, write.key))
        except (NotConnected, TurnedAway, WriteRefused):
            raise
        except NotFound:
            return
        except Denied as exc:
            if _NO_DRY_RUN not in str(exc):
                raise WriteRefused(str(exc)) from exc
        except Conflict as exc:
            found = await self.read(write.key)
            if found is not None and in_place(write, found):
                raise _no_race(exc) from exc
        except (Unavailable, Garbled) as exc:
            raise WriteRefused(str(exc), passing=True) from exc

    async def _look(self, write: Write, why: Trouble) -> WriteReply:
        try:
            found = await self.read(write.key)
        except Trouble as exc:
            # What to mend comes first: where it is told, it may be cut.
            raise LostReply(
                f"after a write it cannot be read again: {exc}; the write: {why}"
            ) from exc
        return WriteReply(applied=found is not None and stands(write, found), deployment=found)


def _taken(write: Write, found: Deployment) -> WriteReply:
    """What a 2xx is worth. Raises WriteRefused where the record is not as it was written."""
    if found.metadata.uid == write.uid and found.metadata.annotation(names.RECORD) != write.record:
        raise WriteRefused(
            f"the API server took a write to {write.key}, and the annotation {names.RECORD} is not"
            " as it was written: a mutating webhook or policy of the cluster changes it; have it"
            f" leave the annotations {names.PREFIX}* alone"
        )
    return WriteReply(applied=True, deployment=found, changed=changed_words(write, found))


def _no_race(exc: Conflict) -> Trouble:
    """Nothing stands between what was expected and what is there."""
    return WriteRefused(str(exc)) if isinstance(exc, Rejected) else Conflict(str(exc))


def _call(write: Write, *, dry: bool = False) -> Call:
    namespace, _, name = write.key.partition("/")
    return Call(
        DEPLOYMENTS.operation("patch", namespace, name),
        "PATCH",
        DEPLOYMENTS.path(namespace, name),
        # Named always: Argo CD is told to leave to this manager what it wrote [54].
        query=(("fieldManager", names.FIELD_MANAGER), *((("dryRun", "All"),) if dry else ())),
        body=orjson.dumps(patch_of(write)),
        content_type=JSON_PATCH,
        timeout=WRITE_TIMEOUT,
    )


def _decode(body: bytes, key: str) -> Deployment:
    found = _DECODER.object(body)
    if isinstance(found, Unreadable):
        raise Garbled(f"Deployment {key} cannot be read: {found.why}")
    return found
