"""What the page asks of the controller that it is in."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from controller.domain.objects import Deployment
from controller.views.reading import Reading


class Source(Protocol):
    """Answers from caches; only the store of a Reading waits."""

    @property
    def standing(self) -> str:
        """How this controller stands, in one sentence: it leads, or who does."""
        ...

    def reading(self) -> Reading | None:
        """A new one; None while this controller does not lead."""
        ...

    def deployments(self) -> Sequence[Deployment]:
        """All that are looked after, by key."""
        ...

    def followed(self) -> Iterable[tuple[str, str]]:
        """(repository, tag) of what is polled."""
        ...

    def on_change(self, handler: Callable[[str], None]) -> None:
        """Calls `handler` with the key of each Deployment that changed, and with `*` where this
        controller began or ceased to lead. Handlers must only note the key.
        """
        ...
