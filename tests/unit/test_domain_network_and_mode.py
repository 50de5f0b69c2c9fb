"""Network and sync mode as avalanchego reads them [97-102], each rule with an example."""

import base64
import json
from collections.abc import Sequence

import pytest

from controller.base.errors import TargetFault
from controller.domain.manifest.network_and_mode import read_network_and_mode
from controller.domain.objects import Container, EnvVar
from controller.domain.target import SyncMode
from tests.machine_objects import bare, chain_config, node_container, variables

FULL = {"state-sync-enabled": False}
ARCHIVE = {"state-sync-enabled": False, "pruning-enabled": False}


def container(
    *env: EnvVar,
    command: Sequence[str] | None = None,
    args: Sequence[str] | None = None,
    env_from: list[dict[str, object]] | None = None,
) -> Container:
    return node_container(
        bare(),
        env=env,
        command=list(command) if command else None,
        args=list(args) if args else None,
        env_from=env_from,
    )


def with_config(content: str) -> Container:
    return container(*variables(AVAGO_CHAIN_CONFIG_CONTENT=content))


def fault(tested: Container) -> TargetFault:
    with pytest.raises(TargetFault) as caught:
        read_network_and_mode(tested)
    return caught.value


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("mainnet", "mainnet"),
        ("fuji", "fuji"),
        ("testnet", "fuji"),
        ("FUJI", "fuji"),
        ("1", "mainnet"),
        ("5", "fuji"),
        ("local", "local"),
        ("12345", "local"),
        ("1337", "network-1337"),
        ("network-1337", "network-1337"),
        ("network-5", "fuji"),
        ("Network-005", "fuji"),
        ("2", "cascade"),  # as the node would name it
        ("network-4294967295", "network-4294967295"),
        ("", "mainnet"),
    ],
)
def test_a_network_is_named_as_the_node_names_it(written: str, network: str) -> None:
    """Is each spelling that avalanchego takes understood? An empty variable is none at all."""
    tested = container(*variables(AVAGO_NETWORK_ID=written))
    assert read_network_and_mode(tested)[0] == network


def test_a_node_without_a_network_is_on_mainnet() -> None:
    """Is nothing said mainnet, and AVAGO_NETWORK_NAME not read, as in avalanchego [97]?"""
    tested = container(*variables(AVAGO_NETWORK_NAME="fuji"))
    assert read_network_and_mode(tested) == ("mainnet", SyncMode.STATE)


@pytest.mark.parametrize(
    "written",
    ["fui", "network-x", "$(NETWORK)", "-1", "network-4294967296", " fuji", "1_0", "0x5", "\u0665"],
)
def test_an_unknown_network_is_refused(written: str) -> None:
    """Does the sentence say which variable to write, and how?"""
    found = fault(container(*variables(AVAGO_NETWORK_ID=written)))
    assert found.reason == "BadNetwork"
    assert "AVAGO_NETWORK_ID" in str(found)
    assert "network-N" in str(found)


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        (None, SyncMode.STATE),
        ({}, SyncMode.STATE),
        ({"state-sync-enabled": None}, SyncMode.STATE),
        ({"state-sync-enabled": True}, SyncMode.STATE),
        (FULL, SyncMode.FULL),
        ({"state-sync-enabled": False, "pruning-enabled": True}, SyncMode.FULL),
        (ARCHIVE, SyncMode.ARCHIVE),
        ({"State-Sync-Enabled": False}, SyncMode.FULL),  # Go reads names in any case
    ],
)
def test_the_chain_config_decides_the_mode(config: dict[str, bool] | None, mode: SyncMode) -> None:
    """Is the C-chain's configuration, base64 twice, read as the three-valued thing it is?"""
    content = "" if config is None else chain_config(config)
    assert read_network_and_mode(with_config(content))[1] is mode


def outer(chains: object) -> str:
    """chains: with the configurations as they are, before they are packed."""
    return base64.b64encode(json.dumps(chains).encode()).decode()


