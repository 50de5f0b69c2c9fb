"""Which builds a Deployment could test next: what is resolved for it, and in which order."""

from collections.abc import Iterator

from controller.domain.followed import Followed
from controller.domain.manifest.request import RunRequest
from controller.domain.record.record import Record
from controller.domain.reference import parse_tag_or_digest


def candidates(request: RunRequest, record: Record | None) -> Iterator[tuple[str, Followed]]:
    """(source, what to resolve), in the order in which they are tested: what a person asked for,
    a digest that a person wrote into the manifest, the followed tag. What a person asked for is
    taken once, and once more where they ask for another attempt.
    """
    repository, platform = request.node.reference.repository, request.platform
    if request.first is not None and not _is_taken(request.first, record):
        tag, digest = parse_tag_or_digest(request.first)
        yield "test-build", Followed(repository, tag or digest or "", platform)
    digest = request.node.reference.digest
    if digest is not None and (record is None or digest not in record.builds()):
        yield "image", Followed(repository, digest, platform)
    yield "tag", Followed(repository, request.track, platform)


def _is_taken(queued: str, record: Record | None) -> bool:
    return record is not None and record.taken.strip() == queued and record.again != "retest"
