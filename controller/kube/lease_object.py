"""One Lease as the API server keeps it: read, made and changed. Not here: whose it should be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from controller.base.errors import Garbled, NotFound
from controller.base.text import shown
from controller.domain.names import FIELD_MANAGER
from controller.kube.api.call import READ_TIMEOUT, Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import LEASES, Lease


@dataclass(frozen=True)
class LeaseStanding:
    """What a Lease says, for people: its times are by its holder's clock."""

    holder: str  # fit to be shown; empty for nobody
    renewed: datetime | None  # aware; None where it does not say
    duration: int  # seconds after which it may be another's; 0 where it does not say


class LeaseObject:
    """Each method raises what `KubeClient.fetch` raises.

    timeout: seconds for one request.
    """

    def __init__(self, client: KubeClient, namespace: str, name: str, timeout: float) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._timeout = timeout

    async def read(self) -> Lease | None:
        """None if there is none. Raises Garbled too, where it is no Lease."""
        try:
            body = await self._client.fetch(self._call("get", "GET", self._name))
        except NotFound:
            return None
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise Garbled("a Lease that is not JSON") from exc
        if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
            raise Garbled("a Lease that is no object")
        return found

    async def create(self, spec: dict[str, Any]) -> None:
        """Raises Conflict where there is one by now."""
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
        await self._client.fetch(self._call("create", "POST", "", lease))

    async def update(self, lease: Lease, changes: dict[str, Any]) -> None:
        """The whole object with its resourceVersion, so that only one of two can succeed [50]: the
        other gets Conflict. changes: of its spec.
        """
        updated = {**lease, "spec": {**spec_of(lease), **changes}}
        await self._client.fetch(self._call("update", "PUT", self._name, updated))

    def _call(self, verb: str, method: str, name: str, body: Lease | None = None) -> Call:
        return Call(
            LEASES.operation(verb, self._namespace, self._name),
            method,
            LEASES.path(self._namespace, name),
            body=None if body is None else orjson.dumps(body),
            timeout=self._timeout,
        )


async def read_holder(client: KubeClient, namespace: str, name: str = FIELD_MANAGER) -> str:
    """Whose Lease it is by its record, whether or not it has run out; empty for nobody's. Raises
    what `LeaseObject.read` raises.
    """
    return (await read_standing(client, namespace, name)).holder


async def read_standing(client: KubeClient, namespace: str, name: str) -> LeaseStanding:
    """A Lease that is not there is nobody's. Raises what `LeaseObject.read` raises."""
    lease = await LeaseObject(client, namespace, name, READ_TIMEOUT).read()
    spec = spec_of(lease) if lease else {}
    return LeaseStanding(
        holder_in(spec), _time_in(spec, "renewTime"), number_in(spec, "leaseDurationSeconds")
    )


def spec_of(lease: Lease) -> dict[str, Any]:
    spec = lease.get("spec")
    return spec if isinstance(spec, dict) else {}


def version_of(lease: Lease) -> str:
    return str(lease["metadata"].get("resourceVersion", ""))


def holder_in(spec: dict[str, Any]) -> str:
    """Fit to be shown; empty for nobody."""
    return shown(spec.get("holderIdentity") or "")


def _time_in(spec: dict[str, Any], field: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(spec.get(field)))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def number_in(spec: dict[str, Any], field: str) -> int:
    """0 for what is no whole number."""
    value = spec.get(field)
    return value if isinstance(value, int) else 0
