"""The controller's manifests: settings that it takes, Argo CD, the documentation.

Excluded: its rights (test_k8s_rights.py), and that a real Redis starts so
(tests/integration/test_k8s_redis.py).
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

from controller.domain import names
from controller.settings.options import OPTIONS
from controller.settings.settings import load_settings
from store import is_memory
from tests.kustomize import K8S, Object, build, build_own, one, pod_specs, yaml

ROOT = K8S.parent
PAGES = ["kubernetes.md", "monitor.md"]
OVERLAYS = sorted(f"overlays/{path.name}" for path in (K8S / "overlays").iterdir())


def settings_of(objects: tuple[Object, ...]) -> dict[str, str]:
    (found,) = (
        o["data"]
        for o in objects
        if o["kind"] == "ConfigMap" and o["metadata"]["name"].startswith("bootstrap-controller")
    )
    return dict(found)


# --- Settings and the pod ------------------------------------------------------------------------


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_controller_takes_its_settings(overlay: str, tmp_path: Path) -> None:
    """Are all variables options of the controller, with values that it accepts?"""
    settings = settings_of(build(overlay))
    assert settings.keys() <= {option.variable for option in OPTIONS}
    for variable in ("BOOTSTRAP_STORE_PASSWORD_FILE", "BOOTSTRAP_REGISTRY_AUTH"):
        if variable in settings:
            (tmp_path / variable).write_text("{}")
            settings[variable] = str(tmp_path / variable)
    loaded = load_settings({}, settings)
    assert not is_memory(loaded.store.url)
    assert loaded.logs.format == "json"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_files_in_the_settings_are_mounted(overlay: str) -> None:
    """Does every file that a setting names lie in a mounted Secret, under the key that has it?"""
    objects = build(overlay)
    pod = pod_specs(objects)["Deployment bootstrap-controller"]
    (container,) = pod["containers"]
    volumes = {v["name"]: v for v in pod["volumes"]}
    files = set()
    for mount in container["volumeMounts"]:
        secret = volumes[mount["name"]]["secret"]
        assert mount["readOnly"] is True
        assert secret["defaultMode"] == 0o440
        for item in secret.get("items", [{"path": "password"}]):
            files.add(f"{mount['mountPath']}/{item['path']}")
    settings = settings_of(objects)
    assert files == {path for path in settings.values() if path.startswith("/etc/")}


def test_one_secret_for_the_kubelet_and_the_controller() -> None:
    """Does the page's own example mount the Secret that the targets pull with, without a right?"""
    page = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
    section = page.partition("### The same Secret for the controller")[2].partition("\n## ")[0]
    example = section.partition("```yaml\n")[2].partition("```")[0]
    objects = build_own(example)
    pod = pod_specs(objects)["Deployment bootstrap-controller"]
    (volume,) = (v for v in pod["volumes"] if v["name"] == "registry")
    assert volume["secret"]["secretName"] == "team-pull"
    assert volume["secret"]["items"] == [{"key": ".dockerconfigjson", "path": "config.json"}]
    rules = [rule for o in objects for rule in o.get("rules", ())]
    assert rules
    assert not [rule for rule in rules if "secrets" in rule["resources"]]


def test_a_private_ca_is_mounted_where_the_setting_says() -> None:
    """Does the file that the setting names lie in the ConfigMap's folder?"""
    objects = build_own("{resources: [../k8s/base], components: [../k8s/components/registry-ca]}")
    pod = pod_specs(objects)["Deployment bootstrap-controller"]
    (mount,) = pod["containers"][0]["volumeMounts"]
    (volume,) = pod["volumes"]
    assert mount["name"] == volume["name"]
    assert "subPath" not in mount
    (item,) = volume["configMap"]["items"]
    named = settings_of(objects)["BOOTSTRAP_REGISTRY_CA"]
    assert named == f"{mount['mountPath']}/{item['path']}"


