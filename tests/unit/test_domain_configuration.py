"""What of a node's configuration changed under its run, and who did it."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace as with_fields

from controller.domain.manifest.configuration import (
    MOST,
    changed_parts,
    configuration_parts,
)
from controller.domain.metadata import ManagedField
from controller.domain.objects import Container, Deployment, EnvVar
from tests.fakes import EPOCH
from tests.kube_samples.objects import raw_of
from tests.machine_objects import with_env
from tests.machine_scene import scene

SECRET = "hunter2-hunter2"
NODE = 'k:{"name":"node"}'


def node(*, env: dict[str, str] | None = None, **more: Any) -> Container:
    variables = [EnvVar(name=name, value=value) for name, value in (env or {}).items()]
    return Container(name="node", env=variables, **more)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (node(env={"A": "1", "B": "2"}), node(env={"A": "1", "B": "3"}), ["B"]),
        (node(env={"A": "1"}), node(env={"A": "1", "B": SECRET}), ["B"]),
        (node(env={"A": "1", "B": SECRET}), node(env={"A": "1"}), ["B"]),
        (node(env={"A": "1", "B": "2"}), node(env={"B": "2", "A": "1"}), []),
        (node(args=["--http-port=1"]), node(args=["--http-port=2"]), ["--http-port"]),
        (node(args=["--http-port", "1"]), node(args=["--http-port", "2"]), ["--http-port"]),
        (node(command=["sh"]), node(command=["bash"]), ["command"]),
        (node(args=["-c", SECRET]), node(args=["-c", "exit"]), ["--c"]),
        (node(args=["one"]), node(args=["two"]), ["args"]),
        (node(env_from=[{"a": 1}]), node(), ["envFrom"]),
        (node(), None, []),
    ],
)
def test_what_changed_is_named_and_never_said(
    before: Container, after: Container | None, named: list[str]
) -> None:
    """Are variables and flags told by their names, without any of their values?"""
    parts = configuration_parts(before)
    assert changed_parts(parts, configuration_parts(after)) == named
    assert SECRET not in str(parts)


def test_a_long_environment_is_bounded() -> None:
    """Does what the record keeps stay small, however many variables and long names there are?"""
    many = node(env={f"V{'x' * 500}{number}": str(number) for number in range(400)})
    assert len(configuration_parts(many)) <= MOST + 1
    assert len(msgspec.json.encode(configuration_parts(many))) < 5000


def owned(found: Deployment, manager: str, at: datetime, fields: object) -> Deployment:
    raw = {"f:spec": {"f:template": {"f:spec": {"f:containers": {NODE: fields}}}}}
    entry = ManagedField(
        manager=manager,
        operation="Update",
        time=at,
        fields_v1=msgspec.Raw(msgspec.json.encode(raw)),
    )
    entries = [*(found.metadata.managed_fields or ()), entry]
    return with_fields(found, metadata=with_fields(found.metadata, managed=raw_of(*entries)))


@pytest.mark.parametrize(
    ("fields", "at", "told"),
    [
        (
            {"f:env": {'k:{"name":"AVAGO_X"}': {"f:value": {}}}},
            EPOCH + timedelta(hours=2),
            "changed in mid-run: AVAGO_X, by 'kubectl-edit' at ",
        ),
        ({"f:image": {}}, EPOCH - timedelta(days=2), "changed in mid-run: AVAGO_X"),
    ],
)
def test_who_changed_which_variable_is_told(fields: object, at: datetime, told: str) -> None:
    """Does the outcome name the variable, and the manager only where he wrote since the run?"""
    s = scene()
    found = with_env(s.world.deployments[s.key], EnvVar(name="AVAGO_X", value=SECRET))
    s.world.deployments[s.key] = owned(found, "kubectl-edit", at, fields)
    s.world.settle(s.key)
    outcome = s.world.record(s.key).outcomes[-1]
    assert outcome.reason == "ConfigurationChanged"
    assert told in outcome.message
    assert ("kubectl-edit" in outcome.message) is (" by " in told)
    assert SECRET not in outcome.message
