"""Whether a container runs a build: by digest, whatever its image is called."""

from controller.domain.build import Build
from controller.domain.objects import Pod
from controller.domain.reference import digest_of


def shows_build(pod: Pod, container: str, build: Build) -> bool:
    """By the pod's spec, or by what the runtime says that it runs.

    Somebody may have the image pulled by another name: a webhook that rewrites images to a mirror
    leaves the digest alone. The runtime's own `imageID` can only confirm: it may also be the digest
    of an index that was pulled, or of the image's configuration [66], and then it is compared with
    nothing.
    """
    spec, status = pod.spec.container(container), pod.status_of(container)
    if spec is not None and digest_of(spec.image) == build:
        return True
    return status is not None and status.image_id.endswith(build)