def test_other_settings_start_it_anew() -> None:
    """Does a changed setting, which is read at the start only, change the pod?"""
    own = build_own(
        "{resources: [../k8s/base], configMapGenerator: [{name: bootstrap-controller,"
        " behavior: merge, literals: [BOOTSTRAP_POLL_INTERVAL=5m]}]}"
    )
    assert one(own, "Deployment") != one(build("base"), "Deployment")


def test_the_probes_ask_what_is_served() -> None:
    """Do probes and Service use the listener's paths and its default port?"""
    listener = (ROOT / "controller" / "process" / "listener.py").read_text()
    (container,) = pod_specs(build("base"))["Deployment bootstrap-controller"]["containers"]
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "http"}
        assert f'"{path}"' in listener
    port = load_settings({}, {}).listen.port
    assert container["ports"][0] == {"name": "http", "containerPort": port}
    assert one(build("base"), "Service")["spec"]["ports"][0]["port"] == port
    policy = one(build("base"), "NetworkPolicy")
    assert policy["spec"]["ingress"][0]["ports"][0] == {"port": port}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_page_is_served_within_the_cluster(overlay: str) -> None:
    """Is the page switched on, on a port that container, Service and policy name, and that nobody
    reaches from outside?
    """
    objects = build(overlay)
    variable = "BOOTSTRAP_PAGE"
    page = load_settings({}, {variable: settings_of(objects)[variable]}).page
    assert page is not None
    (container,) = pod_specs(objects)["Deployment bootstrap-controller"]["containers"]
    assert {"name": "page", "containerPort": page.port} in container["ports"]
    services = [o for o in objects if o["kind"] == "Service"]
    (service,) = (o for o in services if o["metadata"]["name"] == "bootstrap-controller")
    assert {"name": "page", "port": page.port, "targetPort": "page"} in service["spec"]["ports"]
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
    (policy,) = (o for o in policies if o["metadata"]["name"] == "bootstrap-controller")
    assert policy["spec"]["ingress"] == [{"ports": [{"port": 8080}, {"port": page.port}]}]


def test_one_version() -> None:
    """Do image tag and Datadog's version agree with the package?"""
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    deployment = one(build("overlays/datadog"), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"bootstrap-controller:{version}"
    for metadata in (deployment["metadata"], deployment["spec"]["template"]["metadata"]):
        assert metadata["labels"]["tags.datadoghq.com/version"] == version


def test_the_images_own_user() -> None:
    """Does the pod run as the user that the Dockerfile names, by the same command?"""
    dockerfile = (ROOT / "Dockerfile").read_text()
    (user, group) = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[-1]
    pod = pod_specs(build("base"))["Deployment bootstrap-controller"]
    context = pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user), int(group))
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", dockerfile, re.MULTILINE)
    (command,) = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert pod["containers"][0]["command"] == [*json.loads(entry), *json.loads(command)]


def test_a_registry_of_ones_own() -> None:
    """Does an `images:` entry put the controller's image into another registry?"""
    own = build_own(
        "{resources: [../k8s/overlays/standard], images: [{name: bootstrap-controller,"
        " newName: registry.example.com/bootstrap-controller, newTag: v1}]}"
    )
    pod = pod_specs(own)["Deployment bootstrap-controller"]
    assert pod["containers"][0]["image"] == "registry.example.com/bootstrap-controller:v1"


# --- Datadog -------------------------------------------------------------------------------------


def test_datadog_reads_the_metrics() -> None:
    """Does the agent's check name our container, path and port, in JSON that it can read?"""
    template = one(build("overlays/datadog"), "Deployment")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    annotations = template["metadata"]["annotations"]
    checks = json.loads(annotations[f"ad.datadoghq.com/{container['name']}.checks"])
    (instance,) = checks["openmetrics"]["instances"]
    assert instance["openmetrics_endpoint"] == "http://%%host%%:8080/metrics"
    assert json.loads(annotations[f"ad.datadoghq.com/{container['name']}.logs"])


