"""Deleting: at once, after a grace period, or after the dependents.

Whoever plays the garbage collector hears of a deletion through `storage.subscribe`. A foreground
deletion stays visible, with its finalizer, until the last dependent is gone (recording 12).
"""

from typing import Any

from controller.simulator.apiserver.resources import BY_PLURAL, Object, Resource
from controller.simulator.apiserver.statuses import conflict, not_found
from controller.simulator.apiserver.storage import Change, Storage, copied

FOREGROUND = "foregroundDeletion"


class Deletion:
    """Deletes objects of a storage by the rules."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.subscribe(self._finish_foreground)

    def delete(
        self, plural: str, namespace: str, name: str, options: Object | None = None
    ) -> tuple[Object, bool]:
        """The last state (or the state of waiting), and whether the object is gone.

        options: a DeleteOptions object: propagationPolicy, gracePeriodSeconds, preconditions,
        dryRun. Raises StatusError 404, or 409 for a precondition.
        """
        options = options or {}
        resource = BY_PLURAL[plural]
        old = self._storage.peek(plural, namespace, name)
        if old is None:
            raise not_found(resource, name)
        self._check(resource, old, options.get("preconditions") or {})
        if options.get("dryRun"):
            return copied(old), True
        policy = options.get("propagationPolicy", "Background")
        if policy == "Orphan":
            self._orphan(old["metadata"]["uid"])
        finalizers = list(old["metadata"].get("finalizers") or [])
        if policy == "Foreground" and self._dependents(old["metadata"]["uid"]):
            finalizers.append(FOREGROUND)
        grace = self._grace(plural, old, options)
        if not finalizers and not grace:
            return copied(self._storage.remove(plural, namespace, name)), True
        return self._mark(plural, old, finalizers, grace), False

    def _mark(self, plural: str, old: Object, finalizers: list[str], grace: int) -> Object:
        """Sets the deletion's time, which counts as a change of the object (recording 12)."""
        new = copied(old)
        metadata = new["metadata"]
        if finalizers:
            metadata["finalizers"] = sorted(set(finalizers))
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = self._storage.timestamp()
            if "generation" in metadata:
                metadata["generation"] += 1
        metadata["deletionGracePeriodSeconds"] = grace
        return copied(old if new == old else self._storage.put(plural, new))

    @staticmethod
    def _grace(plural: str, obj: Object, options: Object) -> int:
        """Seconds that a kubelet is given; a pod that is on no node is gone at once."""
        if plural != "pods" or not obj["spec"].get("nodeName"):
            return 0
        if (obj.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            return 0
        given: Any = options.get("gracePeriodSeconds")
        return int(obj["spec"].get("terminationGracePeriodSeconds", 30) if given is None else given)

    @staticmethod
    def _check(resource: Resource, obj: Object, preconditions: Object) -> None:
        metadata = obj["metadata"]
        for field, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            wanted = preconditions.get(field)
            if wanted is not None and wanted != metadata[field]:
                raise conflict(
                    resource,
                    metadata["name"],
                    f"the {word} in the precondition ({wanted}) does not match the {word} in "
                    f"record ({metadata[field]}). "
                    "The object might have been deleted and then recreated",
                )

    def _dependents(self, uid: str) -> list[tuple[str, Object]]:
        return [
            (plural, obj)
            for plural in BY_PLURAL
            for obj in self._storage.objects(plural)
            if any(ref.get("uid") == uid for ref in obj["metadata"].get("ownerReferences") or [])
        ]

    def _orphan(self, uid: str) -> None:
        for plural, obj in self._dependents(uid):
            new = copied(obj)
            kept = [ref for ref in new["metadata"]["ownerReferences"] if ref.get("uid") != uid]
            del new["metadata"]["ownerReferences"]
            if kept:
                new["metadata"]["ownerReferences"] = kept
            self._storage.put(plural, new)

    def _finish_foreground(self, change: Change) -> None:
        """Lets an owner go whose last dependent has just gone."""
        if change.type != "DELETED":
            return
        uids = {ref.get("uid") for ref in change.object["metadata"].get("ownerReferences") or []}
        for plural in BY_PLURAL if uids else ():
            for owner in list(self._storage.objects(plural)):
                metadata = owner["metadata"]
                if metadata["uid"] not in uids or FOREGROUND not in metadata.get("finalizers", []):
                    continue
                if not self._dependents(metadata["uid"]):
                    self._let_go(plural, owner)

    def _let_go(self, plural: str, owner: Object) -> None:
        metadata = owner["metadata"]
        rest = [finalizer for finalizer in metadata["finalizers"] if finalizer != FOREGROUND]
        if rest:
            new = copied(owner)
            new["metadata"]["finalizers"] = rest
            self._storage.put(plural, new)
        else:
            self._storage.remove(plural, metadata.get("namespace", ""), metadata["name"])
