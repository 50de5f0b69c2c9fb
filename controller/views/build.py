"""One build as a release manager looks at it: where it was tested, and where it passed."""

from controller.views.parts import Moment, View
from controller.views.run import RunView

# What may be said of a build on a target
PASSED, FAILED, ABORTED, OPEN = "passed", "failed", "aborted", "open"
CLAIMED = "claimed"  # tested by a run that nobody remembers, or about to be
PASSED_BY = "passed by"  # the tag pointed to it, and it was not tested


class BuildOnTarget(View, frozen=True, kw_only=True):
    """What became of a build on one target."""

    target: str  # slug
    state: str  # of the words above
    run: RunView | None = None  # its last run there; None where nobody remembers one
    seen: Moment | None = None  # when the target's tag was first seen to point to it


class BuildView(View, frozen=True, kw_only=True):
    """A build, by the digest of its platform manifest."""

    build: str
    indexes: tuple[str, ...] = ()  # digests that tags pointed to, as far as runs remember them
    tags: tuple[str, ...] = ()
    version: str = ""
    commit: str = ""
    seen: Moment | None = None  # when any tag was first seen to point to it
    targets: tuple[BuildOnTarget, ...] = ()  # by slug
