"""Bad input in manifests: one clear sentence where the owner looks, and nobody else is harmed."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controller.domain import names
from controller.simulator.apiserver.resources import Object
from controller.simulator.manifests import chain_config_content
from tests.controlled_world import BUILD, REPOSITORY, SELDOM, ControlledWorld, controlled_world

pytestmark = pytest.mark.jumping

Change = Callable[[Object], object]


@dataclass(frozen=True)
class Bad:
    """One fault: what is wrong with Deployment or Service, and the word and sentence for it."""

    reason: str
    sentence: str
    change: Change = lambda _: None
    service: Change | None = lambda _: None


def annotated(name: str, value: str) -> Change:
    return lambda d: d["metadata"]["annotations"].update({name: value})


def pod_of(deployment: Object) -> Any:
    return deployment["spec"]["template"]["spec"]


def spec(**values: object) -> Change:
    return lambda d: d["spec"].update(values)


def images(image: str) -> Change:
    def change(deployment: Object) -> None:
        pod = pod_of(deployment)
        for container in (*pod["initContainers"], *pod["containers"]):
            container["image"] = image

    return change


def variable(name: str, **source: object) -> Change:
    """A variable of the node's container, in the place of one of the same name."""

    def change(deployment: Object) -> None:
        node = pod_of(deployment)["containers"][0]
        node["env"] = [v for v in node["env"] if v["name"] != name] + [{"name": name, **source}]

    return change


def from_map(kind: str) -> Object:
    return {kind: {"name": "settings", "key": "network"}}


def init_container(**values: object) -> Change:
    return lambda d: pod_of(d)["initContainers"][0].update(values)


def container(**values: object) -> Change:
    """The node's."""
    return lambda d: pod_of(d)["containers"][0].update(values)


def monitor(kind: str, place: int, **values: object) -> Change:
    """A monitor among those containers of the pod."""
    container = {
        "name": "monitor",
        "image": "ghcr.io/example/bootstrap-controller:1",
        "args": ["monitor"],
        "restartPolicy": "Always" if kind == "initContainers" else None,
        **values,
    }
    made = {key: value for key, value in container.items() if value is not None}
    return lambda d: pod_of(d)[kind].insert(place, made)


def both(*changes: Change) -> Change:
    return lambda d: [change(d) for change in changes]


def two_nameless_ports(service: Object) -> None:
    service["spec"]["ports"] = [{"name": "a", "port": 9100}, {"name": "b", "port": 9200}]


