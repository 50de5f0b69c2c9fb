"""Kubernetes Events of the simulated controllers, scheduler and kubelet, as their recorders write
them.

Left out: that more than ten similar ones are combined, and that a flood is dropped.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

from loguru import logger

from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.workloads.cluster import Cluster

# An API server forgets an Event an hour after it was last written (--event-ttl).
LIFE = timedelta(hours=1)

_Key = tuple[str, ...]


class EventRecorder:
    """What one component says. The same said again about the same object raises the count of the
    Event that is there.

    component: `kubelet`, `default-scheduler`. manager: field manager of its writes. host: the
    machine it runs on, if it says so. series: it writes by events.k8s.io, as the scheduler does:
    with a time of its own, and repeats in `series` instead of `count`.
    """

    def __init__(
        self,
        cluster: Cluster,
        component: str,
        manager: str,
        *,
        host: str = "",
        series: bool = False,
    ) -> None:
        self._cluster = cluster
        self._component = component
        self._write = Write(manager)
        self._host = host
        self._series = series
        self._said: OrderedDict[_Key, tuple[Object, datetime]] = OrderedDict()

    def say(
        self,
        about: Object,
        kind: str,
        reason: str,
        message: str,
        *,
        field_path: str = "",
        action: str = "",
    ) -> None:
        """kind: `Normal` or `Warning`. field_path: `spec.containers{node}`, of what is about one
        container. action: what was being done, for `series` alone. One that the API server refuses
        is dropped, as the real recorders do it.
        """
        now = self._cluster.storage.timestamp()
        at = datetime.fromisoformat(now)
        self._forget(at - LIFE)
        key = (about["metadata"]["uid"], field_path, kind, reason, message)
        try:
            event = self._again(key, now) or self._new(
                about, now, field_path, {"type": kind, "reason": reason, "message": message}, action
            )
        except StatusError as error:
            logger.bind(reason=reason, error=str(error)).debug("a simulated Event was refused")
            return
        self._said[key] = (event, at)
        self._said.move_to_end(key)

    def _again(self, key: _Key, now: str) -> Object | None:
        """The Event that says so already, counted up; None where there is none."""
        if key not in self._said:
            return None
        event, _ = self._said[key]

        def change(obj: Object) -> None:
            if self._series:
                count = (obj.get("series") or {}).get("count", 1) + 1
                obj["series"] = {"count": count, "lastObservedTime": _micro(now)}
            else:
                obj |= {"count": obj["count"] + 1, "lastTimestamp": now}

        manager = self._write.manager
        return event if self._cluster.change("events", event, change, manager=manager) else None

    def _new(
        self, about: Object, now: str, field_path: str, words: dict[str, str], action: str
    ) -> Object:
        metadata = about["metadata"]
        # The real name has the time to the nanosecond; ours only has to be unlike all others.
        version = self._cluster.storage.version
        nanoseconds = int(datetime.fromisoformat(now).timestamp()) * 10**9 + version
        involved: Object = {
            "kind": about["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": metadata["resourceVersion"],
        }
        if field_path:
            involved["fieldPath"] = field_path
        event: Object = {
            "metadata": {
                "name": f"{metadata['name']}.{nanoseconds:x}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": involved,
            **words,
            **(self._times_of_series(now, action) if self._series else self._times(now)),
        }
        return self._cluster.objects.create("events", event, self._write)

    def _times(self, now: str) -> dict[str, Any]:
        source = {"component": self._component}
        return {
            "source": source | ({"host": self._host} if self._host else {}),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }

    def _times_of_series(self, now: str, action: str) -> dict[str, Any]:
        return {
            "eventTime": _micro(now),
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": f"{self._component}-control-plane",
        }

    def _forget(self, before: datetime) -> None:
        while self._said:
            key, (event, at) = next(iter(self._said.items()))
            if at >= before:
                return
            del self._said[key]
            self._cluster.delete("events", event)


def _micro(now: str) -> str:
    """A whole second as a MicroTime."""
    return f"{now.removesuffix('Z')}.000000Z"
