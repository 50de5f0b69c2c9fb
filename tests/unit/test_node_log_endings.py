"""How a node ended, by its log: every recorded scene, and endings made of avalanchego's own texts.

The recordings' README says what is right for each scene.
"""

from collections.abc import Sequence

import pytest

from controller.domain.decide.end_reasons import reason_of
from controller.domain.failure_class import class_of
from controller.domain.node_log.causes import EndKind
from controller.domain.node_log.ending import Ending, ending_of
from controller.domain.node_log.last_process import split_lines
from controller.domain.record.parts import Cause
from tests.node_lines import BAD_BLOCK, UNKNOWN_FATAL, in_json, plain
from tests.scenes import Scene, scene, scenes

# Scene: (kind, what the sentence holds) of the whole log; of the 2048 bytes that the kubelet keeps.
# All others were ended by SIGTERM.
ENDED: dict[str, tuple[EndKind, str, EndKind]] = {
    "bad-block": (
        EndKind.BAD_BLOCK,
        "C cannot verify block 5000 (hrgMSH1…): invalid merkle root, local 9e84…, expected c4e1…",
        EndKind.LOST,
    ),
    "panic": (
        EndKind.PANIC,
        "C panicked: index out of range, in core.(*StateProcessor).Process",
        EndKind.LOST,
    ),
    "disk-low": (
        EndKind.DISK,
        "low on disk space: 1% is free, and the node ends itself below 3%",
        EndKind.LOST,
    ),
    "fd-limit": (EndKind.MACHINE, "(32768) greater than max: (20000)", EndKind.MACHINE),
    "http-port-taken": (EndKind.MACHINE, "bind: address already in use", EndKind.MACHINE),
    "db-locked": (EndKind.MACHINE, "resource temporarily unavailable", EndKind.MACHINE),
    "db-tables-flipped": (EndKind.DAMAGED, "checksum mismatch", EndKind.DAMAGED),
    "wrong-genesis": (EndKind.REFUSED, "invalid genesis hash", EndKind.REFUSED),
    "c-config-not-json": (
        EndKind.REFUSED,
        "failed to unmarshal config {state-sync-enabled: false}: invalid character 's'",
        EndKind.LOST,
    ),
    "content-not-json": (EndKind.REFUSED, "couldn't read chain configs", EndKind.REFUSED),
    "bool-flag-yes": (EndKind.REFUSED, 'invalid argument "yes" for', EndKind.REFUSED),
    "unknown-flag": (EndKind.REFUSED, "unknown flag: --no-such-flag", EndKind.REFUSED),
}

# All other scenes were ended by SIGTERM, as each recording's `signal` tells.
STOPPED = (EndKind.STOPPED, "told to stop", EndKind.STOPPED)


def told(log: bytes, code: int | None, *, cut: bool) -> Ending:
    return ending_of(split_lines(log.decode(errors="replace")), code, cut=cut)


@pytest.mark.parametrize("found", scenes(), ids=lambda s: s.name)
def test_the_whole_log_names_side_and_cause(found: Scene) -> None:
    """Is each recorded end put on its side, with a sentence that names what was wrong?"""
    kind, sentence, _ = ENDED.get(found.name, STOPPED)
    ending = told(found.log, found.exit_code, cut=False)
    assert ending.kind == kind
    assert sentence in ending.sentence


@pytest.mark.parametrize("found", scenes(), ids=lambda s: s.name)
def test_what_the_kubelet_keeps_is_not_taken_for_more(found: Scene) -> None:
    """Of the last 2048 bytes: is the cause found where it is in them, and called lost else?"""
    _, _, kind = ENDED.get(found.name, STOPPED)
    ending = told(found.kept_by_kubelet, found.exit_code, cut=True)
    assert ending.kind == kind
    if kind is EndKind.LOST:
        assert "its cause is no longer in what was kept of its log" in ending.sentence


def test_a_bad_block_is_named_in_fields() -> None:
    """Are chain, height, block and error told apart?"""
    assert told(scene("bad-block").log, 1, cut=False).cause == Cause(
        chain="C",
        height=5000,
        block="hrgMSH1VPFSmqrz1TnxTpFLZeYJqKg7tTrxYk6EyPPXAYN7gK",
        error="invalid merkle root, local 9e84…, expected c4e1…",
    )


