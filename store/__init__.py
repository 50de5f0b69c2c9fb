"""Shared memory behind one interface: claims, history, caches, evidence. Knows no controller."""

from store.api import (
    SCHEMA,
    Claim,
    Meta,
    Place,
    SeenBuild,
    StateStore,
    StoreError,
    StoreForgot,
    StoreItemUnusable,
    StoreMisused,
    StoreUnavailable,
    Transition,
)
from store.leftovers import Kind, Leftover, Sweeper
from store.memory import MemoryStore
from store.opening import is_memory, open_store
from store.passing_on import PassingStore
from store.read_only import ReadOnlyStore

__all__ = [
    "SCHEMA",
    "Claim",
    "Kind",
    "Leftover",
    "MemoryStore",
    "Meta",
    "PassingStore",
    "Place",
    "ReadOnlyStore",
    "SeenBuild",
    "StateStore",
    "StoreError",
    "StoreForgot",
    "StoreItemUnusable",
    "StoreMisused",
    "StoreUnavailable",
    "Sweeper",
    "Transition",
    "is_memory",
    "open_store",
]
