"""A node's settings, read from its environment by avalanchego's rules [96-103].

Written apart from the controller's own reading of the same variables, so that each checks the
other.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson

from controller.domain.target import SyncMode
from controller.simulator.node.go_text import parsed_duration

# utils/constants/network_ids.go of avalanchego; 12345 is what `local` means.
_NETWORKS = {"mainnet": 1, "fuji": 5, "testnet": 5, "local": 12345}
_NAMES = {1: "mainnet", 5: "fuji", 12345: "local"}
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}  # as Go parses booleans; all else is neither
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}


class BadSettings(Exception):
    """avalanchego ends with 1, and with the text as its only line [116]."""


@dataclass(frozen=True)
class Version:
    """What `info.getNodeVersion` says of the binary [107]."""

    version: str = "1.14.0"
    commit: str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"


@dataclass(frozen=True)
class NodeSettings:
    """What a node was told, or does by itself where it was told nothing."""

    # Canonical name, `network-1337` for one without. The default is what a misspelt variable leaves
    # in force [97].
    network: str = "mainnet"
    mode: SyncMode = SyncMode.STATE
    data_dir: str = "/root/.avalanchego"
    http_host: str = "127.0.0.1"  # what the listener binds; empty: every address [96]
    http_port: int = 9650  # 0: one that nobody knows
    allowed_hosts: tuple[str, ...] = ("localhost",)  # as configured, `*` for any [94, 95]
    log_json: bool = False  # the format of its log; plain where it writes to no terminal
    health_seconds: float | None = None  # between two runs of the checks; None: the default [88]
    http_wait: float = 0.0  # seconds that it goes on answering on its way down
    broken_c_config: str = ""  # C's configuration where it is no JSON: C cannot be made with it

    @property
    def network_id(self) -> int:
        return _network_id(self.network)

    @property
    def chains(self) -> tuple[str, ...]:
        return ("P",) if self.mode is SyncMode.P_CHAIN else ("P", "X", "C")

    @property
    def reachable(self) -> bool:
        """Whether somebody outside the pod can connect. No name but `localhost` is looked up."""
        return self.http_host not in {"localhost", "::1"} and not self.http_host.startswith("127.")

    @classmethod
    def read(cls, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> "NodeSettings":
        """arguments: the container's command and args. Raises BadSettings."""
        said = _Said(environment, arguments)
        number = _network_id(said.text("network-id", cls.network))
        return cls(
            network=_NAMES.get(number, f"network-{number}"),
            mode=_mode(said),
            data_dir=said.text("data-dir", cls.data_dir),
            http_host=said.text("http-host", cls.http_host),
            http_port=said.number("http-port", cls.http_port),
            allowed_hosts=tuple(said.text("http-allowed-hosts", "localhost").split()),
            log_json=said.text("log-format", "auto").lower() == "json",
            health_seconds=said.seconds("health-check-frequency") or None,
            http_wait=said.seconds("http-shutdown-wait"),
            broken_c_config=_broken(_c_config(said.text("chain-config-content", ""))),
        )


class _Said:
    """Flags and variables. A flag wins over its variable, and an empty variable is none [96]. What
    is of the wrong kind is refused as a flag; as a variable it is 0 or false, without a word [100].
    """

    def __init__(self, environment: Mapping[str, str], arguments: Sequence[str]) -> None:
        self._environment = environment
        self._flags = dict(_flags(arguments))

    def text(self, flag: str, default: str) -> str:
        value, following = self._flags.get(flag, (None, ""))
        if flag in self._flags:
            return following if value is None else value
        return self._variable(flag) or default

    def number(self, flag: str, default: int) -> int:
        text = self.text(flag, str(default))
        if text.isdecimal():
            return int(text)
        if flag in self._flags:
            raise _wrong_kind(flag, text, "ParseUint")
        return 0

    def seconds(self, flag: str) -> float:
        """Of a duration; 0 where nothing is said."""
        text = self.text(flag, "0")
        read = parsed_duration(text)
        if read is None and flag in self._flags:
            raise BadSettings(
                f'couldn\'t configure flags: invalid argument "{text}" for "--{flag}" flag:'
                f' time: invalid duration "{text}"'
            )
        return read or 0.0

    def is_on(self, flag: str) -> bool:
        """A switch takes no word of its own: it stands alone, or has its value behind a `=`."""
        if flag not in self._flags:
            return self._variable(flag) in _TRUE
        value, _ = self._flags[flag]
        if value is not None and value not in _TRUE | _FALSE:
            raise _wrong_kind(flag, value, "ParseBool")
        return value is None or value in _TRUE

    def _variable(self, flag: str) -> str:
        return self._environment.get(f"AVAGO_{flag.upper().replace('-', '_')}", "")


def _wrong_kind(flag: str, value: str, parser: str) -> BadSettings:
    """As recorded of a switch."""
    return BadSettings(
        f'couldn\'t configure flags: invalid argument "{value}" for "--{flag}" flag:'
        f' strconv.{parser}: parsing "{value}": invalid syntax'
    )


def _not_loaded(why: str) -> BadSettings:
    return BadSettings(f"couldn't load node config: {why}")


def _flags(arguments: Sequence[str]) -> Iterator[tuple[str, tuple[str | None, str]]]:
    """By flag: the value behind its `=`, None without one, and the word that follows it."""
    for word, following in pairwise([*arguments, ""]):
        if word.startswith("-"):
            flag, equals, value = word.lstrip("-").partition("=")
            yield flag, (value if equals else None, following)


def _network_id(name: str) -> int:
    number = name.removeprefix("network-")
    if name in _NETWORKS:
        return _NETWORKS[name]
    if not number.isdecimal():
        raise _not_loaded(f'failed to parse "{name}" as a network name')
    return int(number)


def _mode(said: _Said) -> SyncMode:
    if said.is_on("partial-sync-primary-network"):
        return SyncMode.P_CHAIN
    config = _parsed(_c_config(said.text("chain-config-content", "")))
    if config.get("pruning-enabled") is False:
        return SyncMode.ARCHIVE
    return SyncMode.FULL if config.get("state-sync-enabled") is False else SyncMode.STATE


def _c_config(content: str) -> bytes:
    """The C-chain's own configuration: base64 within base64 [99]; empty where there is none."""
    if not content:
        return b""
    try:
        chains = orjson.loads(base64.b64decode(content, validate=True))
        return base64.b64decode(chains.get("C", {}).get("Config") or "", validate=True)
    except orjson.JSONDecodeError as exc:
        raise _not_loaded(
            "couldn't read chain configs: could not unmarshal JSON: invalid character 'C'"
            " looking for beginning of object key string"
        ) from exc
    except (binascii.Error, ValueError, AttributeError, TypeError) as exc:
        raise _not_loaded("couldn't read chain configs: unable to decode base64 content") from exc


def _parsed(config: bytes) -> dict[str, Any]:
    """Nothing where it is no JSON: then the chain is never made."""
    try:
        document = orjson.loads(config or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _broken(config: bytes) -> str:
    """It, where it is no JSON."""
    try:
        orjson.loads(config or b"{}")
    except ValueError:
        return config.decode(errors="replace")
    return ""
