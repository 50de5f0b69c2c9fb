"""What a container runs, as Kubernetes and a shell make it of the manifest."""

import pytest

from controller.domain.manifest.command_line import CommandLine
from controller.domain.manifest.environment import Environment, unknown
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container, EnvVar
from tests.machine_objects import variables

NODE = "/avalanchego/build/avalanchego"


def line(*words: str, env: list[EnvVar] | None = None) -> CommandLine:
    container = Container(name="node", image="a", command=list(words), env=env)
    return CommandLine.of(container, Environment(container))


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)", "x1y21"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(C)", "$(C)"),  # nobody knows it
        ("$(A", "$(A"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(S)", unknown("S")),
    ],
)
def test_references_are_put_in_as_kubernetes_does(text: str, becomes: str) -> None:
    """Is a reference told from what only looks like one?"""
    secret = EnvVar(name="S", value_from={"secretKeyRef": {}})
    container = Container(env=[*variables(A="1", B="2$(A)"), secret])
    assert Environment(container).expanded(text) == becomes


def test_a_reference_to_what_comes_later_stays() -> None:
    """Do only variables that stand before it go into a value, and of two the last before it?"""
    env = [*variables(A="1"), *variables(B="$(A)$(C)", A="2"), *variables(C="3$(A)")]
    found = Environment(Container(env=env)).variables
    assert {name: variable.value for name, variable in found.items()} == {
        "A": "2",
        "B": "1$(C)",
        "C": "32",
    }


def test_references_to_references_stay_small() -> None:
    """Is a value bounded that would double with each of a thousand variables?"""
    env = [EnvVar(name="V0", value="x" * 100)]
    env += [EnvVar(name=f"V{i}", value=f"$(V{i - 1})$(V{i - 1})") for i in range(1, 1000)]
    found = Environment(Container(env=env)).variables.values()
    assert sum(len(variable.value) for variable in found) < 2_000_000


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ((NODE, "--a", "b"), ("--a", "b")),
        (("tini", "-g", "--", NODE, "--a"), ("--a",)),
        ((NODE, "--a", "--", "--b"), ("--a",)),  # what follows is no flag any more
        (("--a",), ("--a",)),  # of an image with an entrypoint
        ((), ()),
    ],
)
def test_flags_are_those_of_the_node(words: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Are words of other programs left out, and what the node would not read?"""
    assert line(*words).arguments == arguments


@pytest.mark.parametrize("rest", ['"$@"', "$*", '"${@}"'])
def test_a_script_may_pass_on_the_words_behind_it(rest: str) -> None:
    """Are args that a wrapper hands to the node its flags, without the first, a name?"""
    words = ("sh", "-c", f"exec {NODE} {rest}", "sh", "--network-id=fuji")
    assert NodeFlags.of(Container(command=list(words))).get("network-id") == "fuji"
    dropped = ("sh", "-c", f"exec {NODE}", "sh", "--network-id=fuji")
    assert NodeFlags.of(Container(command=list(dropped))).get("network-id") is None


@pytest.mark.parametrize(
    ("words", "readable"),
    [
        ((), True),
        ((NODE,), True),
        (("./avalanchego", "--a"), True),
        (("--a",), True),
        (("tini", "--", "sh", "-c", f"exec {NODE}"), True),
        (("env", "--", "AVAGO_A=1", NODE), True),
        (("/scripts/run.sh",), False),
        (("/bin/bash", "/scripts/run-avalanchego.sh"), False),
        (("sh", "-c", "exec $NODE"), False),
        (("sh", "-c", f". /etc/node.env; exec {NODE}"), False),
        (("bash", "-c", f"source /etc/node.env && {NODE}"), False),
        (("sh", "-c", f"unset AVAGO_DATA_DIR; {NODE}"), False),
        (("sh", "-c", f"exec {NODE} --log-level={'x' * 1_000_000}"), False),  # too long to read
        (("env", "-i", NODE), False),
        (("/usr/bin/env", "-u", "AVAGO_DATA_DIR", NODE), False),
    ],
)
def test_what_nobody_can_read_is_told(words: tuple[str, ...], readable: bool) -> None:
    """Is a program found that may tell the node something else than the manifest does?"""
    sentence = line(*words).why_unreadable()
    assert (sentence == "") is readable
    assert readable or "write command: [/avalanchego/build/avalanchego]" in sentence
