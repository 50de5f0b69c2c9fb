"""Volume claims of pods: whose volume it is, and whether it attaches to the machine."""

from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.volumes import Volume

Key = tuple[str, str]  # namespace and name of a claim


class Claims:
    """Volumes by claim, made when they are first asked for. They outlive pods and claims."""

    def __init__(self) -> None:
        self.volumes: dict[Key, Volume] = {}
        self._detached: set[Key] = set()

    def volume(self, namespace: str, claim: str) -> Volume:
        return self.volumes.setdefault((namespace, claim), Volume())

    def replace(self, namespace: str, claim: str) -> None:
        """An empty volume for the next pod; a pod that runs keeps the old one to its end."""
        self.volumes[namespace, claim] = Volume()

    def detach(self, namespace: str, claim: str) -> None:
        """The volume attaches no more. A container that runs keeps it."""
        self._detached.add((namespace, claim))

    def attach(self, namespace: str, claim: str) -> None:
        self._detached.discard((namespace, claim))

    def missing(self, pod: Object) -> str:
        """The first claim of the pod that does not attach, or nothing."""
        namespace = pod["metadata"]["namespace"]
        return next((c for c in claims_of(pod) if (namespace, c) in self._detached), "")

    def volume_of(self, pod: Object) -> Volume:
        """The claim's that is mounted at /data; an empty one of its own for a pod without."""
        claims = claims_of(pod)
        return self.volume(pod["metadata"]["namespace"], claims[0]) if claims else Volume()


def claims_of(pod: Object) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    found = (volume.get("persistentVolumeClaim") for volume in volumes)
    return [claim["claimName"] for claim in found if claim]
