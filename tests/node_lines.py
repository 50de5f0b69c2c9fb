"""Lines as avalanchego prints them, in its plain format and as JSON."""

import json

from controller.domain.objects import StateTerminated
from controller.domain.pods.process_end import LogEnd, ProcessEnd, process_end_of


def plain(level: str, message: str, logger: str = "", **fields: object) -> str:
    who = f"<{logger}> " if logger else ""
    told = f" {json.dumps(fields)}" if fields else ""
    return f"[11-26|14:59:16.714] {level} {who}node/node.go:1481 {message}{told}"


def in_json(level: str, message: str, logger: str = "", **fields: object) -> str:
    said: dict[str, object] = {"level": level.lower(), "timestamp": "2026-11-26T14:59:16.714Z"}
    said |= {"logger": logger} if logger else {}
    return json.dumps({**said, "caller": "node/node.go:1481", "msg": message, **fields})


def end_by(log: str, code: int) -> ProcessEnd:
    """How a process ended whose whole log was read."""
    return process_end_of(StateTerminated(exit_code=code), LogEnd(log, cut=False))


BAD_BLOCK = plain(
    "FATAL",
    "shutting down chain",
    "C Chain",
    reason="received an unexpected error",
    error=(
        "failed to verify block hrgMSH1VPFSmqrz1TnxTpFLZeYJqKg7tTrxYk6EyPPXAYN7gK (height=5000,"
        " parentID=UE75AbTD97MHj4dfurTX4pfu1XQ8BTK5rV3HvuAEbe4wVNJjA) in bootstrapping: invalid"
        " merkle root (remote: c4e1a473925bac48 local: 9e8402a12ac98fbf) dberr: %!w(<nil>)"
    ),
)
UNKNOWN_FATAL = plain(
    "FATAL", "shutting down chain", "C Chain", reason="received an unexpected error", error="x"
)
DISK_LOW = plain(
    "FATAL",
    "low on disk space. Shutting down...",
    availableDiskBytes=8384512,
    remainingDiskPercentage=1,
    requiredDiskPercentage=3,
)
PANICKING = plain("FATAL", "panicking", "C Chain", reason="nil pointer")
TABLES_DAMAGED = plain(
    "FATAL",
    "failed to initialize node",
    error=(
        "problem initializing database: leveldb/table: corruption on index-block (pos=2109072):"
        " checksum mismatch, want=0x8b25537e got=0xac868b60 [file=000146.ldb]"
    ),
)
PORT_TAKEN = plain(
    "FATAL",
    "failed to initialize node",
    error=("couldn't initialize API server: listen tcp 0.0.0.0:9650: bind: address already in use"),
)
