"""What is resolved again and again: a tag, or once a digest, for a platform."""

from dataclasses import dataclass

from controller.domain.build import Platform
from controller.domain.reference import Repository


@dataclass(frozen=True)
class Followed:
    """One thing to resolve."""

    repository: Repository
    reference: str  # a tag or a digest
    platform: Platform  # whose manifest is the build, where there is an index

    @property
    def fixed(self) -> bool:
        """A digest: what it stands for never changes."""
        return ":" in self.reference
