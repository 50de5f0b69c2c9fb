"""What a container says of its node's flags: what is found where, and what wins."""

import pytest

from controller.base.errors import TargetFault
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container, EnvVar
from tests.machine_objects import variables


def flags_of(*command: str, env: list[EnvVar] | None = None) -> NodeFlags:
    return NodeFlags.of(Container(name="node", image="a", command=list(command), env=env))


def script(text: str) -> NodeFlags:
    return flags_of("/bin/sh", "-c", text)


def test_a_value_says_where_it_was_said() -> None:
    """Can a sentence name the very flag or variable that has to be changed?"""
    flags = flags_of("avalanchego", "--log-level=info", env=variables(AVAGO_HTTP_PORT="9652"))
    assert [said and (said.place, said.value) for said in map(flags.said, ("log-level", "x"))] == [
        ("--log-level", "info"),
        None,
    ]
    port = flags.said("http-port")
    assert port is not None
    assert (port.place, port.value) == ("AVAGO_HTTP_PORT", "9652")


@pytest.mark.parametrize(
    "text",
    [
        "exec avalanchego --network-id=fuji; echo over",
        "(avalanchego --network-id=fuji)",
        "avalanchego --network-id fuji&& true",
        "mkdir -p /data; AVAGO_NETWORK_ID=fuji avalanchego",
        "export AVAGO_NETWORK_ID=fuji; avalanchego",
        "export AVAGO_NETWORK_ID='fuji'\navalanchego",
    ],
)
def test_a_script_is_read_as_its_shell_reads_it(text: str) -> None:
    """Are words told from what stands between commands, and are variables of the script's seen?"""
    assert script(text).get("network-id") == "fuji"


def test_a_flag_takes_the_next_word() -> None:
    """Has a flag that needs a value the word behind it, whatever it is, and a switch none?"""
    flags = flags_of("avalanchego", "--log-format", "--network-id", "--x", "--index-enabled", "no")
    assert flags.get("network-id") == "--x"
    assert flags.get("x") is None
    assert flags.get("index-enabled") == "true"


def test_a_variable_of_the_command_wins_over_the_containers() -> None:
    """Is what `env` or a script sets last what counts?"""
    told = variables(AVAGO_NETWORK_ID="mainnet")
    flags = flags_of("env", "AVAGO_NETWORK_ID=fuji", "avalanchego", env=told)
    assert flags.get("network-id") == "fuji"


@pytest.mark.parametrize(
    ("words", "on"),
    [
        (["--x"], True),
        (["--x", "false"], True),  # a switch takes no word of its own
        (["--x=false"], False),
        (["--x=true"], True),
        (["--x=F"], False),
        ([], False),
    ],
)
def test_a_switch_needs_no_word(words: list[str], on: bool) -> None:
    """Is a switch on where it stands alone, whatever word comes behind it?"""
    assert flags_of("avalanchego", *words).is_on("x") is on


@pytest.mark.parametrize("value", ["yes", "on", "tRUE", " true", "no", "off"])
def test_what_only_people_take_for_true_or_false_is_refused(value: str) -> None:
    """Does nobody believe to be on what the node takes for off, or does not start with [100]?"""
    for flags, place in (
        (flags_of("avalanchego", env=variables(AVAGO_X=value)), "AVAGO_X=true"),
        (flags_of("avalanchego", f"--x={value}"), "--x=true"),
    ):
        with pytest.raises(TargetFault) as caught:
            flags.is_on("x")
        assert caught.value.reason == "BadSwitch"
        assert place in str(caught.value)


def test_a_flag_is_named_however_it_is_said() -> None:
    """Can it be told whether a flag that the node refuses stands in the manifest?"""
    secret = EnvVar(name="AVAGO_HIDDEN", value_from={"secretKeyRef": {}})
    flags = flags_of("avalanchego", "--bare", env=[*variables(AVAGO_TOLD="1", AVAGO_X=""), secret])
    named = [flag for flag in ("bare", "told", "hidden", "x", "other") if flags.names(flag)]
    assert named == ["bare", "told", "hidden"]
