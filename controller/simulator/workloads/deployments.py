"""The Deployment controller: a ReplicaSet for each pod template, rolled out by the strategy."""

import hashlib
from typing import Any

import orjson

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.storage import Change, copied
from controller.simulator.workloads.cluster import (
    Cluster,
    owner_reference,
    pod_is_over,
)
from controller.simulator.workloads.controller_loop import KeyLoop

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
# What the real controller keeps from a ReplicaSet's copy of the Deployment's annotations.
_NOT_COPIED = {"kubectl.kubernetes.io/last-applied-configuration", REVISION}
_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # letters that spell no words, as Kubernetes' names have them
_HASH_LENGTH = 10


def template_hash(template: Object) -> str:
    """Names a template's ReplicaSet. (The real one hashes Go's memory image; only that equal
    templates have equal hashes can be relied on.)
    """
    digest = hashlib.sha256(orjson.dumps(template, option=orjson.OPT_SORT_KEYS)).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:_HASH_LENGTH])


class DeploymentController:
    """Recreate, paused and scaling as the real one does them. Rolling updates always bring one new
    pod first and take the old ones when it is ready (what 25 % means for one replica [58]).
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.loop = KeyLoop("deployments", self._sync)

    def hear(self, change: Change) -> None:
        metadata = change.object["metadata"]
        if change.plural == "deployments":
            self.loop.note(metadata["namespace"], metadata["name"])
            return
        for ref in metadata.get("ownerReferences") or ():
            if change.plural == "replicasets" and ref["kind"] == "Deployment":
                self.loop.note(metadata["namespace"], ref["name"])
            elif change.plural == "pods" and ref["kind"] == "ReplicaSet":
                # The Deployment's name is the ReplicaSet's without its hash.
                self.loop.note(metadata["namespace"], ref["name"].rpartition("-")[0])

    def _sync(self, key: tuple[str, str]) -> None:
        deployment = self._cluster.storage.get("deployments", *key)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return
        new, old = self._replicasets(deployment)
        if not deployment["spec"].get("paused"):
            recreate = deployment["spec"]["strategy"]["type"] == "Recreate"
            new = (self._recreate if recreate else self._roll)(deployment, new, old)
        elif new is not None:
            self._scale(new, deployment["spec"]["replicas"])
        self._forget(deployment, old)
        self._write_status(deployment, new)

    def _recreate(self, deployment: Object, new: Object | None, old: list[Object]) -> Object | None:
        for replicaset in old:
            self._scale(replicaset, 0)
        running = (pod for rs in old for pod in self._cluster.owned("pods", rs))
        if not all(map(pod_is_over, running)):  # terminating pods hold the volume still
            return new
        return self._scaled_new(deployment, new, old)

    def _roll(self, deployment: Object, new: Object | None, old: list[Object]) -> Object | None:
        new = self._scaled_new(deployment, new, old)
        ready = ((new or {}).get("status") or {}).get("readyReplicas", 0)
        if ready >= deployment["spec"]["replicas"]:
            for replicaset in old:
                self._scale(replicaset, 0)
        return new

    def _scaled_new(self, deployment: Object, new: Object | None, old: list[Object]) -> Object:
        wanted = deployment["spec"]["replicas"]
        if new is None:
            return self._create(deployment, wanted, 1 + max(map(_revision, old), default=0))
        # A template that came back (an image was reverted) gets the next revision.
        highest = max(map(_revision, old), default=0)
        if _revision(new) <= highest:
            self._cluster.change("replicasets", new, lambda rs: _set_revision(rs, highest + 1))
        self._copy_annotations(deployment, new)
        self._scale(new, wanted)
        return self._cluster.storage.get("replicasets", *_key(new)) or new

    def _create(self, deployment: Object, replicas: int, revision: int) -> Object:
        template = copied(deployment["spec"]["template"])
        digest = template_hash(deployment["spec"]["template"])
        template["metadata"].setdefault("labels", {})[HASH_LABEL] = digest
        selector = copied(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH_LABEL] = digest
        metadata = deployment["metadata"]
        replicaset = {
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "namespace": metadata["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": _copied_annotations(deployment) | {REVISION: str(revision)},
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": replicas, "selector": selector, "template": template},
        }
        return self._cluster.create("replicasets", replicaset)

    def _replicasets(self, deployment: Object) -> tuple[Object | None, list[Object]]:
        """The one of the present template, and the others."""
        digest = template_hash(deployment["spec"]["template"])
        owned = [copied(rs) for rs in self._cluster.owned("replicasets", deployment)]
        new = [rs for rs in owned if rs["metadata"]["labels"][HASH_LABEL] == digest]
        return (new[0] if new else None), [rs for rs in owned if rs not in new]

    def _forget(self, deployment: Object, old: list[Object]) -> None:
        """Old ReplicaSets beyond the Deployment's history go, the oldest first."""
        idle = [
            rs for rs in old if not rs["spec"]["replicas"] and not self._cluster.owned("pods", rs)
        ]
        surplus = len(idle) - deployment["spec"]["revisionHistoryLimit"]
        for replicaset in sorted(idle, key=_revision)[: max(0, surplus)]:
            self._cluster.delete("replicasets", replicaset)

    def _copy_annotations(self, deployment: Object, replicaset: Object) -> None:
        def change(obj: Object) -> None:
            kept = obj["metadata"].get("annotations") or {}
            obj["metadata"]["annotations"] = kept | _copied_annotations(deployment)

        self._cluster.change("replicasets", replicaset, change)

    def _scale(self, replicaset: Object, replicas: int) -> None:
        if replicaset["spec"]["replicas"] != replicas:
            self._cluster.change(
                "replicasets", replicaset, lambda obj: obj["spec"].update(replicas=replicas)
            )

    def _write_status(self, deployment: Object, new: Object | None) -> None:
        total: dict[str, int] = {}
        for replicaset in self._cluster.owned("replicasets", deployment):
            status = replicaset.get("status") or {}
            for field in ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas"):
                total[field] = total.get(field, 0) + status.get(field, 0)
        updated = ((new or {}).get("status") or {}).get("replicas", 0)
        now = self._cluster.storage.timestamp()

        def change(obj: Object) -> None:
            status: Object = {"observedGeneration": deployment["metadata"]["generation"]}
            if total.get("replicas"):
                status["replicas"] = total["replicas"]
            if updated:
                status["updatedReplicas"] = updated
            for field in ("readyReplicas", "availableReplicas"):
                if total.get(field):
                    status[field] = total[field]
            missing = deployment["spec"]["replicas"] - total.get("availableReplicas", 0)
            if missing > 0:
                status["unavailableReplicas"] = missing
            status["terminatingReplicas"] = total.get("terminatingReplicas", 0)
            before = (obj.get("status") or {}).get("conditions") or []
            status["conditions"] = _conditions(before, new, missing <= 0, now)
            obj["status"] = status
            if new is not None:
                _set_revision(obj, _revision(new))

        self._cluster.change("deployments", deployment, change, subresource="status")


def _conditions(
    before: list[Object], new: Object | None, available: bool, now: str
) -> list[Object]:
    """Available and Progressing as in recording 43; a condition that stays keeps its times."""
    name = new["metadata"]["name"] if new else ""
    wanted = [
        ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if available
        else (
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        ),
        (
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            f'ReplicaSet "{name}" has successfully progressed.',
        )
        if available
        else ("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'),
    ]
    old = {condition["type"]: condition for condition in before}
    result = []
    for kind, status, reason, message in wanted:
        was: dict[str, Any] = old.get(kind, {})
        same = {"status": status, "reason": reason, "message": message}.items() <= was.items()
        result.append(
            {
                "type": kind,
                "status": status,
                "lastUpdateTime": was["lastUpdateTime"] if same else now,
                "lastTransitionTime": (
                    was["lastTransitionTime"] if was.get("status") == status else now
                ),
                "reason": reason,
                "message": message,
            }
        )
    return result


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _revision(obj: Object) -> int:
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, "0"))


def _set_revision(obj: Object, revision: int) -> None:
    obj["metadata"].setdefault("annotations", {})[REVISION] = str(revision)


def _copied_annotations(deployment: Object) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _NOT_COPIED}
