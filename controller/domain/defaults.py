"""Every default number that a verdict or a start depends on, in one table, each with its reason."""

from dataclasses import dataclass, field

from controller.domain.target import SyncMode

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

COMPARE_URL = "https://github.com/ava-labs/avalanchego/compare/{good}...{bad}"


def _timeouts() -> dict[str, dict[SyncMode, float]]:
    """By network; of a network that is not here, those of the empty name."""
    return {
        # Full sync executes some 100 million blocks of C, 19 a second in 60 days. An archive took
        # more than 30 days: three times as long. State sync takes a day or two where all goes well,
        # and is "usually under five days". P-chain only: a day or so; three leave room for a slow
        # volume. Of 2026-11 [119].
        "mainnet": {
            SyncMode.FULL: 60 * DAY,
            SyncMode.ARCHIVE: 90 * DAY,
            SyncMode.STATE: 7 * DAY,
            SyncMode.P_CHAIN: 3 * DAY,
        },
        # Fuji: a day or so, its documentation said in 2026-08, and nobody reports another figure
        # [119]. Networks of one's own are smaller. A month bears a slow machine.
        "": {
            SyncMode.FULL: 30 * DAY,
            SyncMode.ARCHIVE: 30 * DAY,
            SyncMode.STATE: 7 * DAY,
            SyncMode.P_CHAIN: 3 * DAY,
        },
    }


@dataclass(frozen=True)
class Rules:
    """The rules by which runs are started, judged and told of; the values here are the defaults.
    Seconds, unless a name says otherwise.
    """

    # What annotations may set
    timeouts: dict[str, dict[SyncMode, float]] = field(default_factory=_timeouts)
    soak: float = 10 * MINUTE  # twenty evaluations of the node's own checks, at one each 30 s [88]
    keep_failed_data: float = 72 * HOUR  # a failure on Friday evening is still there on Monday

    # Passing
    # A node makes its checks each 30 s [88]. They may be late for three rounds, as when a block
    # takes long; after that they stand.
    checks_late: float = 1.5 * MINUTE
    tip_age: float = 10 * MINUTE  # C on mainnet and fuji makes a block each few seconds
    p_chain_age: float = 24 * HOUR  # P makes blocks all day long, and may rest for an hour

    # Failing, by what is counted
    crash_limit: int = 6  # restarts; a node that restarts five times and recovers is no failure
    same_limit: int = 2  # ends at one and the same place: more restarts teach nothing
    crash_calm: float = 6 * HOUR  # up for so long, a node has recovered: its restarts are forgotten
    exit_zero_limit: int = 2  # exits with 0 that nobody asked for; one, where its log says panic

    # Failing, by observed time without a break. Where a pod can still come up, as long as a night
    # shift needs to see it; where only a person can mend it, shorter.
    condition_told: float = 10 * MINUTE  # a condition that lasts so long is told
    # Where the node has not run for so long, whatever kept it, what keeps it now is told sooner.
    obstacle_told: float = MINUTE
    others_calm: float = 10 * MINUTE  # after which a kubelet forgets a container's failures, too
    image_pull_patience: float = 6 * HOUR  # Docker Hub counts pulls over six hours [75]
    unschedulable_patience: float = 12 * HOUR  # a pool that grows, a volume that moves, a new quota
    config_patience: float = HOUR  # a container that cannot be made, a Host that is refused
    volume_patience: float = 6 * HOUR  # the init container cannot use the volume
    no_peers_patience: float = 6 * HOUR  # a firewall is mended by people
    # Its log says that peers run newer versions, and none stays: only a newer build mends that. A
    # node asks each known peer again once a minute, and so has been refused by all of them.
    moved_on_patience: float = 30 * MINUTE
    silence_patience: float = 12 * HOUR  # the database of terabytes is opened before it serves [92]
    # Nothing moves, by what moved last. Fetching has peers that answer in seconds; executing may
    # sit on one range of huge blocks or compact its database; a state sync ends with rebuilding
    # tries and snapshots, of which no counter tells.
    stall_fetching: float = 2 * HOUR
    stall_executing: float = 6 * HOUR
    stall_syncing: float = 12 * HOUR
    # A network that halts takes all its nodes with it, for hours: no fault of the build's.
    unhealthy_patience: float = 6 * HOUR
    tip_patience: float = 6 * HOUR

    gone_patience: float = 10 * MINUTE  # delete and apply again, also by a slow GitOps sync

    # A pin that somebody took back
    revert_limit: int = 2  # a third would be a fight with whoever owns the manifest [147]
    revert_delays: tuple[float, ...] = (5.0, 60.0)  # before a pod touches the data; then calmer
    foreign_limit: int = 2  # new attempts at a build whose data another image has touched

    # Doubt
    max_skew: float = 60.0  # of our clock and the API server's; NTP keeps them within a second
    gap_factor: float = 3.0  # probe intervals without a look are a gap in observation: two may fail
    longest_look: float = 90.0  # and none is shorter than a look that hangs at every question

    # Telling
    # A condition of less certainty stands in the message when two looks have seen it, half a minute
    # apart: one may be lost, and a pod that changes is looked at several times at once.
    condition_said: float = 20.0
    message_rest: float = MINUTE  # between two changes of a message by conditions that come and go
    hold_warning: float = HOUR  # before held data may be replaced; a shorter hold has no warning
    compare_url: str = COMPARE_URL  # of the two commits; empty: no link
    store_patience: float = 60.0  # that it is away; a restart of Redis takes less

    # Noting, in the record, what was observed, where no store outlives the process. A process that
    # was just started may end soon: it notes first what a store is given every five minutes too.
    note_first: float = 5 * MINUTE
    # And one that stays: a patch each half hour of an open run; its end costs a timeout no more.
    note_latest: float = 30 * MINUTE

    # Sizes
    record_bytes: int = 16 * 1024  # of the 256 KiB that all annotations of an object share
    outcomes: int = 10
    tested: int = 100
    steps: int = 8  # transitions kept for sinks that were away
    progress_bytes: int = 2048  # of the text of an open run's progress
    message_bytes: int = 512
    held_bytes: int = 145  # of these: what a hold says before the message of a failure

    def timeout(self, network: str, mode: SyncMode) -> float:
        """Seconds that a run may take where its Deployment does not say."""
        return self.timeouts.get(network, self.timeouts[""])[mode]
