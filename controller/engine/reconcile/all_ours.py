"""The custody of whoever shares with nobody."""

from collections.abc import Callable

from controller.domain.objects import Deployment


class AllOurs:
    """`Custody` of the engine's ports: every Deployment is ours, whatever its manifest says."""

    def elsewhere(self, deployment: Deployment) -> str | None:
        return None

    def forget(self, key: str) -> None:
        """Nothing is known of it."""

    def on_change(self, handler: Callable[[str], None]) -> None:
        """Nothing changes."""
