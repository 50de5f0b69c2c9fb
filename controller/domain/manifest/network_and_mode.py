"""Network and sync mode, read from the node's container as avalanchego reads them [97-102]."""

import re
from typing import Any

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.manifest.chain_config import c_chain_config
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container
from controller.domain.target import SyncMode

# As the node says them of itself; a number without a name is `network-N`.
_NAMES = {
    1: "mainnet", 2: "cascade", 3: "denali", 4: "everest", 5: "fuji", 10: "testing", 12345: "local"
}  # fmt: skip
_NUMBERS = {name: number for number, name in _NAMES.items()} | {"testnet": 5}
_NUMBER = re.compile(r"(?:network-)?([0-9]{1,20})", re.ASCII)

# Flags that hide others from us: a target must be readable from the Deployment alone.
_HIDING = ("config-file-content", "config-file")


def read_network_and_mode(container: Container) -> tuple[str, SyncMode]:
    """What the container's env, command and args make of a node.

    Raises TargetFault with the sentence for the Deployment's owner.
    """
    flags = NodeFlags.of(container)
    for flag in _HIDING:
        if flags.get(flag) is not None:
            raise TargetFault(
                "HiddenConfiguration",
                f"'{flag}' hides the target in a file: write network and sync mode as variables"
                " (AVAGO_NETWORK_ID, AVAGO_CHAIN_CONFIG_CONTENT) or flags of the container",
            )
    network = _network(flags.get("network-id"))
    if flags.is_on("partial-sync-primary-network"):
        return network, SyncMode.P_CHAIN
    content = flags.get("chain-config-content")
    if content is None and flags.get("chain-config-dir") is not None:
        raise TargetFault(
            "HiddenConfiguration",
            "'chain-config-dir' hides the sync mode in files: write AVAGO_CHAIN_CONFIG_CONTENT",
        )
    return network, _mode({} if content is None else c_chain_config(content))


def _network(text: str | None) -> str:
    """mainnet where nothing is said: so does avalanchego [97]."""
    if text is None:
        return "mainnet"
    number = _NUMBERS.get(text.lower())
    if number is None and (written := _NUMBER.fullmatch(text.lower())):
        number = int(written[1])
    if number is None or number >= 2**32:
        raise TargetFault(
            "BadNetwork",
            f"'{shown(text)}' is not a network: write mainnet, fuji, local or network-N"
            " in AVAGO_NETWORK_ID",
        )
    return _NAMES.get(number, f"network-{number}")


def _mode(c_chain: dict[str, Any]) -> SyncMode:
    state_sync, pruning = c_chain.get("state-sync-enabled"), c_chain.get("pruning-enabled", True)
    for key, value in (("state-sync-enabled", state_sync), ("pruning-enabled", pruning)):
        if not isinstance(value, bool | None):
            raise TargetFault(
                "BadChainConfig", f"the C-chain's '{key}' must be true or false, not {shown(value)}"
            )
    if state_sync is False:
        return SyncMode.ARCHIVE if pruning is False else SyncMode.FULL
    if pruning is False:
        raise TargetFault(
            "StateSyncWithArchive",
            "state sync leaves no archive: write 'state-sync-enabled: false' for an archive, or"
            " leave 'pruning-enabled' out for state sync",
        )
    return SyncMode.STATE
