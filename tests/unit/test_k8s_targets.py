"""The targets: each manifest is the target that its folder says, and keeps the pod's contract.

Excluded: the script (tests/functional/test_prepare_data.py), and kubectl at work
(tests/functional/test_k8s_apply.py).
"""

import base64
import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from controller.base.durations import parse_duration
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.manifest.node_port import node_port
from controller.domain.manifest.request import RunRequest, read_request
from controller.domain.objects import Deployment, Service
from controller.domain.target import SyncMode
from tests.kube_samples.objects import as_deployment
from tests.kustomize import K8S, Object, build, build_folder, build_own, one, pod_specs, yaml

TARGETS = [f"{network}-{mode.value}" for network in ("mainnet", "fuji") for mode in SyncMode]
FOLDERS = [f"targets/overlays/{target}" for target in TARGETS]
EVERY = [*FOLDERS, "targets/example"]
RUN_ID = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{names.RUN_ID}']"}}


def volume_of(folder: str) -> str:
    """The folder of a target's volume claim."""
    return (
        folder.replace("/overlays/", "/volumes/") if "/overlays/" in folder else f"{folder}/volume"
    )


def deployment_of(objects: tuple[Object, ...]) -> Deployment:
    """As the API server gives it back, where it matters: with one replica."""
    raw = one(objects, "Deployment")
    return as_deployment({**raw, "spec": {"replicas": 1, **raw["spec"]}})


def request_of(objects: tuple[Object, ...]) -> RunRequest:
    return read_request(deployment_of(objects), Rules())


def node_of(objects: tuple[Object, ...]) -> Object:
    (container,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def gibibytes(objects: tuple[Object, ...]) -> int:
    claim = one(objects, "PersistentVolumeClaim")
    number, unit = re.fullmatch(
        r"(\d+)([GT])i", claim["spec"]["resources"]["requests"]["storage"]
    ).groups()
    return int(number) * (1024 if unit == "T" else 1)


# --- What the controller makes of them -----------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_the_folder_names_the_target(target: str) -> None:
    """Does the controller read exactly the target that the folder's name says?"""
    objects = build(f"targets/overlays/{target}")
    request = request_of(objects)
    assert str(request.target) == target
    assert request.track == "latest"
    assert [p.name for p in request.pinned] == ["node", "prepare-data"]
    assert not request.suspended


@pytest.mark.parametrize("folder", EVERY)
def test_the_service_is_found(folder: str) -> None:
    """Does the controller find the node's port behind the Service of the Deployment's name?"""
    objects = build(folder)
    deployment = deployment_of(objects)
    service = msgspec.convert(one(objects, "Service"), Service)
    assert service.metadata.name == deployment.metadata.name
    assert node_port(deployment, service) == 9650
    assert service.metadata.label(names.TEST) == "true"


def test_the_example_is_another_target() -> None:
    """Is the example beside the ready target of its network and mode, and not the same?"""
    request = request_of(build("targets/example"))
    assert str(request.target) == "fuji-c-chain-state-sync-pebble"
    assert request.track == "master"
    assert request.timeout == parse_duration("5d")


def test_all_is_every_target_once() -> None:
    """Does the overlay that brings all bring exactly the eight?"""
    for all_of, folders in (("overlays", FOLDERS), ("volumes", list(map(volume_of, FOLDERS)))):
        together = {yaml.safe_dump(o) for o in build(f"targets/{all_of}/all")}
        assert together == {yaml.safe_dump(o) for folder in folders for o in build(folder)}
    assert len(FOLDERS) == 8
    assert sorted(path.name for path in (K8S / "targets" / "overlays").iterdir()) == sorted(
        ["all", *TARGETS]
    )


# --- Names and labels ----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", EVERY)
def test_one_name(folder: str) -> None:
    """Do Deployment, Service, volume claim and script share one name, and refer to it?"""
    objects = (*build(volume_of(folder)), *build(folder))
    (name,) = {o["metadata"]["name"] for o in objects}
    kinds = ["PersistentVolumeClaim", "ConfigMap", "Service", "Deployment"]
    assert [o["kind"] for o in objects] == kinds
    assert len({o["metadata"]["namespace"] for o in objects}) == 1
    assert len({o["metadata"]["labels"]["app.kubernetes.io/instance"] for o in objects}) == 1
    (pod,) = pod_specs(objects).values()
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": name}
    assert volumes["scripts"]["configMap"] == {"name": name}
    assert len(name) <= 50, "a pod's name is longer by a hash, and ends at 63 for its host name"
    assert not name.startswith("avago"), "the variables of its Service would be flags [65]"


@pytest.mark.parametrize("folder", EVERY)
def test_watched(folder: str) -> None:
    """Does the label of the watches stand on the Deployment, the pod template and the Service?"""
    objects = build(folder)
    deployment = one(objects, "Deployment")
    for metadata in (
        deployment["metadata"],
        deployment["spec"]["template"]["metadata"],
        one(objects, "Service")["metadata"],
    ):
        assert metadata["labels"][names.TEST] == "true"


def test_no_target_sees_another_ones_pod() -> None:
    """Does every selector, of Deployments and Services alike, match its own pods alone?"""
    templates, selectors = {}, {}
    for folder in EVERY:
        objects = build(folder)
        deployment = one(objects, "Deployment")
        templates[folder] = deployment["spec"]["template"]["metadata"]["labels"]
        selectors[folder] = (
            deployment["spec"]["selector"]["matchLabels"],
            one(objects, "Service")["spec"]["selector"],
        )
    for folder, both in selectors.items():
        for selector in both:
            matched = [f for f, labels in templates.items() if selector.items() <= labels.items()]
            assert matched == [folder]


@pytest.mark.parametrize("folder", EVERY)
def test_the_selector_never_moves(folder: str) -> None:
    """Is the selector, which cannot be changed later, free of labels that may change?"""
    selector = one(build(folder), "Deployment")["spec"]["selector"]["matchLabels"]
    assert selector.keys() == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}


