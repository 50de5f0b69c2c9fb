"""What each recorded scene must become, whole: target, phases, conditions, verdict, side, sentence,
progress. A verdict is written `Phase Reason side` and may have patterns in it as file names have.
"""

from dataclasses import dataclass

FULL = "network-88888-full-sync"
STATE = "network-88888-c-chain-state-sync"
P_ONLY = "network-88888-p-chain-full-sync-only"
BLOCKED = "Blocked"
BOOTSTRAPPING = ("Bootstrapping",)
SOAKING = ("Bootstrapping", "Soaking")
PASSED = "Passed Soaked"
# The class is one of the two at which the build is not blamed, though it may be told.
UNREADABLE = "Failed * [nu]*"


@dataclass(frozen=True)
class Row:
    scene: str
    target: str  # of its manifest as it is written; BLOCKED where a person must mend it first
    phases: tuple[str, ...]  # before its verdict, in order
    # After as many of its ends as it takes, or as long as it stands; empty where the scene is not
    # held on beyond its SIGTERM, because it is too short to say how it goes on
    verdict: str = ""
    says: tuple[str, ...] = ()  # what its sentence has
    conditions: tuple[str, ...] = ()  # that people are told of, these at least
    kept: str = ""  # verdict with nothing but the kubelet's 2,048 bytes; empty: the same one
    kept_says: tuple[str, ...] | None = None  # what that sentence has; None: the same
    ends: int | None = None  # of its process, until the verdict; None: as many as it takes
    progress: tuple[str, ...] = ()  # in words, at its last page of metrics


def _passes(scene: str, target: str = FULL, *progress: str) -> Row:
    says = ("bootstrapped in", "healthy for 1")
    return Row(scene, target, SOAKING, PASSED, says, progress=progress)


def _skipped(scene: str, *progress: str) -> Row:
    """C replayed all blocks, where the target says that it syncs its state."""
    verdict, says = "Failed OtherSyncMode unclear", ("state sync",)
    return Row(scene, STATE, SOAKING, verdict, says, progress=progress)


def _machine(scene: str, target: str, reason: str, *says: str) -> Row:
    """It ends at its start, and its last line tells why: so nothing is lost of it."""
    return Row(scene, target, BOOTSTRAPPING, f"Failed {reason} infrastructure", says)


def _config(scene: str, target: str, *says: str) -> Row:
    """The same; and nothing is learned from a third end."""
    return Row(scene, target, BOOTSTRAPPING, "Failed BadConfig configuration", says, ends=2)


# What can be said where the telling line is lost.
_LOST = ("its cause is no longer in what was kept of its log", "grant pods/log")
_UNTOLD = "Failed CrashLoop unclear"
_FULL_OF_P = ("P executed 3", "P fetched 3")

