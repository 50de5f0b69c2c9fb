"""Where the kubelet gets images from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from controller.domain.reference import Reference, ReferenceFault
from controller.simulator.registry.catalogue import Catalogue
from controller.simulator.registry.simulated_build import BOTH, Shape, SimulatedBuild

OTHERS = frozenset({"docker.io/library/busybox", "docker.io/library/bootstrap-controller"})


@dataclass(frozen=True)
class Image:
    digest: str  # what was pulled
    build: SimulatedBuild | None  # None for an image that only runs on (a log shipper)
    # What the runtime calls it: by its tag, or else by the digest of its configuration
    called: str = ""


class PullError(Exception):
    """The kubelet's ErrImagePull. reason: `InvalidImageName` where no pull was tried."""

    def __init__(self, sentence: str, reason: str = "ErrImagePull") -> None:
        super().__init__(sentence)
        self.reason = reason


class Images(Protocol):
    """Resolves what a pod names, at the moment when it is pulled."""

    def resolve(self, image: str) -> Image:
        """Raises PullError."""
        ...


class RegistryImages:
    """Images of a simulated registry, read in process: kubelets cost it no request and no pull.

    others: repositories that are not in it and run idle, unless a program of `Programs` does. One
    of them is bootstrap-controller's own, as if it lay on the machine. broken: asked before every
    pull; what it returns is the sentence of a failure.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        others: frozenset[str] = OTHERS,
    ) -> None:
        self._catalogue = catalogue
        self._others = others
        self.broken: Callable[[str], str | None] = lambda _: None

    def resolve(self, image: str) -> Image:
        try:
            reference = Reference.parse(image)
        except ReferenceFault as fault:
            raise PullError(
                f'Failed to apply default image tag "{image}": couldn\'t parse image name'
                f' "{image}": invalid reference format',
                "InvalidImageName",
            ) from fault
        if sentence := self.broken(image):
            raise PullError(sentence)
        if str(reference.repository) in self._others:
            return Image("sha256:" + "0" * 64, None)
        wanted = reference.digest or reference.tag or "latest"
        digest = self._catalogue.resolve(reference.repository.path, wanted)
        build = self._catalogue.build_of(digest) if digest else None
        if digest is None or build is None:
            raise PullError(
                f'failed to pull and unpack image "{reference.repository}:{wanted}": failed to'
                f' resolve reference "{reference.repository}:{wanted}":'
                f" {reference.repository}:{wanted}: not found"
            )
        _, config = build.manifest(BOTH[0], Shape.INDEX)
        by_tag = f"{reference.repository}:{wanted}"
        return Image(digest, build, config.digest if reference.digest else by_tag)