FAULTS = {
    "no such container": Bad(
        "NoSuchContainer",
        "there is no container 'avalanchego' (there is: node): name the node's container in the"
        " annotation bootstrap.avax.network/container",
        annotated(names.CONTAINER, "avalanchego"),
    ),
    "an init container named as the node's": Bad(
        "NoSuchContainer",
        "container 'prepare-data' is an init container, and a node is an ordinary one (there is:"
        " node): name the node's container in the annotation bootstrap.avax.network/container",
        annotated(names.CONTAINER, "prepare-data"),
    ),
    "the monitor named as the node's": Bad(
        "MonitorIsNotTheNode",
        "container 'monitor' runs the monitor and not avalanchego (there is: node): name the node's"
        " container in the annotation bootstrap.avax.network/container",
        both(monitor("initContainers", 0), annotated(names.CONTAINER, "monitor")),
    ),
    "a monitor that starts too late": Bad(
        "MonitorNotSidecar",
        "the monitor 'monitor' is an ordinary container, which starts only when the init containers"
        " are done, and they wait for the run id that it has to write: make it the first of"
        " initContainers, with restartPolicy: Always",
        monitor("containers", 1),
    ),
    "a monitor behind what waits for it": Bad(
        "MonitorNotFirst",
        "the monitor 'monitor' stands behind init container 'prepare-data', which waits for the run"
        " id that the monitor has to write: put it first",
        monitor("initContainers", 1),
    ),
    "a monitor that holds its pod up": Bad(
        "MonitorNotSidecar",
        "the monitor 'monitor' is an init container without restartPolicy: Always, so that its pod"
        " would wait for ever for it to end: write that, which needs Kubernetes 1.29 or later",
        monitor("initContainers", 0, restartPolicy=None),
    ),
    "no tag to follow": Bad(
        "NoTag",
        "names a digest and no tag to follow: write the tag before '@', or in the annotation"
        " bootstrap.avax.network/track",
        images(f"{REPOSITORY}@{BUILD.digest()}"),
    ),
    "a reference that does not parse": Bad(
        "BadReference", "'AvaPlatform/Avalanchego:latest'", images("AvaPlatform/Avalanchego:latest")
    ),
    "a tag that does not parse": Bad(
        "BadTag", "annotation bootstrap.avax.network/track: ", annotated(names.TRACK, "not a tag")
    ),
    "no Service": Bad(
        "NoService",
        "there is no Service 'bad' with the label bootstrap.avax.network/test: \"true\": make one",
        service=None,
    ),
    "a Service without a usable port": Bad(
        "NoUsablePort",
        "Service 'bad' has no usable port: name the node's HTTP port (9650) 'http'",
        service=two_nameless_ports,
    ),
    "a Service that selects other pods": Bad(
        "ServiceSelectsOther",
        "the selector of Service 'bad' is not the pod's: select the labels of the Deployment's pod"
        " template",
        service=lambda s: s["spec"].update(selector={"app": "other"}),
    ),
    "a strategy other than Recreate": Bad(
        "NotRecreate",
        "strategy RollingUpdate would start two nodes on one volume: write strategy: {type:"
        " Recreate}",
        spec(strategy={"type": "RollingUpdate"}),
    ),
    "paused": Bad(
        "Paused", "spec.paused keeps a pin from being rolled out: remove it", spec(paused=True)
    ),
    "more than one replica": Bad(
        "TooManyReplicas", "2 replicas share one volume: write replicas: 1", spec(replicas=2)
    ),
    "no init container that takes the run id": Bad(
        "RunIdNotTaken", "no init container takes the run id", init_container(env=[])
    ),
    "an init container of another image": Bad(
        "OtherInitImage",
        "init container 'prepare-data' has another image than the node: it must look at the same"
        " binary, so write image: avaplatform/avalanchego:latest",
        init_container(image="busybox:1.36"),
    ),
    "a target variable from a ConfigMap": Bad(
        "TargetNotLiteral",
        "AVAGO_NETWORK_ID decides the target and comes from configMapKeyRef: write it as a literal"
        " value in env",
        variable("AVAGO_NETWORK_ID", valueFrom=from_map("configMapKeyRef")),
    ),
    "a target variable from a Secret": Bad(
        "TargetNotLiteral",
        "AVAGO_CHAIN_CONFIG_CONTENT decides the target and comes from secretKeyRef: write it as a"
        " literal value in env",
        variable("AVAGO_CHAIN_CONFIG_CONTENT", valueFrom=from_map("secretKeyRef")),
    ),
    "chain config that does not decode": Bad(
        "BadChainConfig",
        "AVAGO_CHAIN_CONFIG_CONTENT does not decode: write base64 of",
        variable("AVAGO_CHAIN_CONFIG_CONTENT", value="eyJDIjoK!"),
    ),
    "state sync together with archive": Bad(
        "StateSyncWithArchive",
        "state sync leaves no archive: write 'state-sync-enabled: false' for an archive",
        variable(
            "AVAGO_CHAIN_CONFIG_CONTENT",
            value=chain_config_content({"state-sync-enabled": True, "pruning-enabled": False}),
        ),
    ),
    "a switch that avalanchego drops": Bad(
        "BadSwitch",
        "'yes' is neither true nor false to avalanchego, which takes it for false without a word:"
        " write AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK=true or",
        variable("AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK", value="yes"),
    ),
    "a number that avalanchego drops": Bad(
        "BadNumber",
        "'tcp://10.96.0.7:9650' in AVAGO_HTTP_PORT is no number to avalanchego",
        variable("AVAGO_HTTP_PORT", value="tcp://10.96.0.7:9650"),
    ),
    "a wrapper that nobody can read": Bad(
        "HiddenConfiguration",
        "'/scripts/run.sh' may tell avalanchego what nobody can read here: write command:",
        container(command=["/scripts/run.sh"]),
    ),
    "a database outside of the run's directory": Bad(
        "DataDirNotTheRuns",
        "AVAGO_DB_DIR keeps data outside of the run's own directory, where the next build would"
        " find it: leave it out, or write a path below /data/runs/$(RUN_ID)",
        variable("AVAGO_DB_DIR", value="/data/db"),
    ),
    "a database in memory": Bad(
        "DataNotKept",
        "with --db-type the node keeps its data in memory only",
        container(args=["--db-type=memdb"]),
    ),
    "a timeout that does not parse": Bad(
        "BadDuration",
        "annotation bootstrap.avax.network/timeout 'three days' is not a duration: write such as"
        " 30s, 5m, 12h or 7d",
        annotated(names.TIMEOUT, "three days"),
    ),
    "a soak that does not parse": Bad(
        "BadDuration",
        "annotation bootstrap.avax.network/soak '10' is not a duration",
        annotated(names.SOAK, "10"),
    ),
    "an annotation of 200 KB": Bad(
        "BadTag",
        "annotation bootstrap.avax.network/track: 'xxxxxxxxxxxxxxxx",
        annotated(names.TRACK, "x" * 200_000),
    ),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    """With a good Deployment of another target beside whatever is bad."""
    async with controlled_world(tmp_path) as world:
        world.deploy("good", network="network-1337")
        yield world


@pytest.mark.parametrize("bad", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_is_told_and_harms_nobody(world: ControlledWorld, bad: Bad) -> None:
    """Is the fault's one sentence on the Deployment and in a Kubernetes Event, is nothing started
    there, and does the good Deployment beside it pass?
    """
    world.deploy("bad", bad.change, service=bad.service)
    world.start(**SELDOM)
    await world.until(lambda: world.phase("bad") == "Blocked")
    assert bad.sentence in world.message("bad")
    told = await world.until(lambda: world.events("bad"))
    assert [reason for reason, _ in told] == [bad.reason]
    assert bad.sentence in told[0][1]
    await world.passes("good")
    assert world.outcomes("bad") == []
    record = world.record("bad")
    assert record is not None
    assert record.run is None
    assert len(world.events("bad")) == 1


MENDS = ("no such container", "a strategy other than Recreate", "a soak that does not parse")


@pytest.mark.parametrize("fault", MENDS)
async def test_a_fault_that_is_mended_is_forgotten(world: ControlledWorld, fault: str) -> None:
    """Does a Deployment that its owner mended go on by itself, with an Event that says so?"""
    bad = FAULTS[fault]
    world.deploy("bad", bad.change)
    world.start(**SELDOM)
    await world.until(lambda: world.phase("bad") == "Blocked")
    world.world.change("bad", _mend)
    await world.passes("bad")
    reasons = [reason for reason, _ in world.events("bad")]
    assert reasons[:2] == [bad.reason, "BlockedEnded"]


def _mend(deployment: Object) -> None:
    deployment["spec"]["strategy"] = {"type": "Recreate"}
    deployment["metadata"]["annotations"].pop(names.CONTAINER, None)
    deployment["metadata"]["annotations"][names.SOAK] = "30m"


async def test_a_service_that_comes_later_unblocks(world: ControlledWorld) -> None:
    """Does the Deployment go on when its Service is made at last?"""
    world.deploy("bad", service=None)
    world.start(**SELDOM)
    await world.until(lambda: world.phase("bad") == "Blocked")
    service = {
        "metadata": {
            "name": "bad",
            "namespace": "bootstrap",
            "labels": {names.TEST: "true"},
        },
        "spec": {"selector": {"app": "bad"}, "ports": [{"port": 9650}]},
    }
    world.world.api.objects.create("services", service)
    await world.passes("bad")
    assert "BlockedEnded" in [reason for reason, _ in world.events("bad")]


async def test_a_fault_in_mid_run_neither_ends_nor_passes_it(world: ControlledWorld) -> None:
    """Does an open run whose manifest breaks stay open, say why, and pass when it is mended?"""
    world.deploy("bad", annotations={names.SOAK: "1h"})
    world.start(**SELDOM)
    await world.until(lambda: world.phase("bad") == "Soaking")
    world.world.annotate("bad", soak="soon")
    await world.until(lambda: "cannot pass until this is mended" in world.message("bad"))
    await world.until(lambda: "'soon' is not a duration" in world.notes("bad"))
    await world.passes("good")
    assert world.phase("bad") == "Soaking"
    world.world.annotate("bad", soak="30m")
    await world.passes("bad")
    assert "is mended" in world.notes("bad")


async def test_a_strangers_annotation_of_200_kb_is_no_fault(world: ControlledWorld) -> None:
    """Does a Deployment pass that carries 200 KB of somebody else's annotation?"""
    world.deploy("big", annotated("example.com/notes", "x" * 200_000))
    world.start(**SELDOM)
    await world.passes("big")


async def test_two_deployments_of_a_target_are_allowed(world: ControlledWorld) -> None:
    """Is a build tested by one of two Deployments of a target, and does the other say by which?"""
    world.deploy("one")
    world.deploy("two")
    world.start(**SELDOM)
    await world.until(lambda: world.outcomes("one") or world.outcomes("two"))
    tester, other = ("one", "two") if world.outcomes("one") else ("two", "one")
    await world.until(lambda: f"bootstrap/{tester} has tested" in world.message(other))
    await world.passes("good")
    assert world.outcomes(other) == []
    assert world.phase(other) == "Idle"
