"""What of a history is asked for beside target and Deployment."""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.domain.run import is_of_build
from controller.engine.telling.notices import run_in
from controller.views.build import BuildView

_LEAST_DIGITS = 6  # of a digest: fewer may mean many


@dataclass(frozen=True)
class Sift:
    """Empty: everything."""

    builds: frozenset[str] | None = None  # digests, or their beginnings; None: of any
    phase: str = ""  # of the transition; empty: any
    since: float = 0.0  # seconds since 1970: nothing older

    def fits(self, *, build: str, phase: str, at: float) -> bool:
        return (
            at >= self.since
            and self.phase in ("", phase)
            and (self.builds is None or (bool(build) and any(map(build.startswith, self.builds))))
        )

    def may_fit(self, identity: str) -> bool:
        """Whether a transition of this id may fit, as far as its id tells: a run's ends with the
        first digits of its build.
        """
        run = run_in(identity)
        return self.builds is None or not run or is_of_build(run, *self.builds)

    @property
    def is_empty(self) -> bool:
        """Whether a line need not be looked at for more than its time."""
        return self.builds is None and not self.phase


EVERYTHING = Sift()


def plain_version(version: str) -> str:
    """`1.14.1`, of `avalanchego/1.14.1` and `v1.14.1`."""
    return version.rpartition("/")[2].removeprefix("v")


def builds_of_version(version: str, builds: Iterable[BuildView]) -> frozenset[str]:
    wanted = plain_version(version)
    return frozenset(each.build for each in builds if plain_version(each.version) == wanted)


def builds_named(word: str, builds: Iterable[BuildView]) -> frozenset[str]:
    """word: a digest, of a platform or of an index, or at least six digits of its beginning, with
    or without `sha256:`. Raises ValueError for less.
    """
    digits = word.removeprefix("sha256:").lower()
    if len(digits) < _LEAST_DIGITS or set(digits) - set("0123456789abcdef"):
        raise ValueError
    digest = f"sha256:{digits}"
    indexed = {each.build for each in builds if any(i.startswith(digest) for i in each.indexes)}
    return frozenset({digest, *indexed})
