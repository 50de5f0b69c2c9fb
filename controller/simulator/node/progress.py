"""How far a node has come: what its database holds, and the numbers that it shows for it."""

from dataclasses import dataclass
from datetime import UTC, datetime

BLOCKS = {"P": 24_000, "X": 6_000, "C": 60_000}  # heights at the tip; any numbers that differ do
LEAFS = 900_000  # of the C-chain's state
P_SHARE = 0.25  # C and X begin when P is done; a quarter keeps them apart in a short demo
_X_IS_SHORTER = 3
STATE_SHARE = 0.8  # of a state sync's work is leafs, the rest the last blocks
SUMMARY_LAG = 256  # blocks between the state summary and the tip
GENESIS = datetime(2020, 9, 21, tzinfo=UTC)  # any time long past


@dataclass
class Progress:
    """A node's database: it outlives the process, and a restart goes on from it."""

    done: float = 0.0  # seconds of bootstrap work
    beyond: float = 0.0  # seconds lived since
    starts: int = 0  # processes that used it; of these ended by a crash:
    crashes: int = 0
    network: str = ""  # whose history it is: another network cannot open it [103]; empty: new
    clean: bool = True  # whether the last process closed it [118]
    tip_at: datetime = GENESIS  # time of the newest block, on every chain
    full_disks: int = 0  # processes that ended so, as those below
    panics: int = 0
    caught: int = 0  # of panics
    ooms: int = 0


@dataclass(frozen=True)
class ChainNumbers:
    """Where a chain is."""

    fetched: int = 0  # blocks since genesis
    accepted: int = 0  # likewise
    leafs: int = 0  # of a state sync
    height: int = 0  # last accepted

    def since(self, start: "ChainNumbers") -> "ChainNumbers":
        """The counters as a process shows them that began at `start`: they reset [108]."""
        return ChainNumbers(
            self.fetched - start.fetched,
            self.accepted - start.accepted,
            self.leafs - start.leafs,
            self.height,
        )


def chain_numbers(
    chain: str, share: float, blocks_beyond: int, *, state_sync: bool
) -> ChainNumbers:
    """The numbers of one chain at a share [0, 1] of its own work: fetching comes before executing,
    so one counter stands still while the other moves [112].
    """
    blocks = BLOCKS[chain]
    if chain == "C" and state_sync:
        leafs = int(LEAFS * min(1.0, share / STATE_SHARE))
        rest = max(0.0, (share - STATE_SHARE) / (1 - STATE_SHARE))
        fetched, accepted = _two_halves(SUMMARY_LAG, rest)
        height = blocks - SUMMARY_LAG + accepted if rest > 0 else 0
        return ChainNumbers(fetched, accepted, leafs, height + blocks_beyond)
    fetched, accepted = _two_halves(blocks, share)
    return ChainNumbers(fetched, accepted, 0, accepted + blocks_beyond)


def _two_halves(blocks: int, share: float) -> tuple[int, int]:
    return int(blocks * min(1.0, 2 * share)), int(blocks * max(0.0, 2 * share - 1))


def chain_share(chain: str, whole: float, *, only_p: bool) -> float:
    """A chain's share of its own work at a share of the whole: P first, then X and C together, of
    which X is the shorter.
    """
    if only_p:
        return whole
    if chain == "P":
        return min(1.0, whole / P_SHARE)
    share = max(0.0, (whole - P_SHARE) / (1 - P_SHARE))
    return min(1.0, _X_IS_SHORTER * share) if chain == "X" else share


def share_with_pause(share: float, pause: float) -> float:
    """What is done of a chain's work at a share [0, 1] of its time, of which the share `pause` in
    the middle brings nothing forward.
    """
    before = (1 - pause) / 2
    if share <= before:
        return share / (1 - pause)
    return 0.5 if share < before + pause else (share - pause) / (1 - pause)
