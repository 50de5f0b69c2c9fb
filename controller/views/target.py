"""One target as people look at it: what is tested there now, and what was before."""

from controller.views.parts import View
from controller.views.run import RunView


class TargetView(View, frozen=True, kw_only=True):
    """runs: those that are over, newest first, as many as were asked for."""

    target: str  # slug
    deployments: tuple[str, ...] = ()  # that test it now, `namespace/name`
    open: tuple[RunView, ...] = ()
    runs: tuple[RunView, ...] = ()
    tested: int | None = None  # builds tested, of `seen`; None where the store does not tell
    seen: int | None = None  # builds that its tag pointed to