def packed(config: object) -> dict[str, str]:
    return {"Config": outer(config)}


@pytest.mark.parametrize(
    ("chains", "mode"),
    [
        ({"evm": packed(FULL)}, SyncMode.FULL),
        ({"C": packed(FULL), "evm": packed(ARCHIVE)}, SyncMode.FULL),  # C is looked for first
        ({"evm": packed(ARCHIVE), "C": {}}, SyncMode.STATE),
        ({"C": None}, SyncMode.STATE),
        ({"X": packed(FULL), "platform": packed(FULL), "avm": None}, SyncMode.STATE),
    ],
)
def test_the_c_chain_is_found_by_its_aliases(chains: object, mode: SyncMode) -> None:
    """Is the configuration taken that avalanchego takes, by the first alias that is there [99]?"""
    assert read_network_and_mode(with_config(outer(chains)))[1] is mode


@pytest.mark.parametrize(
    "chains",
    [
        {"c": packed(FULL)},  # aliases have a case
        {"C-chain": packed(FULL)},
        {"C": FULL},  # beside Config
        {"C": packed({"state_sync_enabled": False})},
        {"C": packed({"stateSyncEnabled": False})},
        {"C": packed({**FULL, "pruning_enabled": False})},
    ],
)
def test_what_avalanchego_would_drop_is_refused(chains: object) -> None:
    """Is no setting of the mode believed that avalanchego ignores without a word?"""
    found = fault(with_config(outer(chains)))
    assert found.reason == "BadChainConfig"
    assert "write" in str(found)


def test_an_empty_flag_counts() -> None:
    """Is `--chain-config-content=` refused, as avalanchego refuses it, and the same of others?"""
    for flag in ("chain-config-content", "chain-config-dir", "config-file", "network-id"):
        assert fault(container(command=["avalanchego", f"--{flag}="])).reason in (
            "BadChainConfig",
            "HiddenConfiguration",
            "BadNetwork",
        )


@pytest.mark.parametrize(
    "name",
    [
        "AVAGO_CONFIG_FILE",
        "AVAGO_CONFIG_FILE_CONTENT",
        "AVAGO_CHAIN_CONFIG_DIR",
    ],
)
def test_a_configuration_in_files_is_refused_as_a_variable_too(name: str) -> None:
    """Does no variable hide the target in a file?"""
    found = fault(container(*variables(**{name: "e30="})))
    assert found.reason == "HiddenConfiguration"


def test_a_reference_to_another_variable_is_read() -> None:
    """Is a network that stands in a variable of another name put in, if it is literal?"""
    told = variables(NETWORK="fuji", AVAGO_NETWORK_ID="$(NETWORK)")
    assert read_network_and_mode(container(*told))[0] == "fuji"
    hidden = EnvVar(name="NETWORK", value_from={"configMapKeyRef": {}})
    found = fault(container(hidden, *told[1:]))
    assert found.reason == "TargetNotLiteral"
    assert "$(NETWORK)" in str(found)


def test_a_chain_config_without_c_is_state_sync() -> None:
    """Do other chains' configurations leave the C-chain's at its default?"""
    outer = base64.b64encode(json.dumps({"P": {"Config": "e30="}}).encode()).decode()
    assert read_network_and_mode(with_config(outer))[1] is SyncMode.STATE


def test_line_ends_in_base64_do_not_count() -> None:
    """Is a value that a YAML block has folded read as Go reads it?"""
    content = chain_config(FULL)
    folded = "\n".join((content[:20], content[20:], ""))
    assert read_network_and_mode(with_config(folded))[1] is SyncMode.FULL


@pytest.mark.parametrize("value", ["true", "1", "T", "True"])
def test_partial_sync_wins_over_the_chain_config(value: str) -> None:
    """Is a node that syncs the P-chain only that, whatever the C-chain's configuration says?"""
    tested = container(
        *variables(
            AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK=value,
            AVAGO_CHAIN_CONFIG_CONTENT=chain_config(ARCHIVE),
        )
    )
    assert read_network_and_mode(tested)[1] is SyncMode.P_CHAIN


