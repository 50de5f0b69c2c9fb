"""A node's settings, read from its environment by avalanchego's rules [97-103].

Written apart from the controller's own reading of the same variables, so that each checks the
other.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from controller.domain.target import SyncMode

# utils/constants/network_ids.go of avalanchego; 12345 is what `local` means.
_NETWORKS = {"mainnet": 1, "fuji": 5, "testnet": 5, "local": 12345}
_NAMES = {1: "mainnet", 5: "fuji", 12345: "local"}


class BadSettings(Exception):
    """avalanchego would end with 1 and "couldn't load node config" [116]; the text says why."""


@dataclass(frozen=True)
class Version:
    """What `info.getNodeVersion` says of the binary [107]."""

    version: str = "1.14.0"
    commit: str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"


@dataclass(frozen=True)
class NodeSettings:
    """network: canonical name, `network-1337` for one without. http_host: what the listener binds;
    a pod answers from outside only where it is not a loopback address [96]. allowed_hosts: as
    configured, `*` for any [94, 95].
    """

    network: str = "mainnet"  # the default that a misspelt variable leaves in force [97]
    mode: SyncMode = SyncMode.STATE
    data_dir: str = "/root/.avalanchego"
    http_host: str = "127.0.0.1"
    http_port: int = 9650
    allowed_hosts: tuple[str, ...] = ("localhost",)

    @property
    def network_id(self) -> int:
        return _network_id(self.network)

    @property
    def chains(self) -> tuple[str, ...]:
        return ("P",) if self.mode is SyncMode.P_CHAIN else ("P", "X", "C")

    @property
    def reachable(self) -> bool:
        """Whether somebody outside the pod can connect."""
        return self.http_host not in {"127.0.0.1", "localhost", "::1"}

    @classmethod
    def read(cls, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> "NodeSettings":
        """arguments: the container's command and args; a flag wins over its variable. Raises
        BadSettings.
        """
        environment = {**environment, **_flags(arguments)}
        number = _network_id(environment.get("AVAGO_NETWORK_ID", "mainnet"))
        port = environment.get("AVAGO_HTTP_PORT", "9650")
        if not port.isdecimal():  # what a Service called avago-http does to a pod [65]
            raise BadSettings(f'invalid argument "{port}" for "--http-port" flag')
        return cls(
            network=_NAMES.get(number, f"network-{number}"),
            mode=_mode(environment),
            data_dir=environment.get("AVAGO_DATA_DIR", cls.data_dir),
            http_host=environment.get("AVAGO_HTTP_HOST", cls.http_host),
            http_port=int(port),
            allowed_hosts=tuple(environment.get("AVAGO_HTTP_ALLOWED_HOSTS", "localhost").split()),
        )


def _flags(arguments: Sequence[str]) -> dict[str, str]:
    """`--network-id=fuji` and `--network-id fuji`, under the names of their variables."""
    result = {}
    for index, word in enumerate(arguments):
        if word.startswith("-"):
            flag, equals, value = word.lstrip("-").partition("=")
            following = arguments[index + 1 : index + 2]
            if not equals:
                value = next((w for w in following if not w.startswith("-")), "true")
            result[f"AVAGO_{flag.upper().replace('-', '_')}"] = value
    return result


def _network_id(name: str) -> int:
    number = name.removeprefix("network-")
    if name in _NETWORKS:
        return _NETWORKS[name]
    if not number.isdecimal():
        raise BadSettings(f'failed to parse "{name}" as a network name')
    return int(number)


def _mode(environment: Mapping[str, str]) -> SyncMode:
    if environment.get("AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK", "").lower() in {"true", "1", "t"}:
        return SyncMode.P_CHAIN
    config = _chain_config(environment.get("AVAGO_CHAIN_CONFIG_CONTENT", ""))
    if config.get("pruning-enabled") is False:
        return SyncMode.ARCHIVE
    return SyncMode.FULL if config.get("state-sync-enabled") is False else SyncMode.STATE


def _chain_config(content: str) -> dict[str, Any]:
    """The C-chain's own configuration: base64 within base64 [99]."""
    if not content:
        return {}
    try:
        chains = orjson.loads(base64.b64decode(content, validate=True))
        config = chains.get("C", {}).get("Config") or ""
        return dict(orjson.loads(base64.b64decode(config, validate=True) or b"{}"))
    except (binascii.Error, ValueError, AttributeError, TypeError) as exc:
        raise BadSettings("couldn't read chain configs: unable to decode base64 content") from exc
