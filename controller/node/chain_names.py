"""Names of chains as a node gives them, made fit to be keys, and few enough to be kept."""

from collections.abc import Mapping

from controller.base.text import shown
from controller.domain.pace.stages import CHAINS

_MOST = 16  # a node has three chains, and one for each subnet that it was told to track
_LONGEST = 64  # characters; the id of a chain without a name has fifty


class ChainNames:
    """Lets in sixteen names: the primary network's three always, of others the first that came."""

    def __init__(self) -> None:
        self._others: set[str] = set()

    def key(self, name: str) -> str | None:
        """The name, fit to be shown; None where there is no room for it, or nothing in it."""
        key = shown(name, _LONGEST)
        if key in CHAINS or key in self._others:
            return key
        if not key or len(self._others) >= _MOST - len(CHAINS):
            return None
        self._others.add(key)
        return key


def highest(*sources: Mapping[str, int]) -> dict[str, int]:
    """Of each chain the greatest height that any source tells. A height never goes back, so what
    tells less is only older: health checks are of up to half a minute ago [88].
    """
    names = ChainNames()
    heights: dict[str, int] = {}
    for source in sources:
        for name, height in source.items():
            if (chain := names.key(name)) is not None:
                heights[chain] = max(height, heights.get(chain, 0))
    return heights
