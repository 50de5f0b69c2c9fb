"""What the API server's answers about a pod say: the end of a log, Events, a machine. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from controller.base.errors import Garbled
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.evidence import PodEvent, Read
from controller.domain.objects import Pod
from controller.kube.api.resources import Node, ObjectEvent, Page
from controller.kube.watch.decoding import ObjectDecoder, Unreadable

EVENTS_KEPT = 200
MESSAGE_LIMIT = 1024  # characters, as the API server bounds it
WORD_LIMIT = 128  # characters of all else in an Event

INSTANCE_TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
ZONE = "topology.kubernetes.io/zone"
# The volume of the run's data in our manifests, where a pod has several.
DATA = "data"

# How the kubelet begins when it could not read a log: with status 200, where the log should be,
# because it has answered before it looks (kubernetes/kubernetes#142258).
_NO_LOG = (
    b"unable to retrieve container logs for ",
    b"failed to open log file ",
    b"failed to try resolving symlinks in path ",
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Machine:
    """What a pod runs on, by the labels of its node; each empty where it is not known."""

    instance_type: str = ""  # as its provider names it
    zone: str = ""


_EVENTS = msgspec.json.Decoder(Page)
_EVENT = ObjectDecoder(ObjectEvent)


def end_of(raw: bytes, wanted: int, *, known_cut: bool) -> Read:
    """The last `wanted` lines of a log. known_cut: whether there is more of it anyway."""
    parts = raw.removesuffix(b"\n").split(b"\n")
    if len(parts) == 1 and raw.startswith(_NO_LOG):
        return Read(unread=shown(raw.decode(errors="replace")))
    kept = b"\n".join(parts[-wanted:]) + (b"\n" if raw.endswith(b"\n") else b"")
    return Read(kept.decode(errors="replace"), cut=known_cut or len(parts) > wanted)


def read_events(body: bytes) -> tuple[Sequence[PodEvent], str]:
    """The newest EVENTS_KEPT, oldest first, and a sentence if some are missing: one that cannot be
    read does not hide the others. Raises Garbled for what is no list.
    """
    try:
        page = _EVENTS.decode(body)
    except UNDECODABLE as exc:
        raise Garbled(f"a list of Events that cannot be read: {shown(exc)}") from exc
    read = [_EVENT.object(raw) for raw in page.items or ()]
    events = sorted(
        (_event_of(each) for each in read if isinstance(each, ObjectEvent)),
        key=lambda event: event.at or _LONG_AGO,
    )
    odd = [each for each in read if isinstance(each, Unreadable)]
    why = [f"{len(odd)} of the Events cannot be read: {odd[0].why}"] if odd else []
    if page.metadata.continue_:
        why.append("there are more Events than were read, and the newest may be missing")
    return events[-EVENTS_KEPT:], "; ".join(why)


def _event_of(found: ObjectEvent) -> PodEvent:
    series = found.series or ObjectEvent.Series()
    times = (series.last_observed_time, found.last_timestamp, found.event_time)
    component = found.reporting_component or (found.source.component if found.source else "")
    return PodEvent(
        at=max((time for time in times if time), default=found.first_timestamp),
        type=shown(found.type, WORD_LIMIT),
        reason=shown(found.reason, WORD_LIMIT),
        message=shown(found.message, MESSAGE_LIMIT),
        count=max(1, found.count, series.count),
        source=shown(component, WORD_LIMIT),
    )


def machine_of(node: Node) -> Machine:
    """By its well-known labels, each empty where the cluster's provider sets none."""
    types = (node.metadata.label(name) for name in INSTANCE_TYPES)
    return Machine(
        shown(next((found for found in types if found), "")),
        shown(node.metadata.label(ZONE) or ""),
    )


def claim_of(pod: Pod) -> str:
    """The claim that holds the data: of the volume called so, else the first; empty for none."""
    claims = {
        volume.name: volume.persistent_volume_claim.get("claimName")
        for volume in pod.spec.volumes or ()
        if volume.persistent_volume_claim
    }
    found = claims.get(DATA) or next(iter(claims.values()), None)
    return found if isinstance(found, str) else ""
