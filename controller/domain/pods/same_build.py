"""Whether a container runs the run's build: by digest, whatever its image is called."""

from controller.domain.objects import Pod
from controller.domain.record.record import OpenRun
from controller.domain.reference import digest_of, repository_of


def shows_build(pod: Pod, container: str, run: OpenRun) -> bool:
    """By the pod's spec, or by what the runtime says that it runs.

    Somebody may have the image pulled by another name: a webhook that rewrites images to a mirror
    leaves the digest alone. Where it does not, the runtime's own `imageID` can confirm, and no
    more: it may also be the digest of an index that was pulled, or of the image's configuration
    [66], and is then compared with nothing. The run's own name without its digest is a pin that
    was taken back, whatever runs there now: what runs there next, nobody knows.
    """
    spec, status = pod.spec.container(container), pod.status_of(container)
    if spec is None:
        return False
    if digest_of(spec.image) == run.build:
        return True
    renamed = repository_of(spec.image) not in (None, repository_of(run.image))
    return renamed and status is not None and status.image_id.endswith(run.build)
