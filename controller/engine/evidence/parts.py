"""What the parts of a run's evidence say and what they are called: values in, values out. Nothing
here waits, and what is cut or redacted is `bundle`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from controller.base.instants import instant
from controller.domain import names
from controller.domain.evidence import Place, PodEvent
from controller.domain.failure_class import class_of
from controller.domain.node_http import NodeAnswer
from controller.domain.objects import ContainerState, ContainerStatus, Pod, PodCondition
from controller.domain.record.parts import cause_fields
from controller.domain.record.record import Outcome, Record

SUMMARY = "summary.json"
NODE_LOG = "node.log"
PREVIOUS_LOG = "node-previous.log"
INIT_LOG = "prepare-data.log"
PODS = "pods.json"
EVENTS = "events.json"
HEALTH = "health.json"
NODE = "node.json"
PROGRESS = "progress.json"
UNREAD = "unread.txt"
ALL_READ = "everything was read"

_MOST_PODS = 20  # of a run; the newest
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Ended:
    """A run that is over, and what is known of it at that moment."""

    record: Record
    outcome: Outcome
    pods: tuple[Pod, ...]  # of the Deployment, of whatever run
    container: str  # the node's
    answer: NodeAnswer | None = None  # the node's last; None: it has given none
    progress: Mapping[str, Any] | None = None  # a value of JSON; None: nothing was seen of it
    # What else is worth knowing, by names of ours; `class` is whose fault a failure is taken to be
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str]:
        """Target and run: where the store keeps it."""
        return self.outcome.target, self.outcome.run

    def carriers(self) -> list[Pod]:
        """The pods that carry the run's id, newest first."""
        found = [p for p in self.pods if p.metadata.annotation(names.RUN_ID) == self.outcome.run]
        found.sort(
            key=lambda p: (p.metadata.creation_timestamp or _LONG_AGO, p.metadata.name),
            reverse=True,
        )
        return found[:_MOST_PODS]


def has_run(status: ContainerStatus | None) -> bool:
    """Whether the container has ever started, so that it has a log."""
    if status is None:
        return False
    state, last = status.state, status.last_state
    return bool(state.running or state.terminated or last.terminated)


def failed_init(pod: Pod) -> ContainerStatus | None:
    """The init container that keeps the pod from starting its node because it failed."""
    for status in pod.status.init_container_statuses or ():
        ends = [s.terminated for s in (status.state, status.last_state) if s.terminated]
        if ends and ends[0].exit_code != 0 and not status.state.running:
            return status
    return None


def summary(
    ended: Ended, at: datetime, place: Place, logs: Mapping[str, Any], unread: Sequence[str]
) -> dict[str, Any]:
    """at: when it was gathered. logs: name of each to where it is from."""
    outcome = ended.outcome
    told = {
        "run": outcome.run,
        "build": outcome.build,
        "target": outcome.target,
        "deployment": ended.record.key,
        "phase": str(outcome.phase),
        "reason": outcome.reason,
        "class": ended.facts.get("class") or class_of(outcome.reason),
        "message": outcome.message,
        "began": instant(outcome.began),
        "ended": instant(outcome.at),
        "gathered": _when(at),
        "observed": outcome.observed,
        "took": outcome.took,
        "lasted": outcome.lasted,
        "resumes": outcome.resumes,
        "version": outcome.version,
        "commit": outcome.commit,
        "last_good_commit": outcome.good,
        **cause_fields(outcome.cause),
        "facts": dict(ended.facts),
        "place": {name: value for name, value in asdict(place).items() if name != "unread"},
        "logs": logs,
        "unread": list(unread),
    }
    return {name: value for name, value in told.items() if value not in ("", {}, None)}


def pods(found: Iterable[Pod]) -> list[dict[str, Any]]:
    """Only what is named here: never the variables of a container."""
    return [_pod(pod) for pod in found]


def _pod(pod: Pod) -> dict[str, Any]:
    return {
        "name": pod.metadata.name,
        "uid": pod.metadata.uid,
        "node": pod.spec.node_name,
        "created": _when(pod.metadata.creation_timestamp),
        "deleted": _when(pod.metadata.deletion_timestamp),
        "phase": pod.status.phase,
        "reason": pod.status.reason,
        "message": pod.status.message,
        "conditions": [_condition(c) for c in pod.status.conditions or ()],
        "init_containers": [_container(s) for s in pod.status.init_container_statuses or ()],
        "containers": [_container(s) for s in pod.status.container_statuses or ()],
    }


def _condition(condition: PodCondition) -> dict[str, Any]:
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "since": _when(condition.last_transition_time),
    }


def _container(status: ContainerStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "image": status.image,
        "image_id": status.image_id,
        "ready": status.ready,
        "restarts": status.restart_count,
        "state": _state(status.state),
        "last_state": _state(status.last_state),
    }


def _state(state: ContainerState) -> dict[str, Any]:
    if state.terminated is not None:
        end = state.terminated
        return {
            "terminated": {
                "exit_code": end.exit_code,
                "signal": end.signal,
                "reason": end.reason,
                "message": end.message,
                "started": _when(end.started_at),
                "finished": _when(end.finished_at),
            }
        }
    if state.running is not None:
        return {"running": {"started": _when(state.running.started_at)}}
    if state.waiting is not None:
        return {"waiting": {"reason": state.waiting.reason, "message": state.waiting.message}}
    return {}


def events(found: Iterable[tuple[Pod, PodEvent]]) -> list[dict[str, Any]]:
    """Oldest first."""
    by_time = sorted(found, key=lambda each: each[1].at or _LONG_AGO)
    return [
        {"pod": pod.metadata.name, **asdict(event), "at": _when(event.at)} for pod, event in by_time
    ]


def health(answer: NodeAnswer) -> Any:
    """The node's own document; where it is none, or was cut, its text beside what was read."""
    try:
        return orjson.loads(answer.document)
    except orjson.JSONDecodeError:
        told = {"ready": answer.ready, "healthy": answer.healthy, "failing": dict(answer.failing)}
        text = answer.document.decode(errors="replace")
        return {**told, "checks": list(answer.checks), **({"document": text} if text else {})}


def node(answer: NodeAnswer) -> dict[str, Any]:
    return {
        "kind": str(answer.kind),
        "detail": answer.detail,
        "ready": answer.ready,
        "healthy": answer.healthy,
        "failing": dict(answer.failing),
        "checks": list(answer.checks),
        "not_run": list(answer.not_run),
        "newest_check": answer.checked,
        "oldest_check": answer.checked_all,
        "peers": answer.peers,
        "heights": dict(answer.heights),
        "tips": {chain: {"height": tip.height, "at": tip.at} for chain, tip in answer.tips.items()},
        "counters": dict(answer.counters),
        "disk_free_percent": answer.disk_free,
        "disk_used_percent": None if answer.disk_free is None else round(100 - answer.disk_free, 2),
        "version": answer.version,
        "commit": answer.commit,
        "network": answer.network,
    }


def _when(moment: datetime | None) -> str | None:
    return instant(moment.timestamp()) if moment is not None else None
