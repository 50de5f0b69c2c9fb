"""Whether anybody outside its pod can ask a node, by what its container says of `http-host`."""

from collections.abc import Sequence
from typing import Any

import pytest

from controller.domain.manifest.http_host import why_out_of_reach
from controller.domain.objects import Container, EnvVar
from tests.machine_objects import variables

NODE = "/avalanchego/build/avalanchego"


def why(
    *words: str, env: Sequence[EnvVar] = (), env_from: list[dict[str, Any]] | None = None
) -> str:
    """words: the node's flags, behind its program."""
    node = Container(
        name="node",
        image="avaplatform/avalanchego",
        command=[NODE],
        args=list(words),
        env=list(env),
        env_from=env_from,
    )
    return why_out_of_reach(node)


def host(value: str) -> list[EnvVar]:
    return variables(AVAGO_HTTP_HOST=value)


@pytest.mark.parametrize(
    ("value", "reached"),
    [
        ("127.0.0.1", False),
        ("127.8.9.10", False),
        ("localhost", False),
        ("LOCALHOST", False),
        ("ip6-localhost", False),
        ("::1", False),
        ("0:0:0:0:0:0:0:1", False),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.1.2.3", True),
        ("$(POD_IP)", True),  # which is not known here, and so no reason to complain
        ("node.example", True),
    ],
)
def test_a_flag_and_its_variable_are_judged_alike(value: str, reached: bool) -> None:
    """Is each address called what it is, however it is said?"""
    said = (why(env=host(value)), why(f"--http-host={value}"), why("--http-host", value))
    assert [not sentence for sentence in said] == [reached] * 3


def test_nothing_said_is_the_loopback() -> None:
    """Is avalanchego's default known, and an empty variable no variable?"""
    assert "set AVAGO_HTTP_HOST to 0.0.0.0" in why()
    assert why(env=host("")) == why()


def test_an_empty_flag_is_every_address() -> None:
    """Does an empty flag, which unlike an empty variable counts, listen everywhere?"""
    assert why("--http-host=") == ""


def test_a_flag_wins_over_the_variable() -> None:
    """Does the sentence name the flag, beside which the variable would change nothing?"""
    sentence = why("--http-host=127.0.0.1", env=host("0.0.0.0"))
    assert "--http-host=0.0.0.0" in sentence
    assert "AVAGO_HTTP_HOST" not in sentence
    assert why("--http-host=0.0.0.0", env=host("127.0.0.1")) == ""


def test_a_flag_in_a_script_counts() -> None:
    """Is the script of a `sh -c` read, and a variable that it sets?"""

    def script(text: str) -> str:
        return why_out_of_reach(Container(name="node", image="a", command=["sh", "-c", text]))

    assert "--http-host=0.0.0.0" in script(f"exec {NODE} --http-host=127.0.0.1")
    assert script(f"exec {NODE} --http-host=0.0.0.0; echo over") == ""
    assert script(f"export AVAGO_HTTP_HOST=0.0.0.0; exec {NODE}") == ""
    assert "AVAGO_HTTP_HOST" in script(f"exec {NODE}")


@pytest.mark.parametrize("flag", ["--config-file=/etc/node.json", "--config-file-content=e30="])
def test_a_file_may_say_what_nobody_else_says(flag: str) -> None:
    """Is no complaint made of what a file may mend, and one of what it cannot?"""
    assert why(flag) == ""
    assert why(flag, env=host("127.0.0.1"))  # variables win over the file


def test_what_comes_from_elsewhere_is_unknown() -> None:
    """Are envFrom and valueFrom no reason to complain, and a literal beside envFrom one?"""
    source: list[dict[str, Any]] = [{"configMapRef": {"name": "settings"}}]
    pod_ip = EnvVar(name="AVAGO_HTTP_HOST", value_from={"fieldRef": {"fieldPath": "status.podIP"}})
    assert why(env_from=source) == ""
    assert why(env=[pod_ip]) == ""
    assert why(env=host("127.0.0.1"), env_from=source)
    assert why(env_from=[{"secretRef": {"name": "aws"}, "prefix": "AWS_"}])
