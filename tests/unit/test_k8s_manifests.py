"""All manifests: they build, the API server would take them, and pods are as tight as they can be.

Included: every kustomization below k8s/, each component on what it is for. Excluded: what the
targets and the controller mean (test_k8s_targets.py, test_k8s_controller.py).
"""

import functools
import json

import pytest

from tests.every_manifest import BUILDS, COMPONENTS, before, everything, on_its_base
from tests.kustomize import K8S, Object, build, build_own, pod_specs, yaml

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="needs kubernetes-validate: pip install kubernetes-validate"
)

# The oldest with ReadWriteOncePod out of beta, and the newest whose schemas are at hand.
VERSIONS = ("1.29", kubernetes_validate.latest_version())

# The monitor's own user, beside the node's.
MONITOR_USER = {"runAsUser": 65532, "runAsGroup": 65532}


@pytest.mark.parametrize("folder", BUILDS)
def test_every_kustomization_builds(folder: str) -> None:
    """Does `kubectl kustomize` build it, without a warning?"""
    assert build(folder)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_builds_and_does_something(component: str) -> None:
    """Does a component change what it is put on?"""
    with_it = build_own(on_its_base(component, *before(component), component))
    assert with_it != build_own(on_its_base(component, *before(component)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", [*BUILDS, *COMPONENTS])
def test_the_api_server_would_take_them(folder: str, version: str) -> None:
    """Does every object fit its schema, with no field that does not exist?"""
    if folder in ("targets/overlays/all", "targets/volumes/all"):
        return  # the same objects as of the eight: test_k8s_targets.py compares them
    for o in everything()[folder]:
        if o["apiVersion"].startswith("argoproj.io/"):
            continue  # not Kubernetes' own; test_k8s_controller.py reads them
        if complaint := misfit(json.dumps(o), version):
            pytest.fail(f"{o['kind']} {o['metadata']['name']}: {complaint}")


@functools.cache  # the same objects stand in many folders; a validation reads its schema anew
def misfit(written: str, version: str) -> str:
    """Why an object does not fit its schema; empty if it does."""
    try:
        kubernetes_validate.validate(json.loads(written), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""


def test_no_object_twice() -> None:
    """Do targets and controller, applied to one namespace, never write to the same object?"""
    seen: dict[tuple[str, str], str] = {}
    kept = ("namespace", "targets/volumes/all", "targets/example/volume")
    for folder in ("overlays/datadog", "targets/overlays/all", "targets/example", *kept):
        for o in build(folder):
            key = (o["kind"], o["metadata"]["name"])
            assert seen.setdefault(key, folder) == folder, key


def test_all_is_in_the_namespace_of_the_overlay() -> None:
    """Does an overlay of one's own move everything, bindings included?"""
    folders = ("namespace", "overlays/standard", "targets/overlays/all", "targets/volumes/all")
    own = f"{{namespace: own, resources: [{', '.join(f'../k8s/{each}' for each in folders)}]}}"
    for o in build_own(own):
        where = o["metadata"]["name"] if o["kind"] == "Namespace" else o["metadata"]["namespace"]
        assert where == "own"
        for subject in o.get("subjects", ()):
            assert subject["namespace"] == "own"


def test_pods_are_locked() -> None:
    """Is every pod locked as far as it can be? (test_k8s_pod_security.py: as far as it must.)"""
    for folder, objects in everything().items():
        for name, pod in pod_specs(objects).items():
            where = f"{folder}: {name}"
            context = pod["securityContext"]
            assert context["runAsNonRoot"] is True, where
            if not folder.endswith("/openshift"):  # there a namespace has a user of its own
                assert context["runAsUser"] > 0, where
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, where
            assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), where
            for volume in pod.get("volumes", ()):
                allowed = {"configMap", "csi", "emptyDir", "persistentVolumeClaim", "secret"}
                assert volume.keys() <= {"name", "projected", *allowed}, where
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                assert container["securityContext"] == {
                    **(MONITOR_USER if container["name"] == "monitor" else {}),
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }, where


def test_every_container_says_what_it_needs() -> None:
    """Are CPU and memory asked for, memory bounded, and CPU never throttled?"""
    for folder, objects in everything().items():
        for name, pod in pod_specs(objects).items():
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                resources = container["resources"]
                assert resources["requests"].keys() == {"cpu", "memory"}, f"{folder}: {name}"
                assert resources["limits"].keys() == {"memory"}, f"{folder}: {name}"


def test_only_the_controller_has_a_token() -> None:
    """Does nobody carry a token that does not speak to the API server? (The monitor mounts one of
    its own: test_k8s_monitor.py.)
    """
    for folder, objects in everything().items():
        for name, pod in pod_specs(objects).items():
            if name != "Deployment bootstrap-controller":
                monitored = any(c["name"] == "monitor" for c in pod.get("initContainers", ()))
                assert pod["automountServiceAccountToken"] is False, f"{folder}: {name}"
                assert ("serviceAccountName" in pod) == monitored, f"{folder}: {name}"


def test_no_secret_in_the_manifests() -> None:
    """Do all Secrets come from outside, and never as a variable?"""
    for folder, objects in everything().items():
        assert not [o for o in objects if o["kind"] == "Secret"], folder
        for pod in pod_specs(objects).values():
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                sources = [v.get("valueFrom", {}) for v in container.get("env", ())]
                assert not [s for s in sources if "secretKeyRef" in s], folder


def test_mounts_do_not_lie_in_one_another() -> None:
    """Would a read-only ConfigMap never have to hold another mount's folder?"""
    for folder, objects in everything().items():
        for name, pod in pod_specs(objects).items():
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                paths = [m["mountPath"] for m in container.get("volumeMounts", ())]
                inside = [p for p in paths for q in paths if p != q and p.startswith(f"{q}/")]
                assert inside == [], f"{folder}: {name}"


def test_every_patch_and_resource_is_used() -> None:
    """Does no file lie about that no kustomization names?"""
    named = {
        (path.parent / entry).resolve()
        for path in K8S.rglob("kustomization.yaml")
        for entry in _files(yaml.safe_load(path.read_text()))
    }
    for path in K8S.rglob("*"):
        if path.relative_to(K8S).parts[0] in ("prometheus", "grafana", "datadog"):
            continue  # for other programs than kubectl: tests/unit/test_dashboards.py
        if path.is_file() and path.name not in ("kustomization.yaml", ".yamllint.yaml"):
            assert path.resolve() in named, path


def _files(kustomization: Object) -> list[str]:
    generated = [f for g in kustomization.get("configMapGenerator", ()) for f in g.get("files", ())]
    patches = [p["path"] for p in kustomization.get("patches", ()) if "path" in p]
    more = [*kustomization.get("resources", ()), *kustomization.get("configurations", ())]
    return [*more, *generated, *patches]
