"""Which side the telling line of an ended process speaks of, by the texts of avalanchego, its
databases, Go and the kernel.

The order is that of what tells most: a panic for want of disk space is the machine's, and a block
that could not be accepted because the database was closed says nothing of the block.
"""

import re
from enum import StrEnum


class EndKind(StrEnum):
    """What ended a process of the node."""

    # of the machine
    OOM = "oom"  # killed for the memory that it took, or Go got none
    VOLUME = "volume"  # its disk fails
    DISK = "disk"  # no space is left, or the node ends itself before [91]
    DAMAGED = "damaged"  # its database is damaged: the disk has lied, or lost what was written
    MACHINE = "machine"  # a limit, a port or a database in use, an owner of files, an old CPU
    # of the configuration
    REFUSED = "refused"  # flags, genesis, contents, or the machine's architecture
    # of the build
    OWN_FLAGS = "own-flags"  # it refuses a flag that no manifest gives it
    BAD_BLOCK = "bad-block"  # a block of the network's history does not verify
    PANIC = "panic"
    # of nobody, by itself
    STOPPED = "stopped"  # told to stop, by a signal or by its kubelet
    ZERO = "zero"  # exit code 0, and no line that tells why
    FATAL = "fatal"  # by a line that says so, and no side [116]
    LOST = "lost"  # what was kept of its log does not reach back to the cause
    OTHER = "other"  # nothing tells


def _any(*texts: str) -> re.Pattern[str]:
    return re.compile("|".join(texts), re.IGNORECASE)


_BLOCK = _any(
    r"failed to (?:verify|accept|execute) (?:the )?(?:block|vertex)\b",
    r"\bblock \S{1,80} failed (?:verification|to accept)",
    r"block failed verification",
    r"invalid (?:merkle|receipts?|state) root",
    r"invalid gas used|invalid bloom|state root mismatch|########## BAD BLOCK",
)

# In this order; the first that is found in the telling line names the kind.
SIDES: tuple[tuple[EndKind, re.Pattern[str]], ...] = (
    (
        EndKind.DISK,
        _any(r"no space left on device|low on disk space|disk quota exceeded|\bENOSPC\b"),
    ),
    (
        EndKind.VOLUME,
        _any(
            r"input/output error|read-only file system|stale (?:NFS )?file handle",
            r"structure needs cleaning|transport endpoint is not connected",
            r"remote I/O error|\bSIGBUS\b|no such device",
        ),
    ),
    (
        EndKind.OOM,
        _any(
            r"out of memory|cannot allocate memory|\bENOMEM\b|cannot allocate heap metadata",
            r"failed to (?:allocate|reserve|commit) .{0,40}memory|arena already initialized",
        ),
    ),
    (
        EndKind.MACHINE,
        _any(
            r"too many open files|fd-limit: \(\d+\) greater than max|set fd-limit",
            r"address already in use|cannot assign requested address|bind: permission denied",
            r"failed to create new OS thread|pthread_create failed|newosproc",
            r"resource temporarily unavailable|lock held by current process|lock is already held",
            r"already (?:held|locked) by",
            r"permission denied|operation not permitted",
            r"Caught SIGILL|\bSIGILL\b|illegal instruction",
            r"no such host|network is unreachable|no route to host",
        ),
    ),
    (
        EndKind.DAMAGED,
        _any(
            r"closing database to avoid possible corruption",
            r"(?:leveldb|pebble|\.ldb|\.sst|manifest|journal|database|wal).{0,200}"
            r"(?:corrupt|checksum mismatch|missing files|bad magic)",
            r"corrupt(?:ed|ion).{0,80}(?:database|\.ldb|\.sst|block|journal|manifest|table)",
        ),
    ),
    (
        EndKind.REFUSED,
        _any(
            r"couldn't load node config|couldn't configure flags|couldn't read chain configs",
            r"invalid genesis hash|genesis (?:block )?mismatch|incompatible genesis",
            r"database contains incompatible genesis|mismatching chain config",
            r"exec format error|unknown (?:shorthand )?flag|invalid argument \".{0,400}?\" for",
            r"failed to get config|failed to (?:unmarshal|parse|decode) .{0,40}config",
            r"invalid config|failed to (?:unmarshal|parse) upgrade bytes",
            r"db-type|unknown database type|unsupported database",
            r"couldn't start node: .{0,80}(?:config|genesis|flag)",
        ),
    ),
    (EndKind.BAD_BLOCK, _BLOCK),
)


def side_of(text: str) -> EndKind | None:
    """None where the text names no side. text: of one line, bounded."""
    return next((kind for kind, pattern in SIDES if pattern.search(text)), None)


# Errors with which a block is not accepted, though nothing is wrong with it: its surroundings are
# gone, or the state that it builds on is not there, by whose fault nobody can tell.
_OF_SURROUNDINGS = _any(
    r"(?:: |^)(?:closed|leveldb: closed|pebble: closed|context canceled|not found|EOF)"
    r"(?: with last accepted| while processing| dberr|$)",
    r"missing trie node|required historical state unavailable|unknown ancestor",
)


def is_of_the_block(text: str) -> bool:
    """Whether a block that did not verify is named with an error of its own."""
    return _OF_SURROUNDINGS.search(text) is None
