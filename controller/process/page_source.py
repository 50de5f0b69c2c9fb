"""What the page shows of this process: `controller.page.source.Source`."""

from collections.abc import Callable, Sequence

from controller.domain.objects import Deployment
from controller.process.leading import Leading
from controller.views.deployment import record_on
from controller.views.reading import Reading
from store.api import StateStore


class PageSource:
    """`leading` is set anew for each time of leading."""

    def __init__(self, store: StateStore, standing: Callable[[], str]) -> None:
        """standing: how this controller stands, in one sentence."""
        self._store = store
        self._standing = standing
        self._handlers: list[Callable[[str], None]] = []
        self._leading: Leading | None = None

    @property
    def standing(self) -> str:
        return self._standing()

    def leads(self, leading: Leading | None) -> None:
        """None: not any more."""
        self._leading = leading
        if leading is not None:
            leading.on_change(self.changed)
        self.changed("*")

    def reading(self) -> Reading | None:
        if self._leading is None or not self._leading.works:
            return None
        records = [r for d in self.deployments() if (r := record_on(d)) is not None]
        return Reading(self._store, records)

    def deployments(self) -> Sequence[Deployment]:
        return self._leading.deployments() if self._leading else ()

    def followed(self) -> set[tuple[str, str]]:
        return self._leading.followed() if self._leading else set()

    def on_change(self, handler: Callable[[str], None]) -> None:
        self._handlers.append(handler)

    def changed(self, key: str) -> None:
        """key: as in the port `Source`."""
        for handler in self._handlers:
            handler(key)
