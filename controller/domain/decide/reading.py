"""One version of a Deployment, each thing in it read once however often it is looked at; pure."""

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import is_not
from typing import TypeVar

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import (
    RunRequest,
    configuration_hash,
    node_container_name,
    read_request,
)
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.pods.obstacles import refused_pods
from controller.domain.pods.run_pods import PodsView, view_pods
from controller.domain.record.belief import believed
from controller.domain.record.record import Record, record_of

T = TypeVar("T")


class Reading:
    """What it says, as far as somebody has asked."""

    def __init__(
        self, deployment: Deployment, rules: Rules, before: "Reading | None" = None
    ) -> None:
        """before: of an earlier version: what has not changed since is not read again. Most events
        of a Deployment are of its status: such an event takes 0.2 ms less (python -m tests.bench
        --only growth).
        """
        self.deployment = deployment
        self.rules = rules
        self._port: tuple[Service | None, int | TargetFault] | None = None
        self._view: PodsView | None = None
        if before is not None:
            self._take_over(before)

    def _take_over(self, before: "Reading") -> None:
        """What was read of parts that are the same here."""
        was, now = before.deployment, self.deployment
        if (was.metadata.key, was.metadata.annotation(names.RECORD)) != (
            now.metadata.key,
            now.metadata.annotation(names.RECORD),
        ):
            return
        known, own = vars(before), vars(self)
        own.update({name: known[name] for name in ("record",) if name in known})
        if was.spec == now.spec and was.metadata.annotations == now.metadata.annotations:
            parsed = ("request", "targets", "configuration")
            own.update({name: known[name] for name in parsed if name in known})
            self._port = before._port

    @cached_property
    def record(self) -> Record | TargetFault | None:
        """The record on it, or the fault that it has."""
        return record_of(self.deployment)

    @cached_property
    def believed(self) -> Record | None:
        """What others believe of it."""
        record = self.record
        return believed(record, self.deployment) if isinstance(record, Record) else None

    @cached_property
    def request(self) -> RunRequest | TargetFault:
        """What its manifest asks for, or the fault that it has."""
        run = self.record.run if isinstance(self.record, Record) else None
        pinned = run.image if run else ""
        return _or_fault(lambda: read_request(self.deployment, self.rules, pinned))

    @cached_property
    def configuration(self) -> str:
        """Hash of the node's."""
        return configuration_hash(self.deployment)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Slugs: of its open run, and of what its manifest asks for."""
        run = self.record.run if isinstance(self.record, Record) else None
        found = [run.target] if run else []
        if not isinstance(self.request, TargetFault):
            found.append(str(self.request.target))
        return tuple(dict.fromkeys(found))

    def view(self, pods: Sequence[Pod]) -> PodsView | None:
        """What these pods show of its open run, looked at once while they stand; None where none is
        open. A look at an open run takes 50 us less (python -m tests.bench --only reconcile).
        """
        run = self.record.run if isinstance(self.record, Record) else None
        if run is None:
            return None
        known = self._view
        if known is None or len(known.pods) != len(pods) or any(map(is_not, known.pods, pods)):
            container, refusal = node_container_name(self.deployment), refused_pods(self.deployment)
            found = view_pods(pods, run, container, refusal)
            known = self._view = PodsView(tuple(pods), run, found)
        return known

    def port(self, service: Service | None) -> int | TargetFault:
        """The node's behind its Service, or the fault that this has."""
        if self._port is None or self._port[0] is not service:
            self._port = service, _or_fault(lambda: node_port(self.deployment, service))
        return self._port[1]


def _or_fault(read: Callable[[], T]) -> T | TargetFault:
    try:
        return read()
    except TargetFault as fault:
        return fault
