"""Targets: what is tested again and again."""

import re
from dataclasses import dataclass
from enum import StrEnum

SERIES = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,199}")  # of any target, old ones of other modes too


class SyncMode(StrEnum):
    """How a node gets its history; names are explicit so that old results stay comparable."""

    FULL = "full-sync"
    ARCHIVE = "full-sync-archive"  # pruning off: another database, another duration
    STATE = "c-chain-state-sync"
    P_CHAIN = "p-chain-full-sync-only"


@dataclass(frozen=True)
class Target:
    """What is tested again and again; `str()` is its slug."""

    network: str  # as the node names it: `mainnet`, `fuji`, `local`, `network-1337`
    mode: SyncMode
    series: str = ""  # makes a separate target of the same network and mode; empty for none

    def __str__(self) -> str:
        return "-".join(filter(None, (self.network, self.mode.value, self.series)))
