"""One version of a Deployment, each thing in it read once however often it is looked at; pure."""

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from controller.base.errors import TargetFault
from controller.domain.defaults import Rules
from controller.domain.manifest.field_owners import image_manager
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import RunRequest, node_container_name, read_request
from controller.domain.objects import Deployment, Service
from controller.domain.record.belief import sibling_record
from controller.domain.record.record import Record, record_of

T = TypeVar("T")


class Reading:
    """What it says, as far as somebody has asked."""

    def __init__(self, deployment: Deployment, rules: Rules) -> None:
        self.deployment = deployment
        self.rules = rules
        self._port: tuple[Service | None, int | TargetFault] | None = None

    @cached_property
    def record(self) -> Record | TargetFault | None:
        """The record on it, or the fault that it has."""
        return record_of(self.deployment)

    @cached_property
    def believed(self) -> Record | None:
        """What others believe of it."""
        return sibling_record(self.deployment)

    @cached_property
    def request(self) -> RunRequest | TargetFault:
        """What its manifest asks for, or the fault that it has."""
        run = self.record.run if isinstance(self.record, Record) else None
        pinned = run.image if run else ""
        return _or_fault(lambda: read_request(self.deployment, self.rules, pinned))

    @cached_property
    def manager(self) -> str:
        """Who last wrote the image; empty: nobody knows."""
        return image_manager(self.deployment, node_container_name(self.deployment)) or ""

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Slugs: of its open run, and of what its manifest asks for."""
        run = self.record.run if isinstance(self.record, Record) else None
        found = [run.target] if run else []
        if not isinstance(self.request, TargetFault):
            found.append(str(self.request.target))
        return tuple(dict.fromkeys(found))

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
