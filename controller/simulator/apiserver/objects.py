"""What a write means: defaults, validation, generation, owners of fields, preconditions.

The HTTP handlers write through this, and so do the simulated controllers, scheduler and kubelet.
Every write either commits whole or raises StatusError and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from controller.simulator.apiserver import managed_fields, validation
from controller.simulator.apiserver.admission import Review
from controller.simulator.apiserver.defaults import admitted, tidied, with_defaults
from controller.simulator.apiserver.deletion import Deletion
from controller.simulator.apiserver.managed_fields import Entry, Manager
from controller.simulator.apiserver.resources import BY_PLURAL, Object, Resource
from controller.simulator.apiserver.statuses import already_exists, conflict, not_found
from controller.simulator.apiserver.storage import Storage, copied
from controller.simulator.apiserver.views import to_view

# Letters that Kubernetes makes names of: none that spell words or look alike.
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"

_FIXED = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
)


@dataclass(frozen=True)
class Write:
    """How a write comes: by whom, by which path, and whether it counts."""

    manager: str = "simulator"  # field manager
    subresource: str = ""
    dry_run: bool = False
    # The owners of fields after a server-side apply; None for a plain write, whose owner is
    # `manager`.
    entries: list[Entry] | None = None


PLAIN = Write()


class Objects:
    """Writes by the rules, over a storage."""

    def __init__(self, storage: Storage, random: Random) -> None:
        self._storage = storage
        self._random = random
        self._deletion = Deletion(storage)
        # A mutating webhook of everybody's objects: changes what is about to be stored, in place,
        # by the plural of its kind.
        self.webhook: Callable[[str, Object], object] = lambda _plural, _obj: None
        # A validating one: raises StatusError to refuse what is about to be stored.
        self.policy: Callable[[Review], object] = lambda _review: None

    def timestamp(self) -> str:
        """Now, as `creationTimestamp` is written."""
        return self._storage.timestamp()

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """A copy, or StatusError 404."""
        obj = self._storage.get(plural, namespace, name)
        if obj is None:
            raise not_found(BY_PLURAL[plural], name)
        return obj

    def create(
        self,
        plural: str,
        obj: Object,
        write: Write = PLAIN,
        *,
        resource: Resource | None = None,
    ) -> Object:
        """Stores a new object and returns a copy of it. The namespace is in its metadata."""
        resource = resource or BY_PLURAL[plural]
        storage = self._storage
        obj = tidied(copied(obj))
        metadata = obj.setdefault("metadata", {})
        if "name" not in metadata and "generateName" in metadata:
            suffix = "".join(self._random.choice(_SUFFIX) for _ in range(5))
            metadata["name"] = metadata["generateName"] + suffix
        obj["kind"], obj["apiVersion"] = resource.kind, resource.group_version
        self.webhook(plural, obj)
        with_defaults(plural, obj, self._random)
        status = self._first_status(plural, obj)
        validation.validate(resource, obj, None)
        self.policy(Review(resource, obj, None, write.manager, write.dry_run))
        namespace = metadata.get("namespace", "")
        if namespace and storage.peek("namespaces", "", namespace) is None:
            raise not_found(BY_PLURAL["namespaces"], namespace)
        if storage.peek(plural, namespace, metadata["name"]) is not None:
            raise already_exists(resource, metadata["name"])
        metadata.pop("resourceVersion", None)
        metadata["uid"] = storage.new_uid()
        metadata["creationTimestamp"] = storage.timestamp()
        if resource.generation:
            metadata["generation"] = 1
        self._record(resource, resource.blank({}), obj, write)
        admitted(plural, obj)
        if status is not None:
            obj["status"] = status
        return copied(obj if write.dry_run else storage.put(plural, obj))

    def _first_status(self, plural: str, obj: Object) -> Object | None:
        """Takes the status out of a new object and returns the one that it begins with: what the
        client sent is dropped, except that a kubelet registers its node with one.
        """
        if "status" not in BY_PLURAL[plural].subresources or plural == "nodes":
            return None
        obj.pop("status", None)
        bare: Object = {part: copied(obj[part]) for part in ("metadata", "spec") if part in obj}
        with_defaults(plural, bare, self._random)
        status: Object = bare.get("status", {})
        return status

    def update(
        self,
        plural: str,
        namespace: str,
        name: str,
        change: Callable[[Object], Any],
        write: Write = PLAIN,
        *,
        resource: Resource | None = None,
    ) -> Object:
        """Gives a copy to `change`, which returns the wanted object (or None if it changed the
        copy), and stores that. Returns a copy of what is stored.

        By the subresource `status` only status and annotations change, by none everything but the
        status. A wanted object that carries another
        resourceVersion or uid than the present one raises StatusError 409; one that changes
        nothing is not stored (recording 24).
        """
        resource = resource or BY_PLURAL[plural]
        old = self._storage.peek(plural, namespace, name)
        if old is None:
            raise not_found(resource, name)
        offered = copied(old)
        wanted = change(offered)
        wanted = offered if wanted is None else wanted
        if wanted == old and write.entries is None:
            return copied(wanted)
        new = tidied(copied(wanted))
        new = self._within_subresource(old, new, write.subresource)
        self._check_preconditions(resource, old, new)
        for field in _FIXED:
            new["metadata"].pop(field, None)
            if field in old["metadata"]:
                new["metadata"][field] = old["metadata"][field]
        new["kind"], new["apiVersion"] = old["kind"], old["apiVersion"]
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        self.webhook(plural, new)
        with_defaults(plural, new, self._random)
        validation.validate(resource, new, old)
        self.policy(Review(resource, new, old, write.manager, write.dry_run))
        self._set_generation(resource, old, new, write.subresource)
        self._record(resource, old, new, write)
        if new == old or write.dry_run:
            return copied(new)
        if "deletionTimestamp" in new["metadata"] and not self._must_wait(new):
            return copied(self._storage.remove(plural, namespace, name))
        return copied(self._storage.put(plural, new))

    @staticmethod
    def _must_wait(obj: Object) -> bool:
        """Whether an object that is being deleted stays for its finalizers or its grace period."""
        metadata = obj["metadata"]
        return bool(metadata.get("finalizers")) or metadata.get("deletionGracePeriodSeconds", 0) > 0

    @staticmethod
    def _within_subresource(old: Object, new: Object, subresource: str) -> Object:
        """The parts that may change by this path, the others as they were."""
        if subresource == "status":
            allowed = {**copied(old), "metadata": new["metadata"]}
            allowed["metadata"] = {**new["metadata"]}
            for field in ("labels", "finalizers", "ownerReferences"):
                allowed["metadata"].pop(field, None)
                if field in old["metadata"]:
                    allowed["metadata"][field] = old["metadata"][field]
            if "status" in new:
                allowed["status"] = new["status"]
            return copied(allowed)
        if "status" in BY_PLURAL_SUBRESOURCES.get(old["kind"], ()):
            new.pop("status", None)
            if "status" in old:
                new["status"] = copied(old["status"])
        return new

    @staticmethod
    def _check_preconditions(resource: Resource, old: Object, new: Object) -> None:
        name = old["metadata"]["name"]
        wanted, present = new["metadata"], old["metadata"]
        if wanted.get("resourceVersion", present["resourceVersion"]) != present["resourceVersion"]:
            raise conflict(resource, name)
        if wanted.get("uid", present["uid"]) != present["uid"]:
            raise conflict(
                resource,
                name,
                f"Precondition failed: UID in precondition: {wanted['uid']}, "
                f"UID in object meta: {present['uid']}",
            )

    @staticmethod
    def _set_generation(resource: Resource, old: Object, new: Object, subresource: str) -> None:
        """Counts changes of the spec; a Deployment counts those of its annotations too
        (recording 30), but not when they come through its status.
        """
        new["metadata"].pop("generation", None)
        if not resource.generation:
            return
        generation = old["metadata"].get("generation", 1)
        changed = _counted(resource, old) != _counted(resource, new)
        if resource.plural == "deployments" and subresource != "status":
            before = old["metadata"].get("annotations")
            changed = changed or before != new["metadata"].get("annotations")
        new["metadata"]["generation"] = generation + 1 if changed else generation

    def delete(
        self, plural: str, namespace: str, name: str, options: Object | None = None
    ) -> tuple[Object, bool]:
        """See `Deletion.delete`: the last state, and whether the object is gone."""
        return self._deletion.delete(plural, namespace, name, options)

    def _record(self, resource: Resource, old: Object, new: Object, write: Write) -> None:
        time = self._storage.timestamp()
        new["metadata"].pop("managedFields", None)
        if write.entries is not None:
            managed_fields.write(new["metadata"], _dated(write.entries, old, time))
        else:
            manager = Manager(write.manager, subresource=write.subresource)
            before, after = to_view(resource, old), to_view(resource, new)
            managed_fields.record_update(before, after, manager, resource.group_version, time)


BY_PLURAL_SUBRESOURCES = {r.kind: r.subresources for r in BY_PLURAL.values()}


def _counted(resource: Resource, obj: Object) -> Any:
    if "spec" in resource.zero:
        return obj.get("spec")
    return {k: v for k, v in obj.items() if k not in {"metadata", "status"}}


def _dated(entries: list[Entry], old: Object, time: str) -> list[Entry]:
    """Applying again what is applied already changes no date, and so nothing at all."""
    before = {entry.manager: entry for entry in managed_fields.read(old["metadata"])}
    return [
        before[entry.manager]
        if entry.manager in before and before[entry.manager].paths == entry.paths
        else Entry(entry.manager, entry.api_version, time, entry.paths)
        for entry in entries
    ]
