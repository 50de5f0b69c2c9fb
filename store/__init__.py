"""Shared memory behind one interface: claims, history, caches, evidence. Knows no controller."""

from store.api import (
    SCHEMA,
    Claim,
    Meta,
    SeenBuild,
    StateStore,
    StoreError,
    StoreForgot,
    StoreMisused,
    StoreUnavailable,
    Transition,
)
from store.memory_store import MemoryStore
from store.opening import open_store
from store.passing import PassingStore
from store.reading import ReadOnlyStore

__all__ = [
    "SCHEMA",
    "Claim",
    "MemoryStore",
    "Meta",
    "PassingStore",
    "ReadOnlyStore",
    "SeenBuild",
    "StateStore",
    "StoreError",
    "StoreForgot",
    "StoreMisused",
    "StoreUnavailable",
    "Transition",
    "open_store",
]