STACK = ("goroutine 1 [running]:", "main.main()", "\t/build/main/main.go:31 +0x3c")


def start_failed(error: str) -> list[str]:
    """As a node that cannot be made says it: a fatal line, and the same as a bare sentence."""
    return [
        in_json("fatal", "failed to initialize node", error=error),
        f"couldn't start node: failed to initialize node: {error}",
    ]


def chain_down(error: str, chain: str = "C") -> list[str]:
    """As a chain says it that cannot go on, and the lines of going down that follow."""
    reason = "received an unexpected error"
    return [
        plain("FATAL", "shutting down chain", f"{chain} Chain", reason=reason, error=error),
        plain("INFO", "shutting down bootstrapper", f"{chain} Chain"),
        "[11-26|14:59:16.718] INFO <C Chain> core/blockchain.go:996 Stopping Acceptor",
        plain("INFO", "shutting down chain router"),
        plain("INFO", "finished node shutdown"),
    ]


BLOCK = "2Z4UuXcXcHVpUhkTgXyYpLrnTkXcBxrBnjpnUCEqyvbpLmYXdV"
IN_BOOTSTRAPPING = f"block {BLOCK} (height=77, parentID={BLOCK}) in bootstrapping"
DATA = "/data/runs/20261126t140000z-1a2b3c4d"

