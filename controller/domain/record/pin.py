"""The pin: which images a run's Deployment must show, and what it means when it does not."""

from collections.abc import Iterator
from enum import StrEnum

from controller.domain import names
from controller.domain.manifest.request import RunRequest, node_container_name
from controller.domain.objects import Deployment
from controller.domain.record.record import OpenRun, Record
from controller.domain.record.write import ImageChange
from controller.domain.reference import Reference, ReferenceFault


class PinState(StrEnum):
    """How the pin of an open run stands in the manifest."""

    INTACT = "intact"
    REVERTED = "reverted"  # an older image, the bare tag, or the run id is back: put it back
    CHANGED = "changed"  # somebody wishes another image: the run is over


def pin_changes(request: RunRequest, image: str) -> tuple[ImageChange, ...]:
    """The changes that pin a manifest to `image`, leaving out what stands already."""
    return tuple(
        ImageChange(p.init, p.index, p.name, str(p.reference), image)
        for p in request.pinned
        if str(p.reference) != image
    )


def pin_state(deployment: Deployment, run: OpenRun, record: Record) -> PinState:
    """Looks at the raw images: one that does not parse is somebody's wish too."""
    found = list(_images(deployment, run))
    if not found or not any(node for node, _ in found):
        return PinState.INTACT  # the container is gone: the request's fault says so
    for node, image in found:
        if node and image != run.image and not _older(image, run, record):
            return PinState.CHANGED
    template = deployment.spec.template.metadata
    if any(image != run.image for _, image in found):
        return PinState.REVERTED
    if template.annotation(names.RUN_ID) != run.id:
        return PinState.REVERTED
    return PinState.INTACT


def restoring_changes(deployment: Deployment, run: OpenRun) -> tuple[ImageChange, ...]:
    """The changes that put the pin back where it is missing."""
    spec = deployment.spec.template.spec
    changes = []
    for init, containers in ((False, spec.containers), (True, spec.init_containers)):
        for index, container in enumerate(containers or ()):
            node = not init and container.name == node_container_name(deployment)
            covered = node or (init and _same_repository(container.image, run))
            if covered and container.image != run.image:
                changes.append(ImageChange(init, index, container.name, container.image, run.image))
    return tuple(changes)


def _images(deployment: Deployment, run: OpenRun) -> Iterator[tuple[bool, str]]:
    """(whether it is the node's, image) of every container that the pin covers."""
    spec = deployment.spec.template.spec
    node = spec.container(node_container_name(deployment))
    if node is not None:
        yield True, node.image
    for container in spec.init_containers or ():
        if _same_repository(container.image, run):
            yield False, container.image


def _same_repository(image: str, run: OpenRun) -> bool:
    try:
        return Reference.parse(image).repository == Reference.parse(run.image).repository
    except ReferenceFault:
        return False


def _older(image: str, run: OpenRun, record: Record) -> bool:
    """What the pin replaced, the bare tag of it, or a build that this Deployment pinned before:
    what Argo CD, `kubectl apply` or `rollout undo` put back.
    """
    if image in run.found:
        return True
    if not _same_repository(image, run):
        return False
    reference = Reference.parse(image)
    if reference.digest is not None:
        return reference.digest == run.build or reference.digest in record.builds()
    tags = {Reference.parse(run.image).tag}
    tags.update(Reference.parse(i).tag for i in run.found if _same_repository(i, run))
    return reference.tag in tags
