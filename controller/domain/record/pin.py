"""The pin: which images a run's Deployment must show, and what it means when it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from controller.domain import names
from controller.domain.manifest.request import RunRequest, node_container_name
from controller.domain.objects import Deployment
from controller.domain.record.record import OpenRun, Record
from controller.domain.record.write import ImageChange
from controller.domain.reference import Reference, digest_of, repository_of


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
    """Looks at the raw images: one that does not parse is somebody's wish too. The digest counts,
    not the name beside it: a webhook may have it pulled from a mirror, and would do so again.
    """
    covered = list(_covered(deployment, run))
    nodes = [c for c in covered if not c.init]
    if not nodes:
        return PinState.INTACT  # the container is gone: the request's fault says so
    if any(not _is_pin(c, run) and not _is_older(c.image, run, record) for c in nodes):
        return PinState.CHANGED
    if not all(_is_pin(c, run) for c in covered):
        return PinState.REVERTED
    if deployment.spec.template.metadata.annotation(names.RUN_ID) != run.id:
        return PinState.REVERTED
    return PinState.INTACT


def restoring_changes(deployment: Deployment, run: OpenRun) -> tuple[ImageChange, ...]:
    """The changes that put the pin back where it is missing."""
    return tuple(
        ImageChange(c.init, c.index, c.name, c.image, run.image)
        for c in _covered(deployment, run)
        if not _is_pin(c, run)
    )


@dataclass(frozen=True)
class _Covered:
    """A container that the pin covers: the node's, or an init container of its repository."""

    init: bool  # in `initContainers` instead of `containers`
    index: int  # its place there
    name: str
    image: str  # as it is now, parsable or not


def _covered(deployment: Deployment, run: OpenRun) -> Iterator[_Covered]:
    spec, node = deployment.spec.template.spec, node_container_name(deployment)
    repositories = {repository_of(run.image)}
    for index, container in enumerate(spec.containers or ()):
        if container.name == node:
            repositories.add(repository_of(container.image))
            yield _Covered(False, index, container.name, container.image)
    for index, container in enumerate(spec.init_containers or ()):
        repository = repository_of(container.image)
        if repository is not None and repository in repositories:
            yield _Covered(True, index, container.name, container.image)


def _is_pin(covered: _Covered, run: OpenRun) -> bool:
    return digest_of(covered.image) == run.build


def _is_older(image: str, run: OpenRun, record: Record) -> bool:
    """What the pin replaced, the bare tag of it, or a build that this Deployment pinned before:
    what Argo CD, `kubectl apply` or `rollout undo` put back.
    """
    if image in run.found:
        return True
    digest, ours = digest_of(image), repository_of(run.image)
    if digest is not None:
        return digest in record.builds()
    if repository_of(image) != ours:
        return False
    known = (run.image, *(i for i in run.found if repository_of(i) == ours))
    return Reference.parse(image).tag in {Reference.parse(i).tag for i in known}
