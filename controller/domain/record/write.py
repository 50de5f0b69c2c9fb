"""A write to a Deployment as data: what it expects, what it replaces (I5), what became of it."""

from dataclasses import dataclass

from controller.domain.objects import Deployment


@dataclass(frozen=True)
class ImageChange:
    """One container's image, found by its place and tested by its name [45]."""

    init: bool  # in `initContainers` instead of `containers`
    index: int  # its place there
    container: str  # its name
    old: str  # image as found
    new: str  # image as it is to be


@dataclass(frozen=True)
class Write:
    """One JSON patch. Everything it replaces is tested in it; a None means absent."""

    key: str  # `namespace/name`
    uid: str  # of the Deployment decided on
    record_before: str | None  # the annotation as found
    record: str | None  # and as it is to be: as found where it must not be touched (unreadable)
    phase_before: str | None  # the label as found
    phase: str  # for `kubectl get -L`
    message_before: str | None  # the annotation as found
    message: str  # for `kubectl describe`
    # Whether the maps exist in the object found: a missing parent must be added whole [46]
    has_labels: bool = True
    has_annotations: bool = True
    has_template_annotations: bool = True
    run_id_before: str | None = None  # annotation of the pod template as found
    run_id: str | None = None  # as found where it is not changed
    images: tuple[ImageChange, ...] = ()  # that differ from what is to be; empty: nothing is pinned

    @property
    def pins(self) -> bool:
        """Whether this write starts new pods."""
        return bool(self.images) or self.run_id != self.run_id_before

    @property
    def only_says(self) -> bool:
        """Whether label and message are all that it changes."""
        return not self.pins and self.record == self.record_before


@dataclass(frozen=True)
class WriteReply:
    """What became of a write."""

    applied: bool  # the object is as we wrote it
    # As the API server returned it, or as it was read again after a failed precondition; None if it
    # is gone
    deployment: Deployment | None
    # Of an applied one: what of label and message stands otherwise than it was written, in words,
    # since the cluster changes it on the way (a mutating webhook); empty: nothing
    changed: str = ""
