"""What the simulated controllers and the kubelet write with: the API server's own parts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller.simulator.apiserver.objects import Objects, Write
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.apiserver.storage import Storage, copied

MANAGER = "kube-controller-manager"  # as the recordings name the writer of ReplicaSets and pods


@dataclass(frozen=True)
class Cluster:
    """Reading and writing in process, by the API server's rules."""

    storage: Storage
    objects: Objects

    def create(self, plural: str, obj: Object) -> Object:
        """As kube-controller-manager."""
        return self.objects.create(plural, obj, Write(MANAGER))

    def change(
        self,
        plural: str,
        obj: Object,
        change: Callable[[Object], Any],
        *,
        manager: str = MANAGER,
        subresource: str = "",
    ) -> bool:
        """Changes the stored object of this uid; False if it is gone. `change` may be asked twice:
        what changes nothing is not written, which most of what controllers think of does not.
        """
        metadata = obj["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        found = self.storage.peek(plural, namespace, name)
        if found is None or found["metadata"]["uid"] != metadata["uid"]:
            return False
        wanted = copied(found)
        change(wanted)
        if wanted == found:
            return True
        self.objects.update(plural, namespace, name, change, Write(manager, subresource))
        return True

    def delete(self, plural: str, obj: Object, **options: Any) -> None:
        """Deletes the object of this uid; one that is gone is no mistake."""
        metadata = obj["metadata"]
        options["preconditions"] = {"uid": metadata["uid"]}
        try:
            self.objects.delete(plural, metadata["namespace"], metadata["name"], options)
        except StatusError as error:
            if error.code not in {404, 409}:
                raise

    def owned(self, plural: str, owner: Object) -> list[Object]:
        """Those whose controller the owner is; not to be changed."""
        uid = owner["metadata"]["uid"]
        return [
            obj
            for obj in self.storage.objects(plural, owner["metadata"]["namespace"])
            if any(
                ref["uid"] == uid and ref.get("controller")
                for ref in obj["metadata"].get("ownerReferences") or ()
            )
        ]


def owner_reference(owner: Object) -> Object:
    """As in recording 41."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def pod_is_over(pod: Object) -> bool:
    """Failed or succeeded: it runs nothing any more, and is not counted as a replica."""
    return (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}


def pod_is_leaving(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]
