"""The kinds of objects that are read and written, and where the API server keeps them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from controller.domain.metadata import CommonMetadata, Struct
from controller.domain.objects import Deployment, Pod, Service

T = TypeVar("T")

MICROTIME = "%Y-%m-%dT%H:%M:%S.%fZ"  # how the API server writes and wants a MicroTime, in UTC

# With its zone, as the API server writes all: one without could not be compared with the others.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True)
class Operation:
    """What a request is for, in the words of a Role: so an error can say which right is missing."""

    verb: str
    resource: str  # with its group, `deployments.apps`
    namespace: str = ""  # empty for all of them
    name: str = ""  # empty for a collection

    def __str__(self) -> str:
        what = f"{self.resource} {self.name}" if self.name else self.resource
        where = f"namespace {self.namespace}" if self.namespace else "all namespaces"
        return f"{self.verb} {what} in {where}"


@dataclass(frozen=True)
class Resource(Generic[T]):
    """One kind of objects."""

    prefix: str  # path up to the namespace
    group: str  # as Roles name it; empty for core
    plural: str
    type: type[T]  # what an object is decoded into

    def path(self, namespace: str, name: str = "") -> str:
        """namespace: empty for all. name: empty for the collection."""
        within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return f"{self.prefix}{within}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")

    def operation(self, verb: str, namespace: str, name: str = "") -> Operation:
        full = f"{self.plural}.{self.group}" if self.group else self.plural
        return Operation(verb, full, namespace, name)


class ListMeta(Struct, frozen=True):
    """Of a page of a list."""

    resource_version: str = ""  # the moment that the whole list is of; where a watch begins
    continue_: str = msgspec.field(default="", name="continue")  # empty on the last page


class Page(Struct, frozen=True):
    """A part of a list, its objects not decoded: one that is odd must not hide the others."""

    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None  # None as an empty list


class Review(Struct, frozen=True):
    """The answer to a SelfSubjectAccessReview."""

    class Status(Struct, frozen=True):
        allowed: bool = False

    status: Status = Status()


class Node(Struct, frozen=True):
    """A machine of the cluster: its labels say of what type it is, and where."""

    metadata: CommonMetadata = CommonMetadata()


class VolumeClaim(Struct, frozen=True):
    """A PersistentVolumeClaim."""

    class Spec(Struct, frozen=True):
        storage_class_name: str | None = None  # None where the volume was made by hand

    spec: Spec = Spec()


class ObjectEvent(Struct, frozen=True):
    """An Event of the core group: both forms, the old with two times and a count, and the new with
    one time and a series. An event has the one, the other, or some of both.
    """

    class Series(Struct, frozen=True):
        count: int = 0
        last_observed_time: Moment | None = None

    class Source(Struct, frozen=True):
        component: str = ""

    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    first_timestamp: Moment | None = None
    last_timestamp: Moment | None = None
    event_time: Moment | None = None
    series: Series | None = None
    source: Source | None = None
    reporting_component: str = ""


# Leases are kept whole, as decoded: an update sends back what it does not know.
Lease = dict[str, Any]

DEPLOYMENTS = Resource("/apis/apps/v1", "apps", "deployments", Deployment)
PODS = Resource("/api/v1", "", "pods", Pod)
SERVICES = Resource("/api/v1", "", "services", Service)
LEASES = Resource("/apis/coordination.k8s.io/v1", "coordination.k8s.io", "leases", Lease)
EVENTS = Resource("/apis/events.k8s.io/v1", "events.k8s.io", "events", msgspec.Raw)
# Ours are written by the newer group; those of others are read by the older one, in which the
# kubelet writes them.
OBJECT_EVENTS = Resource("/api/v1", "", "events", ObjectEvent)
NODES = Resource("/api/v1", "", "nodes", Node)
VOLUME_CLAIMS = Resource("/api/v1", "", "persistentvolumeclaims", VolumeClaim)
REVIEWS = Resource(
    "/apis/authorization.k8s.io/v1", "authorization.k8s.io", "selfsubjectaccessreviews", Review
)
