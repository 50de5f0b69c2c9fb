"""Which tags and digests the Deployments want resolved, and who wants each."""

from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Generic, TypeVar

from controller.base.errors import TargetFault
from controller.domain.decide.candidates import candidates
from controller.domain.decide.observation import Observation
from controller.domain.followed import Followed
from controller.domain.record.record import Record

H = TypeVar("H", bound=Hashable)
_NOTHING: frozenset[Followed] = frozenset()


class FollowedTags:
    """Keeps the poller's set equal to what all Deployments together want."""

    def __init__(
        self, change: Callable[[Collection[Followed], Collection[Followed]], None]
    ) -> None:
        """change: is told what is wanted by now, and what by nobody any more."""
        self._change = change
        self._by_key: dict[str, frozenset[Followed]] = {}
        self._keys = _KeysOf[Followed]()
        self._targets: dict[str, str] = {}
        self._on_target = _KeysOf[str]()
        # What the last note of a key was made of: while both stand, it wants the same
        self._noted: dict[str, tuple[object, object]] = {}

    def note(self, key: str, o: Observation) -> None:
        noted = self._noted.get(key)
        if noted is not None and noted[0] is o.request and noted[1] is o.record:
            return
        self._noted[key] = o.request, o.record
        record = o.record if isinstance(o.record, Record) else None
        wanted = _NOTHING
        if not isinstance(o.request, TargetFault):
            wanted = frozenset(followed for _, followed in candidates(o.request, record))
            self._place(key, str(o.request.target))
        self._want(key, wanted)

    def siblings(self, key: str) -> list[str]:
        """The other Deployments of its target, as it was when last seen."""
        target = self._targets.get(key)
        return [other for other in self._on_target.of(target) if other != key] if target else []

    def forget(self, key: str) -> None:
        self._noted.pop(key, None)
        target = self._targets.pop(key, None)
        if target is not None:
            self._on_target.drop(target, key)
        self._want(key, _NOTHING)
        self._by_key.pop(key, None)

    def keys_of(self, followed: Followed) -> list[str]:
        """The Deployments that want this resolved."""
        return self._keys.of(followed)

    def tags(self) -> set[tuple[str, str]]:
        """(repository, tag) of all that is polled; digests are not."""
        everything = (followed for followed in self._keys.all() if not followed.fixed)
        return {(str(followed.repository), followed.reference) for followed in everything}

    def _place(self, key: str, target: str) -> None:
        before = self._targets.get(key)
        if before == target:
            return
        if before is not None:
            self._on_target.drop(before, key)
        self._targets[key] = target
        self._on_target.add(target, key)

    def _want(self, key: str, wanted: frozenset[Followed]) -> None:
        before = self._by_key.get(key, _NOTHING)
        self._by_key[key] = wanted
        more = [followed for followed in wanted - before if self._keys.add(followed, key)]
        gone = [followed for followed in before - wanted if self._keys.drop(followed, key)]
        if more or gone:
            self._change(more, gone)


class _KeysOf(Generic[H]):
    """Keys below what they have in common, in the order in which they came."""

    def __init__(self) -> None:
        self._keys: dict[H, dict[str, None]] = {}

    def of(self, what: H) -> list[str]:
        return list(self._keys.get(what, ()))

    def all(self) -> Iterable[H]:
        return self._keys

    def add(self, what: H, key: str) -> bool:
        """Whether it is the first."""
        keys = self._keys.setdefault(what, {})
        keys[key] = None
        return len(keys) == 1

    def drop(self, what: H, key: str) -> bool:
        """Whether it was the last."""
        keys = self._keys.get(what, {})
        keys.pop(key, None)
        if not keys:
            self._keys.pop(what, None)
        return not keys
