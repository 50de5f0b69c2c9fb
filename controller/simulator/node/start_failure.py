"""What keeps a node from starting: what it says then, as recorded, with exit code 1."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from controller.simulator.node.log import NodeLog

_DATABASE = "problem initializing database: "


class StartFailure(Enum):
    """Named as the recorded scenes are."""

    FD_LIMIT = "fd-limit"  # the machine allows fewer open files than avalanchego wants
    PORT_TAKEN = "http-port-taken"
    DB_LOCKED = "db-locked"  # another process has the data open
    TABLES_FLIPPED = "db-tables-flipped"  # the disk gives other bytes than were written
    WRONG_GENESIS = "wrong-genesis"  # data of another network [103]


class _Words(NamedTuple):
    last: str  # message of the last line of the start before the failure; empty: there is none
    message: str  # of the fatal line
    error: str  # of the same
    caller: str = "app/app.go:76"


_TABLE = (
    "leveldb/table: corruption on index-block (pos=2109072): checksum mismatch,"
    " want=0x8b25537e got=0xac868b60 [file=000146.ldb]"
)
_GENESIS = (
    "db contains invalid genesis hash. DB Genesis:"
    " 21QsxHKTBAHYauRUZ8iTWajwk2MPiS4K25TaSRWz5TmWSDcmNv Generated Genesis:"
    " 2kamVmTZyvRFnmautX6Pzwu594b7dFFT4waWoLec7Szc1cg1Aj"
)


def words_of(failure: StartFailure, database: str, address: str) -> _Words:
    """database: its directory. address: what the HTTP listener would bind."""
    opening = "creating leveldb"
    not_made = "failed to initialize node"
    match failure:
        case StartFailure.FD_LIMIT:
            error = "error fd-limit: (32768) greater than max: (20000)"
            return _Words("", "failed to set fd-limit", error, "app/app.go:67")
        case StartFailure.PORT_TAKEN:
            why = f"listen tcp {address}: bind: address already in use"
            return _Words(
                "initializing API server", not_made, f"couldn't initialize API server: {why}"
            )
        case StartFailure.DB_LOCKED:
            why = f'couldn\'t create "leveldb" at "{database}"'
            locked = "could not open: resource temporarily unavailable"
            error = f"{_DATABASE}couldn't create database: {why}: {locked}"
            return _Words(opening, not_made, error)
        case StartFailure.TABLES_FLIPPED:
            return _Words(opening, not_made, _DATABASE + _TABLE)
        case StartFailure.WRONG_GENESIS:
            return _Words(opening, not_made, _DATABASE + _GENESIS)


def tell(
    failure: StartFailure,
    log: NodeLog,
    begin: Callable[[str], None],
    *,
    database: str,
    address: str,
) -> None:
    """Writes it all. begin: writes the lines of a start up to the one of that message."""
    words = words_of(failure, database, address)
    if words.last:
        begin(words.last)
    if failure is StartFailure.TABLES_FLIPPED:
        log.write(
            "ERROR",
            "corruptabledb/db.go:146",
            "closing database to avoid possible corruption",
            ("error", _TABLE),
        )
    log.write("FATAL", words.caller, words.message, ("error", words.error))
    inner = f"{words.message}: " if words.caller == "app/app.go:76" else ""
    log.raw(f"couldn't start node: {inner}{words.error}")
