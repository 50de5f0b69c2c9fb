"""A notice as a Kubernetes Event on its Deployment; pure."""

import hashlib
import re
from typing import Any

from controller.base.text import cut_bytes
from controller.domain import names
from controller.domain.notice import Level, Notice
from controller.kube.api.resources import MICROTIME

NOTE_LIMIT = 1024  # bytes; the API server refuses more
WORD_LIMIT = 128  # characters of reason, action and reportingInstance, likewise
NAME_LIMIT = 253  # of any object

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_OTHER = re.compile(r"[^a-z0-9.-]+")


def event_of(notice: Notice, instance: str) -> dict[str, Any]:
    """The body of an events.k8s.io/v1 Event. instance: who of us says it, such as the pod's name.

    The name comes from the notice's id, so the same notice told twice is one Event.
    """
    namespace, _, name = notice.deployment.partition("/")
    regarding = {"apiVersion": "apps/v1", "kind": "Deployment"}
    regarding |= {"name": name, "namespace": namespace}
    if notice.uid:
        regarding["uid"] = notice.uid
    warns = notice.level in {Level.WARNING, Level.ERROR}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(notice.id), "namespace": namespace},
        "eventTime": notice.at.strftime(MICROTIME),
        "reportingController": names.COMPONENT,
        "reportingInstance": cut_bytes(instance or names.FIELD_MANAGER, WORD_LIMIT),
        "action": "Transition" if notice.phase_before is not None else "Notice",
        "reason": cut_bytes(notice.reason or "Notice", WORD_LIMIT),
        "type": "Warning" if warns else "Normal",
        "note": cut_bytes(
            f"{notice.title}: {notice.text}" if notice.text else notice.title, NOTE_LIMIT
        ),
        "regarding": regarding,
    }


def event_name(notice: str) -> str:
    """A name that an object may have: lower-case labels between dots. An id that has to be bent
    for it by more than its case gets a hash, so that two do not fall together.
    """
    name = notice.lower()
    if len(name) <= NAME_LIMIT and all(_LABEL.fullmatch(part) for part in name.split(".")):
        return name
    digest = hashlib.sha256(notice.encode()).hexdigest()[:12]
    parts = (part.strip("-") for part in _OTHER.sub("-", name).split("."))
    kept = ".".join(part for part in parts if part)[: NAME_LIMIT - 13].strip("-.")
    return f"{kept}-{digest}" if kept else digest
