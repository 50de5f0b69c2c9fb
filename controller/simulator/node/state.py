"""What a node knows of itself at a moment: the source of its checks, metrics and API answers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from controller.domain.target import SyncMode
from controller.simulator.node.health import PRIMARY, Check, Verdict
from controller.simulator.node.planned_behaviour import LOW_STAKE, Plan
from controller.simulator.node.planned_exit import disk_fills
from controller.simulator.node.progress import (
    GENESIS,
    ChainNumbers,
    Progress,
    chain_numbers,
    chain_share,
)
from controller.simulator.node.settings import NodeSettings

PEERS = 5  # enough that one more or less is seen
_FEW, _ENOUGH = 0.55, 0.8  # shares of the stake


@dataclass
class NodeState:
    """Moves with `advance`; holds no clock."""

    settings: NodeSettings
    plan: Plan  # may be replaced while it runs
    progress: Progress
    age: float = 0.0  # seconds since the process began to serve
    stalled: bool = False
    frozen: bool = False  # this process takes no new block
    outages: dict[str, str] = field(default_factory=dict)  # checks made to fail, name to error
    at_start: dict[str, ChainNumbers] = field(init=False)  # by chain, when the process began

    def __post_init__(self) -> None:
        self.at_start = {chain: self.numbers(chain) for chain in self.settings.chains}

    @property
    def bootstrapped(self) -> bool:
        return self.progress.done >= self.plan.bootstrap_seconds

    @property
    def share(self) -> float:
        """Of the bootstrap, [0, 1]."""
        if self.bootstrapped:
            return 1.0
        return self.progress.done / self.plan.bootstrap_seconds

    def advance(self, seconds: float, now: datetime) -> None:
        """Works for so long: on the bootstrap first, then on new blocks. now: when that is over."""
        self.age += seconds
        if self.stalled:
            seconds = 0.0
        end = min(self.plan.bootstrap_seconds, self.plan.stall_after or inf)
        work = min(seconds, max(0.0, end - self.progress.done))
        self.progress.done += work
        if self.bootstrapped and not self.plan.quiet:
            self._follow(seconds - work, now)

    def _follow(self, seconds: float, now: datetime) -> None:
        progress = self.progress
        if progress.tip_at == GENESIS:  # the bootstrap ended just then, at the tip
            progress.tip_at = now - timedelta(seconds=seconds)
        if self.frozen or self.plan.heights_frozen:
            return
        blocks = int(progress.beyond)
        progress.beyond += seconds
        if int(progress.beyond) > blocks:
            progress.tip_at = now - timedelta(seconds=progress.beyond % 1)

    def block_time(self, chain: str, height: int) -> datetime:
        """When the chain came to that height; below the tip, as if a block a second always came."""
        older = timedelta(seconds=self.numbers(chain).height - height)
        return max(GENESIS, self.progress.tip_at - older)

    def numbers(self, chain: str) -> ChainNumbers:
        share = chain_share(chain, self.share, only_p=self.settings.chains == ("P",))
        return chain_numbers(
            chain,
            share,
            int(self.progress.beyond),  # one block a second, near enough to what C does
            state_sync=self.settings.mode is SyncMode.STATE,
        )

    @property
    def peers(self) -> int:
        return 0 if self.plan.no_peers else PEERS

    @property
    def disk_full(self) -> bool:
        after = self.plan.disk_full_after
        return after is not None and self.age >= after / 2 and disk_fills(self.plan, self.progress)

    def checks(self) -> list[Check]:
        """Those of [89] but `shuttingDown`, which comes with the end; `validation` only in partial
        sync.
        """
        checks = [
            Check("network", self._network),
            Check(
                "router", lambda: ({"longestRunningRequest": "0s", "outstandingRequests": 0}, None)
            ),
            Check("database", lambda: (None, None)),
            Check("diskspace", self._diskspace),
            Check("bls", lambda: ("node is not a validator", None)),
            Check("futureupgrade", lambda: (None, None)),
            Check("bootstrapped", self._bootstrapped),
            *(Check(c, lambda c=c: self._chain(c), PRIMARY) for c in self.settings.chains),  # type: ignore[misc]
        ]
        if self.settings.mode is SyncMode.P_CHAIN:
            checks.append(Check("validation", lambda: ("node is not a validator", None)))
        return [Check(c.name, lambda c=c: self._or_outage(c), c.tag) for c in checks]  # type: ignore[misc]

    def _or_outage(self, check: Check) -> Verdict:
        message, error = check.run()
        planned = (u.error for u in self.plan.unhealthy if u.check == check.name and u.at(self.age))
        return message, self.outages.get(check.name) or next(planned, None) or error

    def _network(self) -> Verdict:
        error = None if self.peers else "not connected to a minimum of 1 peer(s) only 0"
        return {
            "connectedPeers": self.peers,
            "sendFailRate": 0,
            "timeSinceLastMsgReceived": "1s",
            "timeSinceLastMsgSent": "1s",
        }, error

    def _diskspace(self) -> Verdict:
        percentage = 7 if self.disk_full else 64  # below 10 is unhealthy, below 3 the end [91]
        error = (
            "remaining available disk space percentage (7%) is below warning threshold available"
            " space percentage (10%)"
        )
        return {
            "availableDiskBytes": percentage * 10**10,
            "availableDiskPercentage": percentage,
        }, error if self.disk_full else None

    def _bootstrapped(self) -> Verdict:
        if self.bootstrapped:
            return [], None
        return [PRIMARY], "subnets not bootstrapped"

    def _chain(self, chain: str) -> Verdict:
        consensus = {"lastAcceptedHeight": self.numbers(chain).height, "processingBlocks": 0}
        engine = {"consensus": consensus if self.bootstrapped else {}, "vm": None}
        few = self.plan.low_stake
        networking = {"percentConnected": _FEW if few else 0.98}
        error = f"{LOW_STAKE}: connected to {_FEW:.6%}; required at least {_ENOUGH:.6%}"
        return {"engine": engine, "networking": networking}, error if few else None