# (name, lines, exit code, reason, class, what the sentence holds)
MADE: tuple[tuple[str, Sequence[str], int, str, str, str], ...] = (
    (
        "a block that is not accepted",
        chain_down(f"failed to accept {IN_BOOTSTRAPPING}: invalid gas used (remote: 1 local: 2)"),
        1,
        "BadBlock",
        "client",
        "C cannot verify block 77 (2Z4UuXc…): invalid gas used",
    ),
    (
        "a block of P, as older versions word it",
        chain_down(f"failed to verify block {BLOCK} (4321) in bootstrapping: flow check", "P"),
        1,
        "BadBlock",
        "client",
        "P cannot verify block 4321 (2Z4UuXc…): flow check",
    ),
    (
        "a block without a name",
        chain_down("failed to verify block in bootstrapping: block fee is insufficient", "X"),
        1,
        "BadBlock",
        "client",
        "X cannot verify a block: block fee is insufficient",
    ),
    (
        "a block that a closed database does not take",
        chain_down(f"failed to accept {IN_BOOTSTRAPPING}: closed"),
        1,
        "FatalExit",
        "unclear",
        "closed",
    ),
    (
        "a block whose state is not there",
        chain_down(f"failed to verify {IN_BOOTSTRAPPING}: missing trie node 9f2c (path 0a)"),
        1,
        "FatalExit",
        "unclear",
        "missing trie node",
    ),
    (
        "a block for which there is no room",
        chain_down(f"failed to accept {IN_BOOTSTRAPPING}: write {DATA}: no space left on device"),
        1,
        "DiskFull",
        "infrastructure",
        "no space left on device",
    ),
    (
        "a database that closes itself, and a chain that finds it closed",
        [
            in_json(
                "error",
                "closing database to avoid possible corruption",
                error="leveldb/table: corruption on data-block: checksum mismatch",
            ),
            *chain_down("failed to accept block: leveldb: closed"),
        ],
        1,
        "DataDamaged",
        "infrastructure",
        "checksum mismatch",
    ),
    (
        "a table that is gone",
        start_failed("problem initializing database: leveldb: manifest corrupted: missing files"),
        1,
        "DataDamaged",
        "infrastructure",
        "manifest corrupted",
    ),
    (
        "too many open files",
        chain_down(f"open {DATA}/db/000123.ldb: too many open files"),
        1,
        "MachineFault",
        "infrastructure",
        "too many open files",
    ),
    (
        "a disk that fails",
        chain_down(f"read {DATA}/db/000123.ldb: input/output error"),
        1,
        "VolumeLost",
        "infrastructure",
        "input/output error",
    ),
    (
        "files of another owner",
        [f"couldn't load node config: couldn't read staking key: open {DATA}: permission denied"],
        1,
        "MachineFault",
        "infrastructure",
        "permission denied",
    ),
    (
        "a volume that is mounted read-only",
        start_failed(f"mkdir {DATA}/db: read-only file system"),
        1,
        "VolumeLost",
        "infrastructure",
        "read-only file system",
    ),
    (
        "the port of staking in use",
        start_failed(
            "problem initializing networking: listen tcp :9651: bind: address already in use"
        ),
        1,
        "MachineFault",
        "infrastructure",
        "address already in use",
    ),
    (
        "a pebble database that is open",
        start_failed("problem initializing database: lock held by current process"),
        1,
        "MachineFault",
        "infrastructure",
        "lock held",
    ),
    (
        "a database type that there is not",
        start_failed(
            'problem initializing database: db-type was "rocksdb" but should have been one of'
        ),
        1,
        "BadConfig",
        "configuration",
        "db-type",
    ),
    (
        "a genesis that is no JSON",
        ["couldn't load node config: unable to load genesis file: invalid character 'x'"],
        1,
        "BadConfig",
        "configuration",
        "genesis",
    ),
    (
        "a wrong type in C's configuration",
        [
            in_json(
                "fatal",
                "error creating required chain",
                error="failed to get config: failed to unmarshal config {}: json: cannot unmarshal",
            )
        ],
        1,
        "BadConfig",
        "configuration",
        "cannot unmarshal",
    ),
    (
        "an image of another architecture",
        ["exec /avalanchego/build/avalanchego: exec format error"],
        1,
        "BadConfig",
        "configuration",
        "exec format error",
    ),
    (
        "Go without memory",
        ["fatal error: runtime: out of memory", "", "runtime stack:", *STACK],
        2,
        "OutOfMemory",
        "infrastructure",
        "out of memory",
    ),
    (
        "no more threads",
        [
            "runtime: failed to create new OS thread (have 9 already; errno=11)",
            "fatal error: newosproc",
            *STACK,
        ],
        2,
        "MachineFault",
        "infrastructure",
        "failed to create new OS thread",
    ),
    (
        "a CPU that is too old",
        ["Caught SIGILL in blst_cgo_init, consult <blst>/bindings/go/README.md."],
        1,
        "MachineFault",
        "infrastructure",
        "SIGILL",
    ),
    (
        "maps written at once",
        ["fatal error: concurrent map writes", "", *STACK],
        2,
        "Panic",
        "client",
        "concurrent map writes",
    ),
    (
        "a deadlock",
        ["fatal error: all goroutines are asleep - deadlock!", "", *STACK],
        2,
        "Panic",
        "client",
        "deadlock",
    ),
    (
        "a stack without end",
        [
            "runtime: goroutine stack exceeds 1000000000-byte limit",
            "fatal error: stack overflow",
            *STACK,
        ],
        2,
        "Panic",
        "client",
        "goroutine stack exceeds",
    ),
    (
        "a nil pointer",
        [
            "panic: runtime error: invalid memory address or nil pointer dereference",
            "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x1c3f0a2]",
            "",
            "goroutine 687 [running]:",
            "github.com/ava-labs/avalanchego/vms/platformvm.(*VM).Accept(0xc0001, {0x1, 0x2})",
            "\tgithub.com/ava-labs/avalanchego/vms/platformvm/vm.go:141 +0x218",
        ],
        2,
        "Panic",
        "client",
        "nil pointer dereference, in platformvm.(*VM).Accept",
    ),
    (
        "a page of a file that cannot be read",
        [
            "unexpected fault address 0x7f2a1c000000",
            "fatal error: fault",
            "[signal SIGBUS: bus error code=0x2 addr=0x7f2a1c000000 pc=0x46f1a2]",
            *STACK,
        ],
        2,
        "VolumeLost",
        "infrastructure",
        "unexpected fault address",
    ),
    (
        "a panic for want of room",
        [f"panic: write {DATA}/db/000123.log: no space left on device", "", *STACK],
        2,
        "DiskFull",
        "infrastructure",
        "no space left on device",
    ),
    (
        "a panic that was caught",
        [plain("FATAL", "panicking", "P Chain", reason="nil map")],
        0,
        "Panic",
        "client",
        "P panicked: nil map",
    ),
    ("a fatal line of no side", [UNKNOWN_FATAL], 1, "FatalExit", "unclear", "C: shutting down"),
    (
        "killed from outside",
        [plain("INFO", "fetched blocks")],
        137,
        "CrashLoop",
        "unclear",
        "SIGKILL",
    ),
)


