"""Does several things with the store, none of which is kept from it by another's key."""

from types import TracebackType

from store.api import StoreItemUnusable


class Apart:
    """Each block entered with it ends where a key or value of the store cannot be used, and the
    first such error is kept; all others pass.
    """

    def __init__(self) -> None:
        self.error: StoreItemUnusable | None = None

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, StoreItemUnusable):
            return False
        self.error = self.error or error
        return True

    def end(self) -> None:
        """Raises the first of the errors, if there was one."""
        if self.error is not None:
            raise self.error