@pytest.mark.parametrize("value", ["false", "0", "", "F"])
def test_partial_sync_that_is_off_changes_nothing(value: str) -> None:
    """Does a switch that is off leave the mode to the chain config?"""
    tested = container(
        *variables(
            AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK=value, AVAGO_CHAIN_CONFIG_CONTENT=chain_config(FULL)
        )
    )
    assert read_network_and_mode(tested)[1] is SyncMode.FULL


@pytest.mark.parametrize(
    "config", [{"pruning-enabled": False}, {**ARCHIVE, "state-sync-enabled": True}]
)
def test_state_sync_leaves_no_archive(config: dict[str, bool]) -> None:
    """Is state sync together with archive refused, with both ways out?"""
    found = fault(with_config(chain_config(config)))
    assert found.reason == "StateSyncWithArchive"
    assert "'state-sync-enabled: false'" in str(found)
    assert "'pruning-enabled'" in str(found)


def test_an_empty_chain_config_hides_no_directory() -> None:
    """Is an empty variable none, so that the directory counts, as for avalanchego?"""
    empty = variables(AVAGO_CHAIN_CONFIG_CONTENT="", AVAGO_CHAIN_CONFIG_DIR="/etc/chains")
    assert fault(container(*empty)).reason == "HiddenConfiguration"


ONCE = base64.b64encode(json.dumps({"C": {"Config": FULL}}).encode()).decode()
DEEP = base64.b64encode(b'{"C":' + b"[" * 100_000).decode()


@pytest.mark.parametrize(
    "content",
    [
        "not base64!",
        "e30",
        base64.b64encode(b"[1, 2]").decode(),
        base64.b64encode(b"{not json").decode(),
        base64.b64encode(b'{"C": 7}').decode(),
        base64.b64encode(b'{"C": {"Config": "e3"}}').decode(),
        base64.b64encode(b'{"C": {"Config": "WzFd"}}').decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        ONCE,
        DEEP,
        "é",
    ],
)
def test_a_chain_config_that_does_not_decode_is_refused(content: str) -> None:
    """Does every way of writing it wrong get the sentence that shows the form?"""
    found = fault(with_config(content))
    assert found.reason == "BadChainConfig"
    assert "base64" in str(found)


@pytest.mark.parametrize("key", ["state-sync-enabled", "pruning-enabled"])
def test_a_switch_that_is_no_switch_is_refused(key: str) -> None:
    """Is `"false"`, a string, refused as avalanchego refuses it?"""
    found = fault(with_config(chain_config({**FULL, key: "false"})))
    assert found.reason == "BadChainConfig"
    assert key in str(found)


def test_a_chain_named_by_its_id_is_refused() -> None:
    """Could a C-chain configuration hide behind the chain's id?"""
    outer = base64.b64encode(
        json.dumps({"2q9e4r6Mu3U68nU1fYjgbR6JvwrRx36CohpAX5UQxse55x1Q5": {}}).encode()
    )
    assert "alias C" in str(fault(with_config(outer.decode())))


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (["./avalanchego", "--network-id=fuji"], None),
        (["./avalanchego", "--network-id", "fuji"], None),
        (["./avalanchego", "-network-id=fuji"], None),
        (["./avalanchego"], ["--network-id=fuji"]),
        (["sh", "-c", "exec ./avalanchego --network-id=fuji --log-level=info"], None),
        (["/bin/bash", "-ec", "exec ./avalanchego --network-id='fuji'"], None),
        (["/bin/sh", "-e", "-c"], ["./avalanchego --network-id=fuji # a comment"]),
        (["tini", "--", "sh", "-c", "./avalanchego --network-id fuji"], None),
    ],
)
def test_a_flag_wins_over_its_variable(command: list[str], args: list[str] | None) -> None:
    """Are flags found wherever they stand, also in a shell's script, and before the variable?"""
    tested = container(*variables(AVAGO_NETWORK_ID="mainnet"), command=command, args=args)
    assert read_network_and_mode(tested)[0] == "fuji"


