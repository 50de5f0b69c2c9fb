"""A write to a Deployment as data: what it expects, what it replaces (I5), what became of it."""

from dataclasses import dataclass

from controller.domain.objects import Deployment


@dataclass(frozen=True)
class ImageChange:
    """One container's image, found by its place and tested by its name [45].

    init: in `initContainers` instead of `containers`.
    """

    init: bool
    index: int
    container: str
    old: str
    new: str


@dataclass(frozen=True)
class Write:
    """One JSON patch. Everything it replaces is tested in it; a None means absent.

    key: `namespace/name`. uid: of the Deployment decided on. record_before, record: the annotation
    as found and as it is to be; equal where the record must not be touched (unreadable).
    phase and message, each with what was found: label and annotation for `kubectl get` and
    `describe`. has_labels, has_annotations, has_template_annotations: whether the maps exist in the
    object found: a missing parent must be added whole [46]. run_id_before, run_id: annotation of
    the pod template; equal where it is not changed.
    """

    key: str
    uid: str
    record_before: str | None
    record: str | None
    phase_before: str | None
    phase: str
    message_before: str | None
    message: str
    has_labels: bool = True
    has_annotations: bool = True
    has_template_annotations: bool = True
    run_id_before: str | None = None
    run_id: str | None = None
    images: tuple[ImageChange, ...] = ()

    @property
    def pins(self) -> bool:
        """Whether this write starts new pods."""
        return bool(self.images) or self.run_id != self.run_id_before


@dataclass(frozen=True)
class WriteReply:
    """What became of a write.

    deployment: the object as the API server returned it, or as it was read again after a failed
    precondition; None if it is gone. applied: ours stands.
    """

    applied: bool
    deployment: Deployment | None