def test_datadog_gets_the_events() -> None:
    """Does the controller find the agent on its machine, or by the socket where that is chosen?"""
    pod = pod_specs(build("overlays/datadog"))["Deployment bootstrap-controller"]
    env = {v["name"]: v for v in pod["containers"][0]["env"]}
    assert env["DD_AGENT_HOST"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.hostIP"
    environ = settings_of(build("base")) | {"DD_AGENT_HOST": "192.0.2.1"}
    told = load_settings({}, environ).dogstatsd
    assert told is not None
    own = build_own(
        "{resources: [../k8s/base], components: [../k8s/components/datadog,"
        " ../k8s/components/datadog-socket]}"
    )
    by_socket = load_settings({}, settings_of(own) | {"DD_AGENT_HOST": "192.0.2.1"}).dogstatsd
    assert by_socket != told
    pod = pod_specs(own)["Deployment bootstrap-controller"]
    (mount,) = pod["containers"][0]["volumeMounts"]
    assert settings_of(own)["BOOTSTRAP_DOGSTATSD"] == f"unix://{mount['mountPath']}/dsd.socket"


# --- Argo CD -------------------------------------------------------------------------------------


def test_argo_ignores_exactly_what_the_controller_writes() -> None:
    """Is everything that the controller writes into a target left alone, and nothing else?"""
    application = one(build("argocd"), "Application", "bootstrap-targets")
    (entry,) = application["spec"]["ignoreDifferences"]
    assert (entry["group"], entry["kind"]) == ("apps", "Deployment")
    pod = pod_specs(build("targets/example")).popitem()[1]
    template = ".spec.template"
    assert set(entry["jqPathExpressions"]) == {
        *(
            f'{template}.spec.containers[] | select(.name == "{c["name"]}") | .image'
            for c in pod["containers"]
        ),
        *(
            f'{template}.spec.initContainers[] | select(.name == "{c["name"]}") | .image'
            for c in pod["initContainers"]
        ),
        f'{template}.metadata.annotations["{names.RUN_ID}"]',
        f'.metadata.annotations["{names.RECORD}"]',
        f'.metadata.annotations["{names.MESSAGE}"]',
        f'.metadata.labels["{names.PHASE}"]',
    }


def test_argo_keeps_its_hands_off() -> None:
    """Are ignored differences respected when something else is synced, and nothing forced?"""
    application = one(build("argocd"), "Application", "bootstrap-targets")
    options = application["spec"]["syncPolicy"]["syncOptions"]
    assert "RespectIgnoreDifferences=true" in options
    assert not {"Replace=true", "Force=true", "ServerSideApply=true"} & set(options)


def test_argo_finds_what_is_there() -> None:
    """Does each Application name a folder that builds, in the namespace where it belongs?"""
    for application in build("argocd"):
        spec = application["spec"]
        objects = build(spec["source"]["path"].removeprefix("k8s/"))
        assert spec["syncPolicy"]["automated"]["prune"] is False
        for o in objects:
            where = o["metadata"].get("namespace")
            assert where in (None, spec["destination"]["namespace"])


# --- The documentation ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_the_documentation_names_what_is_there(page: str) -> None:
    """Does every path below k8s/ in the documentation exist?"""
    text = (ROOT / "docs" / page).read_text()
    named = set(re.findall(r"k8s/[a-z0-9/.-]*[a-z0-9]", text))
    assert named
    for path in named:
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES)
def test_the_kustomizations_in_the_documentation_build(page: str) -> None:
    """Does every kustomization.yaml that the documentation shows build where it says?"""
    text = (ROOT / "docs" / page).read_text()
    blocks = [b for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "resources:" in b]
    assert blocks
    for block in blocks:
        assert yaml.safe_load(block)
        assert build_own(block)