def test_a_bare_switch_as_a_flag_is_on() -> None:
    """Is `--partial-sync-primary-network` without a value taken as true?"""
    tested = container(
        command=["./avalanchego", "--partial-sync-primary-network", "--network-id=5"]
    )
    assert read_network_and_mode(tested) == ("fuji", SyncMode.P_CHAIN)


def test_the_last_of_two_flags_counts() -> None:
    """Is a flag that is given twice read as the node reads it?"""
    tested = container(command=["avalanchego", "--network-id=fuji"], args=["--network-id=local"])
    assert read_network_and_mode(tested)[0] == "local"


def test_a_script_with_an_open_quote_is_read_as_far_as_possible() -> None:
    """Does a script that no shell would run harm nobody?"""
    tested = container(command=["sh", "-c", "avalanchego --network-id=fuji 'oops"])
    assert read_network_and_mode(tested)[0] == "fuji"


@pytest.mark.parametrize(
    "name",
    ["AVAGO_NETWORK_ID", "AVAGO_CHAIN_CONFIG_CONTENT", "AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK"],
)
@pytest.mark.parametrize("source", ["configMapKeyRef", "secretKeyRef", "fieldRef"])
def test_a_target_variable_from_elsewhere_is_refused(name: str, source: str) -> None:
    """Must variables that decide the target be literal values?"""
    found = fault(container(EnvVar(name=name, value_from={source: {"name": "settings"}})))
    assert found.reason == "TargetNotLiteral"
    assert name in str(found)
    assert source in str(found)
    assert "literal value" in str(found)


def test_another_variable_may_come_from_anywhere() -> None:
    """Does a secret that decides nothing harm nothing?"""
    other = EnvVar(name="AVAGO_STAKING_TLS_KEY", value_from={"secretKeyRef": {"name": "key"}})
    assert read_network_and_mode(container(other)) == ("mainnet", SyncMode.STATE)


@pytest.mark.parametrize("prefix", ["", "A", "AVAGO_", "AVAGO_NETWORK_"])
def test_env_from_that_may_hold_a_target_variable_is_refused(prefix: str) -> None:
    """Can no ConfigMap bring a target variable unseen?"""
    source: dict[str, object] = {"configMapRef": {"name": "settings"}, "prefix": prefix}
    found = fault(container(env_from=[source]))
    assert found.reason == "TargetNotLiteral"
    assert "envFrom" in str(found)


def test_env_from_with_another_prefix_is_harmless() -> None:
    """Is an envFrom that cannot bring an AVAGO_ variable let be?"""
    source: dict[str, object] = {"secretRef": {"name": "aws"}, "prefix": "AWS_"}
    assert read_network_and_mode(container(env_from=[source]))[0] == "mainnet"


def test_literals_win_over_env_from() -> None:
    """Are literal target variables enough beside an envFrom, as in Kubernetes?"""
    tested = container(
        *variables(
            AVAGO_NETWORK_ID="fuji",
            AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK="true",
            AVAGO_CONFIG_FILE="",
            AVAGO_CONFIG_FILE_CONTENT="",
        ),
        env_from=[{"configMapRef": {"name": "settings"}}],
    )
    assert read_network_and_mode(tested) == ("fuji", SyncMode.P_CHAIN)


@pytest.mark.parametrize(
    "flag",
    ["--config-file=/etc/node.json", "--config-file-content=e30=", "--chain-config-dir=/etc/c"],
)
def test_a_configuration_in_files_is_refused(flag: str) -> None:
    """Can no file hide the target?"""
    found = fault(container(command=["./avalanchego", flag]))
    assert found.reason == "HiddenConfiguration"
    assert "AVAGO_CHAIN_CONFIG_CONTENT" in str(found)
