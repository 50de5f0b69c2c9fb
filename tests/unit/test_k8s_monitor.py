"""The monitor's component: on every target, in each way to add it, all of it is of one name, and
the target stays what it is.

Excluded: what it may do and see (test_k8s_monitor_rights.py), how pods are locked
(test_k8s_manifests.py).
"""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from controller.domain.defaults import Rules
from controller.domain.manifest.request import RunRequest, read_request
from controller.settings.options import OF_THE_MONITOR
from tests.kube_samples.objects import as_deployment
from tests.kustomize import K8S, Object, build, build_folder, build_own, one, pod_specs, yaml
from tests.monitored_targets import FUJI, TARGETS, WAYS, kustomization, monitor_of, monitored

# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("target", TARGETS)
def test_all_have_the_deployments_name(target: str, way: str) -> None:
    """Do account, Role, binding and Lease have the name of the Deployment, and all that refers to
    one of them, in the namespace where they are?
    """
    objects = monitored(target, way=way)
    name = f"bootstrap-{target}" + ("-second" if way == "a suffix later" else "")
    assert {o["metadata"]["name"] for o in objects} == {name}
    (namespace,) = {o["metadata"]["namespace"] for o in objects}
    assert namespace == ("bootstrap" if way == "in its own" else "own")
    assert {o["kind"] for o in objects} == {
        *("ConfigMap", "Service", "Deployment"),
        *("ServiceAccount", "Role", "RoleBinding", "Lease"),
    }
    binding = one(objects, "RoleBinding")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": name,
    }
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
    (pod,) = pod_specs(objects).values()
    assert pod["serviceAccountName"] == name
    named = {n for rule in one(objects, "Role")["rules"] for n in rule.get("resourceNames", [])}
    assert named == {name}


def test_the_role_follows_the_deployment_itself() -> None:
    """Does the suffix of a target without a ConfigMap, whose name is followed anyway, reach the
    Role?
    """
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bootstrap"}}
    text = {
        "nameSuffix": "-own",
        "resources": ["../k8s/targets/base"],
        "components": ["../k8s/targets/components/monitor"],
        "patches": [{"patch": json.dumps({"$patch": "delete", **config_map})}],
    }
    role = one(build_own(yaml.safe_dump(text)), "Role")
    named = {n for rule in role["rules"] for n in rule.get("resourceNames", [])}
    assert named == {"bootstrap-own"}


def test_two_in_one_namespace_keep_apart(tmp_path: Path) -> None:
    """Can two monitored targets be applied together, each with a Role of its own?"""
    shutil.copytree(K8S, tmp_path / "k8s")
    targets = {"a": (FUJI, "in its own"), "b": ("mainnet-full-sync", "beside it")}
    together = {"namespace": "shared", "resources": [f"../{folder}" for folder in targets]}
    texts = {folder: kustomization(*how) for folder, how in targets.items()}
    for folder, text in {**texts, "both": yaml.safe_dump(together)}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "kustomization.yaml").write_text(text)
    objects = build_folder(tmp_path / "both")
    for target, _ in targets.values():
        name = f"bootstrap-{target}"
        role = one(objects, "Role", name)
        assert {n for rule in role["rules"] for n in rule.get("resourceNames", [])} == {name}
        (subject,) = one(objects, "RoleBinding", name)["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": name, "namespace": "shared"}
        assert pod_specs(objects)[f"Deployment {name}"]["serviceAccountName"] == name


# --- The pod -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_stays_what_it_is(target: str) -> None:
    """Does the component add the sidecar, its account and its volume, and change nothing else?"""
    deployment = json.loads(json.dumps(one(monitored(target), "Deployment")))
    pod = deployment["spec"]["template"]["spec"]
    del pod["serviceAccountName"]
    assert pod["initContainers"].pop(0)["name"] == "monitor"
    assert [v["name"] for v in pod["volumes"]][-1] == "monitor-token"
    pod["volumes"].pop()
    assert deployment == one(build(f"targets/overlays/{target}"), "Deployment")


def test_a_pin_does_not_touch_it() -> None:
    """Does a pin still change the images of node and init container alone, for the same target?"""

    def request(objects: tuple[Object, ...]) -> RunRequest:
        raw = one(objects, "Deployment")
        raw = {**raw, "spec": {"replicas": 1, **raw["spec"]}}
        return read_request(as_deployment(raw), Rules())

    with_it, without = request(monitored()), request(build(f"targets/overlays/{FUJI}"))
    assert (with_it.target, with_it.track) == (without.target, without.track)
    assert [p.name for p in with_it.pinned] == ["node", "prepare-data"]


@pytest.mark.parametrize("target", TARGETS)
def test_it_starts_first_and_holds_nothing_up(target: str) -> None:
    """Does it run before prepare-data waits, for as long as the pod, with no say in READY?"""
    (pod,) = pod_specs(monitored(target)).values()
    first, *others = pod["initContainers"]
    assert first["name"] == "monitor"
    assert first["restartPolicy"] == "Always"
    assert [c["name"] for c in others] == ["prepare-data"]
    assert not {"startupProbe", "readinessProbe", "lifecycle"} & first.keys()


def test_it_is_started_and_asked_as_it_listens() -> None:
    """Do command, version, port and probe fit the image and the listener, beside the node's?"""
    root = K8S.parent
    monitor, objects = monitor_of(monitored()), monitored()
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", (root / "Dockerfile").read_text(), re.MULTILINE)
    assert monitor["command"] == [*json.loads(entry), "monitor"]
    with (root / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert monitor["image"] == f"bootstrap-controller:{version}"
    assert monitor["terminationMessagePolicy"] == "FallbackToLogsOnError"
    (port,) = monitor["ports"]
    assert port == {"name": "monitor", "containerPort": 8080}
    assert monitor["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    (pod,) = pod_specs(objects).values()
    ports = [p for c in (*pod["initContainers"], *pod["containers"]) for p in c.get("ports", ())]
    for of in ("name", "containerPort"):
        assert len({p[of] for p in ports}) == len(ports), "the Service leads to the node by name"


def test_its_settings_are_options_of_the_monitor() -> None:
    """Is every variable one that the monitor takes, or its pod's name and namespace?"""
    variables = {option.variable for option in OF_THE_MONITOR}
    env = {v["name"]: v for v in monitor_of(monitored(FUJI, "monitor-redis"))["env"]}
    assert env.keys() - variables == {"POD_NAME", "POD_NAMESPACE"}
    for name, path in (("POD_NAME", "name"), ("POD_NAMESPACE", "namespace")):
        field = {"apiVersion": "v1", "fieldPath": f"metadata.{path}"}
        assert env[name]["valueFrom"] == {"fieldRef": field}


# --- Around it -----------------------------------------------------------------------------------


def test_argo_leaves_the_monitors_image_to_git() -> None:
    """Is the image that nobody pins not among what Argo CD ignores?"""
    application = one(build("argocd"), "Application", "bootstrap-targets")
    (entry,) = application["spec"]["ignoreDifferences"]
    assert not [path for path in entry["jqPathExpressions"] if "monitor" in path]


def test_the_image_comes_from_a_registry_of_ones_own() -> None:
    """Does an `images:` entry reach the sidecar, too?"""
    text = kustomization(FUJI, "beside it") + (
        "images: [{name: bootstrap-controller, newName: registry.example.com/own, newTag: v1}]\n"
    )
    assert monitor_of(build_own(text))["image"] == "registry.example.com/own:v1"