ROWS = (
    _passes("after-kill"),
    Row(
        "bad-block",
        FULL,
        BOOTSTRAPPING,
        "Failed BadBlock client",
        (
            "C cannot verify block 5000 (hrgMSH1…): invalid merkle root,"
            " local 9e84…, expected c4e1…; the same at the second start",
        ),
        kept=_UNTOLD,
        kept_says=_LOST,
        ends=2,
        progress=_FULL_OF_P,
    ),
    _passes(
        "beacon-stops", FULL, "C executed 24955", "P executed 3", "C fetched 24955", "P fetched 3"
    ),
    _config("bool-flag-yes", BLOCKED, "partial-sync-primary-network"),
    Row("bool-yes", BLOCKED, BOOTSTRAPPING),
    Row(
        "c-config-not-json",
        BLOCKED,
        BOOTSTRAPPING,
        "Failed BadConfig configuration",
        ("{state-sync-enabled: false}: invalid character 's' looking for beginning of object",),
        kept=_UNTOLD,
        kept_says=_LOST,
        ends=2,
    ),
    Row(
        "cannot-parse",
        FULL,
        BOOTSTRAPPING,
        UNREADABLE,
        ("cannot read its blocks",),
        ("NothingFetched",),
        progress=_FULL_OF_P,
    ),
    _config("content-not-json", BLOCKED, "could not unmarshal JSON"),
    _machine("db-locked", FULL, "MachineFault", "resource temporarily unavailable"),
    _passes("db-table-missing"),
    _machine("db-tables-flipped", FULL, "DataDamaged", "checksum mismatch"),
    Row(
        "dead-beacon",
        FULL,
        BOOTSTRAPPING,
        "Failed NoPeers infrastructure",
        ("NoPeers", "connected to no peer"),
        ("NoPeers",),
    ),
    Row(
        "disk-low",
        FULL,
        SOAKING,
        "Failed DiskFull infrastructure",
        ("low on disk space: 1% is free",),
        kept=_UNTOLD,
        kept_says=_LOST,
    ),
    _machine("fd-limit", STATE, "MachineFault", "32768"),
    _passes("full-plain"),
    _passes("full", FULL, "C executed 10697", "C fetched 10697"),
    Row(
        "hang-when-ready",
        FULL,
        SOAKING,
        "Failed Stalled client",
        ("checks have stood still",),
        ("ChecksStand",),
        progress=("C executed 4206", "C fetched 4206"),
    ),
    Row(
        "hang",
        FULL,
        BOOTSTRAPPING,
        "Failed Stalled client",
        ("checks have stood still",),
        ("ChecksStand",),
        progress=("C executed 4999", "P executed 3", "C fetched 24955", "P fetched 3"),
    ),
    _machine("http-port-taken", STATE, "MachineFault", "address already in use"),
    _passes("low-stake", "local-full-sync", "C executed 231", "C fetched 231"),
    Row(
        "moved-on",
        FULL,
        BOOTSTRAPPING,
        "Failed NetworkMovedOn network",
        ("avalanchego/1.16.0", "avalanchego/1.14.2"),
        ("NetworkMovedOn",),
        kept="Failed NoPeers infrastructure",
        kept_says=("connected to no peer",),
    ),
    Row(
        "no-beacons",
        FULL,
        BOOTSTRAPPING,
        "Failed NoPeers infrastructure",
        ("NoPeers", "connected to no peer"),
        ("NoPeers",),
    ),
    _skipped("no-c-config", "C executed 24955", "P executed 3", "C fetched 24955", "P fetched 3"),
    Row(
        "panic",
        FULL,
        BOOTSTRAPPING,
        "Failed Panic client",
        ("C panicked: index out of range, in core.(*StateProcessor).Process",),
        kept=_UNTOLD,
        kept_says=_LOST,
        ends=2,
        progress=("P executed 3", "C fetched 24569", "P fetched 3"),
    ),
    _passes("partial", P_ONLY),
    _skipped("sae-state-sync", "C sae-executed 270", "C executed 270", "C fetched 270"),
    _passes("sae", FULL, "C sae-executed 270", "C executed 270", "C fetched 270"),
    Row("service-link", BLOCKED, BOOTSTRAPPING),
    Row(
        "slow-term",
        STATE,
        SOAKING,
        "Failed Stalled client",
        ("checks have stood still",),
        ("ChecksStand",),
    ),
    _skipped("state-sync-skipped", "C executed 16452", "C fetched 16452"),
    Row(
        "state-sync-stuck",
        STATE,
        BOOTSTRAPPING,
        "Failed Stalled client",
        ("C/state-synced moved last", "C atomic-synced: ", "requests failed, none succeeded"),
        ("NotMoving",),
        progress=("C state-synced 11463", "C blocks-synced 256"),
    ),
    Row(
        "state-sync",
        STATE,
        SOAKING,
        PASSED,
        ("bootstrapped in", "healthy for 1"),
        progress=(
            "C state-synced 24604",
            "C atomic-synced 3",
            "C blocks-synced 256",
            "C executed 379",
            "P executed 3",
            "C fetched 379",
            "P fetched 3",
        ),
    ),
    Row("term-in-bootstrap", FULL, BOOTSTRAPPING),
    _passes("term-when-ready"),
    _config("unknown-flag", STATE, "unknown flag: --no-such-flag"),
    _config("wrong-genesis", FULL, "invalid genesis hash"),
)