@pytest.mark.parametrize("case", MADE, ids=lambda case: case[0])
def test_endings_that_were_not_recorded(
    case: tuple[str, Sequence[str], int, str, str, str],
) -> None:
    """Is an ending of avalanchego's, its databases', Go's or the kernel's texts put on its side?"""
    _, lines, code, reason, whose, sentence = case
    begun = plain("INFO", "initializing node", version="avalanchego/1.14.2")
    ending = ending_of([begun, *lines], code, cut=False)
    assert (reason_of(ending.kind), class_of(reason_of(ending.kind))) == (reason, whose)
    assert sentence in ending.sentence


FINISHED = plain("INFO", "finished node shutdown")
BEGUN = plain("INFO", "initializing node")
REFUSED = "couldn't configure flags: unknown flag: --x"
FD_LIMIT = plain("FATAL", "failed to set fd-limit", error="(32768) greater than max: (20000)")


@pytest.mark.parametrize(
    ("between", "last", "kind"),
    [
        ([FINISHED], [BEGUN, *start_failed("bind: address already in use")], EndKind.MACHINE),
        ([], [BEGUN, *start_failed("bind: address already in use")], EndKind.MACHINE),
        ([FINISHED], [FD_LIMIT], EndKind.MACHINE),
        ([FINISHED], [REFUSED], EndKind.REFUSED),
    ],
    ids=["it went down", "it was killed", "fails before it begins", "flags refused"],
)
def test_only_the_last_process_of_a_log_counts(
    between: list[str], last: list[str], kind: EndKind
) -> None:
    """In a file with several processes' lines, is the bad block of an earlier one passed over?"""
    assert ending_of([BEGUN, BAD_BLOCK, *between, *last], 1, cut=False).kind is kind


def test_a_stack_alone_is_called_one() -> None:
    """Where nothing was kept but a stack of Go's, does the sentence say so?"""
    ending = told(scene("panic").kept_by_kubelet, 2, cut=True)
    assert "only Go's stack" in ending.sentence


def test_the_first_fatal_line_is_the_cause() -> None:
    """Is what a process says at level fatal after its first such line taken for an echo?"""
    ending = ending_of([BAD_BLOCK, *start_failed("bind: address already in use")], 1, cut=False)
    assert ending.kind is EndKind.BAD_BLOCK


def test_the_same_block_is_the_same_place() -> None:
    """Do two ends at one block have one place, whatever peer sent it, and another block another?"""
    error = f"failed to verify {IN_BOOTSTRAPPING}: invalid merkle root"
    places = [
        ending_of(chain_down(f"{told} while processing sync message: NodeID-{peer}"), 1, cut=False)
        for told, peer in ((error, "a"), (error, "b"), (error.replace("2Z4", "2Z5"), "a"))
    ]
    assert places[0].place == places[1].place != places[2].place


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[31m" + BAD_BLOCK + "\x1b[0m",
        "2026-11-26T14:59:16.714123456Z " + BAD_BLOCK,
        "2026-11-26T14:59:16.714123456Z stderr F " + BAD_BLOCK,
        BAD_BLOCK + "\r",
    ],
    ids=["colours", "kubectl --timestamps", "a runtime's own file", "ends of Windows"],
)
def test_what_stands_around_a_line_does_not_hide_it(line: str) -> None:
    """Is a line read that a terminal, kubectl or a runtime has put something around?"""
    assert ending_of([line], 1, cut=False).kind is EndKind.BAD_BLOCK
