"""Reads about a pod what no run needs to pass: its log, the Events about it, and where it runs.
Nothing here is watched, and every right for it is optional.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from controller.base.bounded_map import BoundedMap
from controller.base.errors import BootstrapError, Forbidden, Garbled
from controller.base.http_limits import TooLong
from controller.base.text import shown
from controller.domain.evidence import MISSING_RIGHT, Place, PodEvent, Read
from controller.domain.objects import Pod
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import (
    NODES,
    OBJECT_EVENTS,
    PODS,
    VOLUME_CLAIMS,
    Operation,
    Resource,
)
from controller.kube.pod_facts_decoding import Machine, claim_of, end_of, machine_of, read_events
from controller.kube.rights import LIST_EVENTS, READ_CLAIMS, READ_LOGS, READ_NODES, Right
from controller.kube.watch.decoding import ObjectDecoder, Unreadable

T = TypeVar("T")

TIMEOUT = 10.0  # seconds: a run does not wait long for what it can do without
LOG_LIMIT = 2 * 1024 * 1024  # bytes: 500 lines of 4 KiB
# Halved three times, 500 lines are 62. A runtime cuts lines at 16 KiB, and so these fit.
LOG_ATTEMPTS = 4
# One page, of more than are kept: it comes in the order of names, and so the newest stand last.
EVENTS_PAGE = 500
EVENTS_LIMIT = 4 * 1024 * 1024  # bytes; an Event's message has at most a kilobyte
OBJECT_LIMIT = 2 * 1024 * 1024  # bytes; etcd bounds one object at 1.5 MiB
MACHINES_KEPT = 500


class KubeWitness:
    """See `engine.ports.Witness`. Asks the API server each time; only what is known of a machine is
    kept, because it never becomes one of another type.

    timeout: seconds for one request, of which a log takes up to LOG_ATTEMPTS, and a place two.
    """

    def __init__(self, client: KubeClient, timeout: float = TIMEOUT) -> None:
        self._client = client
        self._timeout = timeout
        self._machines = BoundedMap[str, Machine](MACHINES_KEPT)

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500
    ) -> Read:
        """The last `lines` lines (1 or more), or fewer where these are more than LOG_LIMIT bytes.
        Bytes that are no UTF-8 are replaced, nothing else is changed: not yet fit to be shown.
        previous: of the container before this one.
        """
        wanted, why = max(1, lines), ""
        for attempt in range(LOG_ATTEMPTS):
            try:
                # One line more, which tells whether there are more.
                raw = await self._tail(pod, container, wanted + 1, previous=previous)
            except TooLong as exc:
                # Not asked with limitBytes: the server then leaves
                # out the end of these lines, and the end is what it is about.
                why, wanted = str(exc), max(1, wanted // 2)
            except BootstrapError as exc:
                return Read(unread=_sentence(exc, READ_LOGS, pod.metadata.namespace))
            else:
                return end_of(raw, wanted, known_cut=attempt > 0)
        return Read(unread=why)

    async def events(self, pod: Pod) -> tuple[Sequence[PodEvent], str]:
        """The newest EVENTS_KEPT, oldest first, and a sentence if some or all could not be read.
        Clusters forget Events after an hour by default, so none is no proof of anything.
        """
        namespace = pod.metadata.namespace
        if not pod.metadata.uid:  # it would ask for the Events about everything that has none
            return (), "the pod has no uid"
        query = (
            ("fieldSelector", f"involvedObject.uid={pod.metadata.uid}"),
            ("limit", str(EVENTS_PAGE)),
        )
        call = Call(
            OBJECT_EVENTS.operation("list", namespace),
            "GET",
            OBJECT_EVENTS.path(namespace),
            query,
            timeout=self._timeout,
            limit=EVENTS_LIMIT,
        )
        try:
            return read_events(await self._client.fetch(call))
        except BootstrapError as exc:
            return (), _sentence(exc, LIST_EVENTS, namespace)

    async def place(self, pod: Pod) -> Place:
        """The machine that the pod was given, and the storage class of its data's claim. Each may
        be unread and the other not.
        """
        found = Place(node=shown(pod.spec.node_name))
        unread: list[str] = []
        try:
            machine = await self._machine(pod.spec.node_name)
            found = replace(found, instance_type=machine.instance_type, zone=machine.zone)
        except BootstrapError as exc:
            unread.append(_sentence(exc, READ_NODES, ""))
        namespace, claim = pod.metadata.namespace, claim_of(pod)
        try:
            if claim:
                held = await self._one(VOLUME_CLAIMS, namespace, claim)
                found = replace(found, storage_class=shown(held.spec.storage_class_name or ""))
        except BootstrapError as exc:
            unread.append(_sentence(exc, READ_CLAIMS, namespace))
        return replace(found, unread=tuple(unread))

    async def _tail(self, pod: Pod, container: str, lines: int, *, previous: bool) -> bytes:
        namespace, name = pod.metadata.namespace, pod.metadata.name
        query = [("container", container), ("tailLines", str(lines))]
        if previous:
            query.append(("previous", "true"))
        call = Call(
            Operation("get", "pods/log", namespace, name),
            "GET",
            f"{PODS.path(namespace, name)}/log",
            tuple(query),
            timeout=self._timeout,
            limit=LOG_LIMIT,
        )
        return await self._client.fetch(call)

    async def _machine(self, name: str) -> Machine:
        """Raises what `_one` raises. What could not be read is asked for again the next time."""
        if not name:
            return Machine("", "")
        known = self._machines.pop(name, None)
        if known is None:
            known = machine_of(await self._one(NODES, "", name))
        self._machines[name] = known  # the last in order is the last that was asked for
        return known

    async def _one(self, kind: Resource[T], namespace: str, name: str) -> T:
        """Raises what `KubeClient.fetch` raises, and Garbled for what cannot be read."""
        operation = kind.operation("get", namespace, shown(name))
        path = kind.path(namespace, name)
        body = await self._client.fetch(
            Call(operation, "GET", path, timeout=self._timeout, limit=OBJECT_LIMIT)
        )
        found = ObjectDecoder(kind.type).object(body)
        if isinstance(found, Unreadable):
            raise Garbled(f"the answer to {operation} cannot be read: {found.why}")
        return found


def _sentence(exc: BootstrapError, right: Right, namespace: str) -> str:
    """Why it could not be read. A missing right is named as at the start (`rights`)."""
    if isinstance(exc, Forbidden):
        return f"{MISSING_RIGHT} {right.operation(namespace)}"
    return str(exc)
