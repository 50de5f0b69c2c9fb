"""Values that avalanchego refuses as flags and drops as variables: found before it is started."""

from collections.abc import Sequence

import pytest

from controller.base.errors import TargetFault
from controller.domain.manifest.flag_values import check_flag_values
from controller.domain.manifest.network_and_mode import read_network_and_mode
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container, EnvVar
from tests.machine_objects import variables
from tests.scenes import Scene, scenes

NODE = "/avalanchego/build/avalanchego"


def container(*words: str, env: Sequence[EnvVar] = ()) -> Container:
    """words: the node's flags, behind its program."""
    return Container(name="node", image="a", command=[NODE], args=list(words), env=list(env))


def check(tested: Container) -> None:
    check_flag_values(NodeFlags.of(tested))


def fault(tested: Container) -> TargetFault:
    with pytest.raises(TargetFault) as caught:
        check(tested)
    return caught.value


def variable(flag: str, value: str) -> list[EnvVar]:
    return [EnvVar(name="AVAGO_" + flag.upper().replace("-", "_"), value=value)]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("index-enabled", "1"),
        ("index-enabled", "t"),
        ("index-enabled", "FALSE"),
        ("index-enabled", "False"),
        ("http-port", "9652"),
        ("staking-port", "0"),
        ("fd-limit", "32768"),
        ("fd-limit", "0x8000"),
        ("stake-supply-cap", "720000000000000000"),
        ("snow-sample-size", "-1"),
        ("tracing-sample-rate", "1e-3"),
        ("uptime-requirement", ".8"),
        ("health-check-frequency", "30s"),
        ("health-check-frequency", "1h30m"),
        ("health-check-frequency", "1.5s"),
        ("consensus-shutdown-timeout", "0"),
        ("log-level", "whatever"),  # any text
        ("a-flag-of-tomorrow", "yes"),  # of which nothing is known here
    ],
)
def test_what_avalanchego_takes_is_let_be(flag: str, value: str) -> None:
    """Does no value that avalanchego understands keep a target from its test?"""
    check(container(f"--{flag}={value}", env=variable(flag, value)))
    check(container(env=variable(flag, value)))


@pytest.mark.parametrize(
    ("flag", "value", "reason"),
    [
        ("partial-sync-primary-network", "yes", "BadSwitch"),
        ("index-enabled", "tRUE", "BadSwitch"),
        ("api-info-enabled", "off", "BadSwitch"),
        ("http-port", "tcp://10.96.0.7:9650", "BadNumber"),
        ("http-port", "9650/tcp", "BadNumber"),
        ("http-port", "http", "BadNumber"),
        ("http-port", "0", "BadNumber"),  # a random port
        ("http-port", "75186", "BadNumber"),  # of which avalanchego makes 9650 [100]
        ("staking-port", "-1", "BadNumber"),
        ("fd-limit", "32k", "BadNumber"),
        ("fd-limit", "010", "BadNumber"),  # 8, to Go
        ("fd-limit", "9" * 40, "BadNumber"),
        ("fd-limit", " 32768", "BadNumber"),
        ("snow-sample-size", "1.5", "BadNumber"),
        ("tracing-sample-rate", "10%", "BadNumber"),
        ("health-check-frequency", "30", "BadNumber"),  # nanoseconds, as a variable
        ("health-check-frequency", "1 m", "BadNumber"),
        ("health-check-frequency", "1d", "BadNumber"),
    ],
)
def test_what_avalanchego_refuses_or_drops_is_told(flag: str, value: str, reason: str) -> None:
    """Does the sentence name the very place, the value, and what to write instead?"""
    (said,) = variable(flag, value)
    for place, tested in (
        (said.name, container(env=[said])),
        (f"--{flag}", container(f"--{flag}={value}")),
        (f"--{flag}", container(f"--{flag}={value}", env=variable(flag, "1"))),  # a flag wins
    ):
        found = fault(tested)
        assert found.reason == reason
        assert place in str(found)
        assert "write " in str(found)
        assert len(str(found)) < 300


def test_a_value_that_does_not_count_is_let_be() -> None:
    """Is a bad variable harmless beside a good flag, as for avalanchego?"""
    check(container("--http-port=9652", env=variable("http-port", "tcp://10.0.0.1:80")))


def test_an_empty_variable_is_none_and_an_empty_flag_a_bad_one() -> None:
    """Are the two told apart, as viper and pflag do?"""
    check(container(env=variable("http-port", "")))
    assert fault(container("--http-port=")).reason == "BadNumber"
    assert fault(container("--http-port")).reason == "BadNumber"  # an argument is missing


def test_one_dash_is_no_flag() -> None:
    """Is a flag with one dash, which avalanchego does not start with, told at once?"""
    found = fault(container("-network-id=fuji"))
    assert found.reason == "BadFlag"
    assert "write --network-id" in str(found)


def test_what_is_not_in_the_manifest_is_let_be() -> None:
    """Is a value that another object holds, or that a shell puts in, no reason to refuse?"""
    source = EnvVar(name="AVAGO_HTTP_PORT", value_from={"configMapKeyRef": {}})
    port = EnvVar(name="PORT", value_from={"configMapKeyRef": {}})
    check(container(env=[source]))
    check(container("--http-port=$(PORT)", env=[port]))
    script = f"exec {NODE} --http-port=$PORT"
    check(Container(name="node", image="a", command=["sh", "-c", script]))
    assert fault(container("--http-port=$PORT")).reason == "BadNumber"  # no shell is there


def test_a_reference_is_put_in_as_kubernetes_does() -> None:
    """Is a number that stands in another variable read, and one that stands nowhere not?"""
    check(container("--http-port=$(PORT)", env=variables(PORT="9652")))
    assert fault(container("--http-port=$(PORT)", env=variables(PORT="x"))).reason == "BadNumber"
    assert fault(container("--http-port=$(PORT)")).reason == "BadNumber"


def read_and_check(tested: Container) -> None:
    read_network_and_mode(tested)
    check(tested)


REFUSED = {"bool-yes": "BadSwitch", "bool-flag-yes": "BadSwitch", "service-link": "BadNumber"}
HIDDEN = {"content-not-json": "BadChainConfig", "c-config-not-json": "BadChainConfig"}


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: str(scene.name))
def test_the_recorded_scenes_are_read_as_the_node_read_them(scene: Scene) -> None:
    """Of all that a real avalanchego was told, is exactly that refused which it refused as it is
    written, or dropped without a word?
    """
    tested = container(*scene.about["flags"], env=variables(**scene.about["env"]))
    reason = REFUSED.get(scene.name) or HIDDEN.get(scene.name)
    if reason is None:
        check(tested)
        assert read_network_and_mode(tested)[0] in ("network-88888", "local")
        return
    with pytest.raises(TargetFault) as caught:
        read_and_check(tested)
    assert caught.value.reason == reason
