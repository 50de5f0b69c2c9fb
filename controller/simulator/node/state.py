"""What a node knows of itself at a moment: the source of its checks, metrics and API answers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from controller.domain.target import SyncMode
from controller.simulator.node.planned_behaviour import Plan
from controller.simulator.node.planned_exit import disk_fills
from controller.simulator.node.progress import (
    BLOCKS,
    GENESIS,
    P_SHARE,
    STATE_SHARE,
    ChainNumbers,
    Progress,
    chain_numbers,
    chain_share,
    share_with_pause,
)
from controller.simulator.node.settings import NodeSettings

PEERS = 5  # enough that one more or less is seen
_ATTEMPT = 2.5  # seconds between two connections of a peer that refuses this node
_TRY = 2.0  # seconds between two requests of a stuck state sync
_BISECTIONS = 60  # to find the work at which a height is reached


@dataclass
class NodeState:
    """Moves with `advance`; holds no clock."""

    settings: NodeSettings
    plan: Plan  # may be replaced while it runs
    progress: Progress
    age: float = 0.0  # seconds since the process began to serve
    starting: bool = False  # it has met nobody yet
    born: float = 0.0  # when the process began, in seconds since 1970
    stalled: bool = False
    frozen: bool = False  # this process takes no new block
    outages: dict[str, str] = field(default_factory=dict)  # checks made to fail, name to error
    at_start: dict[str, ChainNumbers] = field(init=False)  # by chain, when the process began
    locked_for: float = 0.0  # seconds since C returned last; 0: it does not hang

    def __post_init__(self) -> None:
        self.at_start = {chain: self.numbers(chain) for chain in self.settings.chains}

    @property
    def bootstrapped(self) -> bool:
        return self.progress.done >= self.plan.bootstrap_seconds and not self._never_ends

    @property
    def share(self) -> float:
        """Of the bootstrap, [0, 1]."""
        if self.progress.done >= self.plan.bootstrap_seconds:
            return 1.0
        return self.progress.done / self.plan.bootstrap_seconds

    @property
    def chains(self) -> tuple[str, ...]:
        """Those that exist: C and X are made when P is done [scene moved-on]."""
        only_p = self.share < P_SHARE or (self.alone and not self.bootstrapped)
        return self.settings.chains[:1] if only_p else self.settings.chains

    @property
    def syncs_state(self) -> bool:
        """Whether C does: it may be told to, and skip it [scene state-sync-skipped]."""
        return self.settings.mode is SyncMode.STATE and self.plan.summary != "Skipped"

    @property
    def locked(self) -> bool:
        """C hangs at a block."""
        return 0 < self.locked_for <= self.plan.lock_seconds

    @property
    def failed_requests(self) -> int:
        """Of a state sync that is stuck."""
        stuck = self.syncs_state and self.plan.sync_stuck and "C" in self.chains
        return int(self.age / _TRY) if stuck else 0

    @property
    def refusals(self) -> int:
        """How often a peer of a newer version has broken off."""
        return int(self.age / _ATTEMPT) if self.plan.moved_on else 0

    @property
    def _never_ends(self) -> bool:
        stuck = self.syncs_state and self.plan.sync_stuck
        return self.settings.chains != ("P",) and bool(stuck or self.plan.cannot_parse)

    def advance(self, seconds: float, now: datetime) -> None:
        """Works for so long: on the bootstrap first, then on new blocks. now: when that is over."""
        self.age += seconds
        if self.stalled or self.alone:
            seconds = 0.0
        end = min(self.plan.bootstrap_seconds, self.plan.stall_after or inf, self._work_allowed())
        work = min(seconds, max(0.0, end - self.progress.done))
        self.progress.done += work
        if self.bootstrapped and not self.plan.quiet:
            self._follow(seconds - work, now)
        if self.plan.locked_at is not None and self._at_the_lock(self.plan.locked_at):
            self.locked_for += max(seconds - work, 1e-9)

    def _follow(self, seconds: float, now: datetime) -> None:
        progress = self.progress
        if progress.tip_at == GENESIS:  # the bootstrap ended just then, at the tip
            progress.tip_at = now - timedelta(seconds=seconds)
        if self.frozen or self.plan.heights_frozen:
            return
        blocks = int(progress.beyond)
        progress.beyond += seconds
        locked_at = self.plan.locked_at
        if locked_at is not None and not self._lock_is_over:
            progress.beyond = min(progress.beyond, max(0, locked_at - BLOCKS["C"]) - 1e-6)
        if int(progress.beyond) > blocks:
            progress.tip_at = now - timedelta(seconds=progress.beyond % 1)

    @property
    def _lock_is_over(self) -> bool:
        return self.locked_for > self.plan.lock_seconds

    def _at_the_lock(self, height: int) -> bool:
        if self._lock_is_over or "C" not in self.chains:
            return False
        if self.bootstrapped:
            return self.progress.beyond >= height - BLOCKS["C"] - 1e-5
        return self.progress.done >= self._work_allowed()

    def _work_allowed(self) -> float:
        """Seconds of work after which C would come to the block at which it hangs."""
        height, whole = self.plan.locked_at, self.plan.bootstrap_seconds
        if height is None or height > BLOCKS["C"] or self._lock_is_over or whole in {0.0, inf}:
            return inf
        low, high = 0.0, whole
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if self._c_numbers(middle / whole).height < height:
                low = middle
            else:
                high = middle
        return low

    def block_time(self, chain: str, height: int) -> datetime:
        """When the chain came to that height; below the tip, as if a block a second always came."""
        older = timedelta(seconds=self.numbers(chain).height - height)
        return max(GENESIS, self.progress.tip_at - older)

    def numbers(self, chain: str) -> ChainNumbers:
        if chain == "C":
            return self._c_numbers(self.share)
        share = chain_share(chain, self.share, only_p=self.settings.chains == ("P",))
        return chain_numbers(chain, share, self._beyond, state_sync=False)

    def _c_numbers(self, whole: float) -> ChainNumbers:
        """whole: share of the bootstrap that is done."""
        plan = self.plan
        share = chain_share("C", whole, only_p=False)
        if plan.cannot_parse:
            share = 0.0
        elif self.syncs_state and plan.sync_stuck:
            share = min(share, STATE_SHARE)
        elif plan.compacts_for and not self.syncs_state:
            pause = plan.compacts_for / (plan.bootstrap_seconds * (1 - P_SHARE))
            share = share_with_pause(share, pause)
        return chain_numbers("C", share, self._beyond, state_sync=self.syncs_state)

    @property
    def _beyond(self) -> int:
        """Blocks since the bootstrap: one a second, near enough to what C does."""
        return int(self.progress.beyond)

    @property
    def peers(self) -> int:
        return 0 if self.alone else PEERS

    @property
    def alone(self) -> bool:
        """Nobody stays connected: then nothing moves."""
        return self.plan.no_peers or bool(self.plan.moved_on)

    @property
    def disk_full(self) -> bool:
        after = self.plan.disk_full_after
        return after is not None and self.age >= after / 2 and disk_fills(self.plan, self.progress)
