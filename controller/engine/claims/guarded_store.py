"""The store as everybody but the ledger uses it: not before the ledger has found it to be ours."""

from collections.abc import Callable

from store.api import StateStore
from store.passing_on import PassingStore


class GuardedStore(PassingStore):
    """Passes every call on. admit: raises StoreUnavailable or StoreMisused while nothing may be
    read or written there, for it may be another cluster's memory.
    """

    def __init__(self, store: StateStore, admit: Callable[[], None]) -> None:
        super().__init__(store)
        self._admit = admit

    def _reach(self) -> StateStore:
        self._admit()
        return super()._reach()
