"""The monitor in a manifest: where it is seen, and what is said where it cannot work."""

import pytest
from msgspec.structs import replace as with_fields

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.monitor import monitor_container
from controller.domain.manifest.request import read_request
from controller.domain.objects import Container, Deployment, EnvVar
from tests.machine_objects import (
    bare,
    deployment,
    init_container,
    node_container,
    variables,
    with_annotations,
)

OURS = "ghcr.io/example/bootstrap-controller:1.0"
FUJI = variables(AVAGO_NETWORK_ID="fuji")
MONITOR = Container(name="monitor", image=OURS, args=["monitor"], restart_policy="Always")
TAKER = init_container(bare())
NODE = node_container(bare(), env=FUJI)


def with_inits(*inits: Container, others: tuple[Container, ...] = ()) -> Deployment:
    return deployment(init_containers=inits, containers=(NODE, *others))


def running(
    *command: str, args: list[str] | None = None, image: str = OURS, env: list[EnvVar] | None = None
) -> Deployment:
    found = Container(name="m", image=image, command=list(command) or None, args=args, env=env)
    return with_inits(found, TAKER)


@pytest.mark.parametrize(
    "found",
    [
        running(args=["monitor", "--poll-interval", "1m"]),
        running(args=["monitor"], image="bootstrap-controller"),
        running(args=["monitor"], image="localhost:5000/team/our-bootstrap-controller:dev"),
        running("bootstrap-controller", "monitor", image="internal/tool:3"),
        running("/opt/bootstrap/bin/bootstrap-controller", args=["monitor"], image="Not An Image"),
        running("python", "-m", "controller", "monitor", "--log-level", "debug"),
        running("python", "-X", "dev", args=["-m", "controller", "monitor"]),
        running("sh", "-c", "sleep 1; exec bootstrap-controller monitor --settle 1m"),
        running("$(PROGRAM)", "monitor", env=variables(PROGRAM="/bin/bootstrap-controller")),
        running(args=["$(WHAT)"], env=variables(WHAT="monitor")),
    ],
)
def test_a_monitor_is_seen_by_what_it_runs(found: Deployment) -> None:
    """Is the container that runs the monitor named, however its command line is written?"""
    assert monitor_container(found) == "m"


@pytest.mark.parametrize(
    "found",
    [
        deployment(),
        deployment(init_containers=[], containers=[]),
        running(),  # the image's own command, which is `run`
        running(args=[]),
        running(args=["run", "monitor"]),
        running(args=["status"]),
        running(args=["monitor"], image="grafana/monitor:1"),
        running(args=["monitor"], image="bootstrap-controller-tools:1"),
        running(args=["monitor"], image="Not/An Image/bootstrap-controller"),
        running("monitor"),
        running("/bin/monitor", "bootstrap-controller"),
        running("bootstrap-controller", "run", "--dogstatsd", "monitor"),
        running("my-bootstrap-controller", "monitor"),
        running("python", "-m", "controllers", "monitor"),
        running("monitor", args=["monitor"]),
        running(args=[""], env=[EnvVar(name="A", value_from={"secretKeyRef": {"key": "monitor"}})]),
        with_inits(with_fields(MONITOR, args=["x" * 1_000_000 + "monitor"]), TAKER),
        with_inits(with_fields(MONITOR, command=["sh", "-c", "monitor " * 100_000]), TAKER),
    ],
)
def test_nothing_else_is_taken_for_a_monitor(found: Deployment) -> None:
    """Is a manifest without a monitor left to the controller, whatever else it names so?"""
    assert monitor_container(found) is None


def test_an_ordinary_container_is_seen_too() -> None:
    """Is a monitor found among the pod's ordinary containers?"""
    assert monitor_container(with_inits(TAKER, others=(MONITOR,))) == "monitor"


def test_a_monitor_that_stands_first_is_no_fault() -> None:
    """Is the manifest that the documentation shows accepted, and only the node's image pinned?"""
    found = read_request(with_inits(MONITOR, TAKER), Rules())
    assert [p.name for p in found.pinned] == ["node", "prepare-data"]


def test_another_init_container_may_stand_before_it() -> None:
    """Is it only the container that waits for the run id that must not stand before the monitor?"""
    read_request(with_inits(Container(name="chown", image="busybox"), MONITOR, TAKER), Rules())


def annotated(container: str, found: Deployment) -> Deployment:
    return with_annotations(found, container=container)


@pytest.mark.parametrize(
    ("found", "reason", "remedies"),
    [
        # the node's container is named wrongly
        (
            annotated("monitor", with_inits(MONITOR, TAKER)),
            "MonitorIsNotTheNode",
            ["'monitor'", "there is: node", names.CONTAINER],
        ),
        (
            annotated("monitor", with_inits(TAKER, others=(MONITOR,))),
            "MonitorIsNotTheNode",
            ["there is: node)", names.CONTAINER],
        ),
        (
            deployment(containers=[with_fields(MONITOR, name="node")]),
            "MonitorIsNotTheNode",
            ["'node'", "there is: none"],
        ),
        (
            annotated("prepare-data", with_inits(MONITOR, TAKER)),
            "NoSuchContainer",
            ["'prepare-data' is an init container", "there is: node", names.CONTAINER],
        ),
        (
            annotated("other", with_inits(TAKER, others=(MONITOR,))),
            "NoSuchContainer",
            ["no container 'other'", "(there is: node)"],
        ),
        # it stands where it cannot work
        (
            with_inits(with_fields(MONITOR, restart_policy=""), TAKER),
            "MonitorNotSidecar",
            ["restartPolicy: Always", "Kubernetes 1.29"],
        ),
        (
            with_inits(with_fields(MONITOR, restart_policy="OnFailure"), TAKER),
            "MonitorNotSidecar",
            ["restartPolicy: Always"],
        ),
        (
            with_inits(TAKER, others=(MONITOR,)),
            "MonitorNotSidecar",
            ["ordinary container", "the first of initContainers", "restartPolicy: Always"],
        ),
        (with_inits(TAKER, MONITOR), "MonitorNotFirst", ["'prepare-data'", "put it first"]),
        (
            with_inits(MONITOR, with_fields(MONITOR, name="again"), TAKER),
            "TwoMonitors",
            ["'monitor' and 'again'", "leave one of them out"],
        ),
        (
            with_inits(with_fields(MONITOR, image=bare(), command=["bootstrap-controller"]), TAKER),
            "MonitorOfNodeImage",
            ["another repository"],
        ),
    ],
)
def test_a_monitor_that_cannot_work_is_told_what_to_write(
    found: Deployment, reason: str, remedies: list[str]
) -> None:
    """Does each way of placing a monitor wrongly get its own reason and remedy?"""
    with pytest.raises(TargetFault) as caught:
        read_request(found, Rules())
    assert caught.value.reason == reason
    for remedy in remedies:
        assert remedy in str(caught.value)
