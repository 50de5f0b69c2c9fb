"""Since when a node is ready, by its kubelet's word: the node's own readiness is what it asked."""

from datetime import datetime

from controller.domain.objects import Pod

# What the node answers with 200 from when it has bootstrapped [88].
READINESS = "/ext/health/readiness"


def ready_since(pod: Pod, container: str) -> datetime | None:
    """When the pod became ready; None where it is not, or its probe asks something else. A sidecar
    that is ready later makes it later.
    """
    found = pod.spec.container(container)
    asked = ((found.readiness_probe or {}) if found else {}).get("httpGet")
    if not isinstance(asked, dict) or asked.get("path") != READINESS:
        return None
    ready = pod.condition("Ready")
    return ready.last_transition_time if ready and ready.status == "True" else None
