"""Which tags and digests the Deployments want resolved, and who wants each."""

from collections.abc import Callable, Iterable

from controller.base.errors import TargetFault
from controller.domain.decide.candidates import candidates
from controller.domain.decide.observation import Observation
from controller.domain.followed import Followed
from controller.domain.record.record import Record


class FollowedTags:
    """Keeps the poller's set equal to what all Deployments together want."""

    def __init__(self, follow: Callable[[Iterable[Followed]], None]) -> None:
        self._follow = follow
        self._by_key: dict[str, frozenset[Followed]] = {}
        self._targets: dict[str, str] = {}

    def note(self, key: str, o: Observation) -> None:
        record = o.record if isinstance(o.record, Record) else None
        wanted: frozenset[Followed] = frozenset()
        if not isinstance(o.request, TargetFault):
            wanted = frozenset(followed for _, followed in candidates(o.request, record))
            self._targets[key] = str(o.request.target)
        if self._by_key.get(key) != wanted:
            self._by_key[key] = wanted
            self._tell()

    def siblings(self, key: str) -> list[str]:
        """The other Deployments of its target, as it was when last seen."""
        target = self._targets.get(key)
        return [other for other, its in self._targets.items() if its == target and other != key]

    def forget(self, key: str) -> None:
        self._targets.pop(key, None)
        if self._by_key.pop(key, None):
            self._tell()

    def keys_of(self, followed: Followed) -> list[str]:
        """The Deployments that want this resolved."""
        return [key for key, wanted in self._by_key.items() if followed in wanted]

    def tags(self) -> set[tuple[str, str]]:
        """(repository, tag) of all that is polled; digests are not."""
        everything = (f for wanted in self._by_key.values() for f in wanted if not f.fixed)
        return {(str(followed.repository), followed.reference) for followed in everything}

    def _tell(self) -> None:
        self._follow({followed for wanted in self._by_key.values() for followed in wanted})