# --- The pod -------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", EVERY)
def test_the_pods_choices(folder: str) -> None:
    """Does the pod avoid each of the places where avalanchego and Kubernetes bite?"""
    objects = build(folder)
    spec = one(objects, "Deployment")["spec"]
    pod = spec["template"]["spec"]
    assert "replicas" not in spec, "applying again would scale"
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["progressDeadlineSeconds"] == 2147483647, "the number that means none [57]"
    assert pod["enableServiceLinks"] is False
    assert pod["terminationGracePeriodSeconds"] >= 120  # [60]
    assert pod["shareProcessNamespace"] is True, "process 1 is deaf until it has a handler"
    assert pod["nodeSelector"]["kubernetes.io/arch"] == "amd64"
    assert one(objects, "Service")["spec"]["publishNotReadyAddresses"] is True
    claim = one(build(volume_of(folder)), "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    annotations = spec["template"]["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert annotations["karpenter.sh/do-not-disrupt"] == "true"
    assert names.RUN_ID not in annotations, "only the controller names runs"
    argo = one(objects, "Deployment")["metadata"]["annotations"]
    assert argo["argocd.argoproj.io/ignore-healthcheck"] == "true"


@pytest.mark.parametrize("folder", EVERY)
def test_the_node(folder: str) -> None:
    """Is the node started by its binary, READY by readiness alone, and never killed as slow?"""
    node = node_of(build(folder))
    assert node["command"] == ["/avalanchego/build/avalanchego"]
    assert "args" not in node
    assert node["readinessProbe"]["httpGet"] == {"path": "/ext/health/readiness", "port": "http"}
    assert not {"livenessProbe", "startupProbe", "lifecycle"} & node.keys()
    assert {"name": "http", "containerPort": 9650} in node["ports"]


@pytest.mark.parametrize("folder", EVERY)
def test_last_words(folder: str) -> None:
    """Do the last lines of a node that fails reach the pod's status, and of an init container that
    cannot even run?
    """
    (pod,) = pod_specs(build(folder)).values()
    (init,), (node,) = pod["initContainers"], pod["containers"]
    assert node["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert init["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert not [c for c in (init, node) if "terminationMessagePath" in c], "the script's default"


@pytest.mark.parametrize("folder", EVERY)
def test_the_nodes_variables(folder: str) -> None:
    """Is every variable literal but the run id, which comes before what refers to it?"""
    env = node_of(build(folder))["env"]
    order = [variable["name"] for variable in env]
    assert len(order) == len(set(order))
    assert order.index("RUN_ID") < order.index("AVAGO_DATA_DIR")
    by_name = {variable["name"]: variable for variable in env}
    assert by_name["RUN_ID"]["valueFrom"] == RUN_ID
    assert by_name["AVAGO_DATA_DIR"]["value"] == "/data/runs/$(RUN_ID)"
    assert by_name["AVAGO_HTTP_HOST"]["value"] == "0.0.0.0"
    assert all("value" in variable for variable in env if variable["name"] != "RUN_ID")
    assert "AVAGO_NETWORK_NAME" not in by_name, "no such flag: it would mean mainnet [97]"


@pytest.mark.parametrize("folder", EVERY)
def test_the_init_container(folder: str) -> None:
    """Does the script run in the node's own image, with the run id, on the same volume?"""
    objects = build(folder)
    (pod,) = pod_specs(objects).values()
    (init,) = pod["initContainers"]
    (node,) = pod["containers"]
    assert init["image"] == node["image"]
    assert init["command"] == ["/bin/bash", "/scripts/prepare-data.sh"]
    assert {v["name"]: v["valueFrom"] for v in init["env"]} == {
        "RUN_ID": RUN_ID,
        "POD_NAME": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
        "POD_NAMESPACE": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
    }
    data = {"name": "data", "mountPath": "/data"}
    assert data in init["volumeMounts"]
    assert data in node["volumeMounts"]
    script = (K8S / "targets" / "base" / "prepare-data.sh").read_text()
    assert one(objects, "ConfigMap")["data"] == {"prepare-data.sh": script}


def test_another_script_restarts_nothing(tmp_path: Path) -> None:
    """Does mending the script leave every pod template as it is?"""
    shutil.copytree(K8S, tmp_path / "k8s")
    with (tmp_path / "k8s/targets/base/prepare-data.sh").open("a") as script:
        script.write("# mended\n")
    before = build(FOLDERS[0])
    after = build_folder(tmp_path / "k8s" / FOLDERS[0])
    assert one(before, "ConfigMap")["data"] != one(after, "ConfigMap")["data"]
    assert one(before, "Deployment") == one(after, "Deployment")


# --- Sync modes and sizes ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["full-sync", "full-sync-archive", "c-chain-state-sync"])
def test_the_chain_config_is_what_its_comment_says(mode: str) -> None:
    """Is what stands there in base64, twice, the JSON that stands above it for people?"""
    text = (K8S / f"targets/components/mode-{mode}/kustomization.yaml").read_text()
    (comment,) = re.findall(r"^ +# (\{.*state-sync-enabled.*\})$", text, re.MULTILINE)
    (value,) = re.findall(r"^ +value: (\S+)$", text, re.MULTILINE)
    chains = json.loads(base64.b64decode(value, validate=True))
    assert chains.keys() == {"C"}
    assert chains["C"].keys() == {"Config", "Upgrade"}
    assert chains["C"]["Upgrade"] is None
    assert base64.b64decode(chains["C"]["Config"], validate=True).decode() == comment
    assert json.loads(comment)["state-sync-enabled"] is (mode == "c-chain-state-sync")


@pytest.mark.parametrize("network", ["mainnet", "fuji"])
def test_volumes_fit_their_mode(network: str) -> None:
    """Is more room asked for where more lies, and on no network less than the modes below?"""
    order = (SyncMode.P_CHAIN, SyncMode.STATE, SyncMode.FULL, SyncMode.ARCHIVE)
    sizes = [gibibytes(build(f"targets/volumes/{network}-{mode.value}")) for mode in order]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 4


def test_fuji_is_smaller() -> None:
    """Does nobody pay for mainnet's volume on fuji?"""
    for mode in SyncMode:
        fuji, mainnet = (
            gibibytes(build(f"targets/volumes/{network}-{mode.value}"))
            for network in ("fuji", "mainnet")
        )
        assert fuji < mainnet


# --- Components that a person adds ---------------------------------------------------------------


def with_component(component: str, to: str = "overlays") -> tuple[Object, ...]:
    return build_own(
        f"{{resources: [../k8s/targets/{to}/all],"
        f" components: [../k8s/targets/components/{component}]}}"
    )


def test_read_write_once_for_all() -> None:
    """Can every ready target be given to a driver that does not know ReadWriteOncePod?"""
    claims = with_component("read-write-once", "volumes")
    assert [claim["spec"]["accessModes"] for claim in claims] == [["ReadWriteOnce"]] * 8


def test_arm64_for_all() -> None:
    """Does every ready target, on machines of arm64, ask for builds of that platform?"""
    for found in with_component("arm64"):
        if found["kind"] == "Deployment":
            assert request_of((found,)).platform.arch == "arm64"


def test_datadog_for_all() -> None:
    """Are every node's logs and metrics collected, with the target left what it is?"""
    objects = with_component("datadog")
    deployments = [o for o in objects if o["kind"] == "Deployment"]
    assert len(deployments) == 8
    plain = {o["metadata"]["name"]: o for o in build("targets/overlays/all")}
    for deployment in deployments:
        template = deployment["spec"]["template"]
        annotations = template["metadata"]["annotations"]
        containers = {c["name"] for c in template["spec"]["containers"]}
        assert json.loads(annotations["ad.datadoghq.com/node.logs"])[0]["service"] == "avalanchego"
        checks = json.loads(annotations["ad.datadoghq.com/node.checks"])
        (instance,) = checks["openmetrics"]["instances"]
        assert instance["openmetrics_endpoint"] == "http://%%host%%:9650/ext/metrics"
        assert all(re.compile(metric) for metric in instance["metrics"])
        assert "node" in containers
        for labels in (deployment["metadata"]["labels"], template["metadata"]["labels"]):
            assert labels["tags.datadoghq.com/service"] == "avalanchego"
            assert "tags.datadoghq.com/version" not in labels
        before = plain[deployment["metadata"]["name"]]
        assert before["kind"] == "Deployment"
        assert template["spec"] == before["spec"]["template"]["spec"], "another configuration"
