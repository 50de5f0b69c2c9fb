"""Other people's clusters: namespaces, networks, images and disks, as docs/kubernetes.md tells."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.settings.settings import load_settings
from tests.kustomize import K8S, Object, build, build_folder, build_own, one, pod_specs

PAGE = (K8S.parent / "docs" / "kubernetes.md").read_text()


def shown_under(heading: str) -> list[tuple[Object, ...]]:
    """What the kustomizations below this heading of the documentation build."""
    section = PAGE.split(f"### {heading}\n")[1].split("\n##")[0]
    return [build_own(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]


# --- Several namespaces --------------------------------------------------------------------------


def several(folder: Path, change: Callable[[str], str]) -> tuple[Object, ...]:
    """`k8s/several-namespaces`, with each kustomization of it changed."""
    shutil.copytree(K8S, folder / "k8s")
    for path in (folder / "k8s" / "several-namespaces").rglob("kustomization.yaml"):
        path.write_text(change(path.read_text()))
    return build_folder(folder / "k8s" / "several-namespaces")


@pytest.mark.parametrize("home", ["bootstrap", "ops"])
def test_bindings_lead_to_the_controller_wherever_it_lives(tmp_path: Path, home: str) -> None:
    """Is every binding, in every namespace, to the account that the controller runs with?"""
    evidence = "  - ../../watched-namespace\ncomponents:\n  - ../../components/evidence\n"
    objects = several(
        tmp_path,
        lambda text: text.replace("namespace: bootstrap", f"namespace: {home}").replace(
            "  - ../../watched-namespace\n", evidence
        ),
    )
    account = one(objects, "ServiceAccount", "bootstrap-controller")
    assert account["metadata"]["namespace"] == home
    bindings = [o for o in objects if o["kind"] == "RoleBinding"]
    assert [b["metadata"]["namespace"] for b in bindings].count("node-team") == 3
    for binding in bindings:
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == ("bootstrap-controller", home)
    pod = pod_specs(objects)["Deployment bootstrap-controller"]
    assert pod["serviceAccountName"] == account["metadata"]["name"]


def test_what_is_watched_is_allowed() -> None:
    """Has the controller its rights in exactly the namespaces that it is told to watch?"""
    objects = build("several-namespaces")
    (watched,) = (
        o["data"]["BOOTSTRAP_NAMESPACES"]
        for o in objects
        if o["kind"] == "ConfigMap" and "BOOTSTRAP_NAMESPACES" in o["data"]
    )
    roles = {
        o["metadata"]["namespace"]
        for o in objects
        if o["kind"] == "Role" and o["metadata"]["name"] == "bootstrap-controller-targets"
    }
    settings = load_settings({}, {"BOOTSTRAP_NAMESPACES": watched})
    assert set(settings.cluster.namespaces) == roles


def test_a_watched_namespace_names_both() -> None:
    """Are the two names that a copy sets all that there is to set?"""
    text = (K8S / "watched-namespace" / "kustomization.yaml").read_text()
    assert text.count("namespace=bootstrap") == 1
    copied = text.replace("another-namespace", "apps").replace(
        "namespace=bootstrap", "namespace=ops"
    )
    objects = build_own(copied.replace("../rights", "../k8s/rights"))
    assert {o["kind"] for o in objects} == {"Role", "RoleBinding"}
    assert {o["metadata"]["namespace"] for o in objects} == {"apps"}
    subjects = [s["namespace"] for o in objects for s in o.get("subjects", ())]
    assert subjects == ["ops", "ops"]


# --- Namespaces where all traffic is forbidden ---------------------------------------------------


def policies(objects: tuple[Object, ...]) -> dict[str, Object]:
    return {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "NetworkPolicy"}


def selects(selector: Object, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    among = selector.get("matchExpressions", [])
    return wanted <= labels.items() and all(
        each["operator"] == "In" and labels.get(each["key"]) in each["values"] for each in among
    )


def labels_of(objects: tuple[Object, ...]) -> dict[str, dict[str, str]]:
    return {
        o["metadata"]["name"]: o["spec"]["template"]["metadata"]["labels"]
        for o in objects
        if o["kind"] in ("Deployment", "StatefulSet")
    }


def ports(rules: list[Object], labels: dict[str, str] | None) -> set[int]:
    """Those that rules open, to or from a pod with these labels; None for an address outside."""
    found = set()
    for rule in rules:
        peers = rule.get("to", rule.get("from"))
        if peers is None or any(
            "podSelector" in peer and labels is not None and selects(peer["podSelector"], labels)
            for peer in peers
        ):
            found |= {each["port"] for each in rule.get("ports", ())}
    return found


def test_all_that_speak_to_each_other_may() -> None:
    """Does what each needs pass both policies, where it leaves and where it arrives?"""
    (objects,) = shown_under("Namespaces where all traffic is forbidden")
    found, labels = policies(objects), labels_of(objects)
    controller, node = labels["bootstrap-controller"], labels["bootstrap-fuji-full-sync"]
    redis = labels["bootstrap-redis"]
    out, nodes = found["bootstrap-controller-egress"], found["bootstrap-targets"]
    assert selects(out["podSelector"], controller)
    assert selects(nodes["podSelector"], node)
    assert not selects(nodes["podSelector"], controller)
    assert {9650} <= ports(out["egress"], node)
    assert {9650, 9651} <= ports(nodes["ingress"], controller)
    assert ports(nodes["ingress"], redis) == {9651}, "whoever else comes is a peer"
    assert 6379 in ports(out["egress"], redis)
    assert ports(found["bootstrap-redis"]["ingress"], controller) == {6379}
    assert {53, 443, 6443} <= ports(out["egress"], None)
    assert 53 in ports(nodes["egress"], None)
    (pod,) = (p for n, p in pod_specs(objects).items() if n.endswith("fuji-full-sync"))
    assert {9650, 9651} == {p["containerPort"] for p in pod["containers"][0]["ports"]}


def test_peers_of_either_family_and_nobody_nearer() -> None:
    """Does a node reach peers at any port, of IPv4 and IPv6, and neither the cluster's other pods
    nor the machine's metadata?
    """
    spec = policies(build_own(with_policy("network-egress")))["bootstrap-targets"]
    (blocks,) = [rule["to"] for rule in spec["egress"] if "ports" not in rule]
    cidrs = {block["ipBlock"]["cidr"]: set(block["ipBlock"]["except"]) for block in blocks}
    assert cidrs.keys() == {"0.0.0.0/0", "::/0"}
    assert {"10.0.0.0/8", "169.254.0.0/16"} < cidrs["0.0.0.0/0"]
    assert cidrs["::/0"] == {"fc00::/7", "fe80::/10"}


def with_policy(*components: str) -> str:
    named = ", ".join(f"../k8s/targets/components/{each}" for each in components)
    return (
        f"{{namespace: own, components: [{named}],"
        " resources: [../k8s/targets/overlays/fuji-full-sync],"
        " labels: [{pairs: {team: nodes}, includeSelectors: true}]}"
    )


def test_a_monitors_pod_reaches_what_the_monitor_needs() -> None:
    """Do the API server, registries and a shared Redis become reachable beside the node's peers?"""
    text = with_policy("monitor", "monitor-redis", "network-egress", "monitor-network-egress")
    found = policies(build_own(text))
    redis = labels_of(build("overlays/standard"))["bootstrap-redis"]
    assert ports(found["bootstrap-monitors"]["egress"], redis) >= {443, 6443, 6379}
    for spec in found.values():
        for rule in spec.get("ingress", []) + spec["egress"]:
            for peer in rule.get("to", rule.get("from", ())):
                assert "matchLabels" not in peer.get("podSelector", {}), "one target's alone"


# --- Images, disks -------------------------------------------------------------------------------


def test_every_pod_pulls_with_the_secret() -> None:
    """Does the kustomization that is shown give the Secret to each pod, and the same one to the
    controller as a file?
    """
    (objects,) = shown_under("Secrets that the kubelet pulls with")
    pods = pod_specs(objects)
    assert len(pods) == 3
    for pod in pods.values():
        assert pod["imagePullSecrets"] == [{"name": "bootstrap-registry"}]
    volumes = pods["Deployment bootstrap-controller"]["volumes"]
    assert "bootstrap-registry" in [v["secret"]["secretName"] for v in volumes]


def test_a_storage_class_for_redis_and_for_targets() -> None:
    """Do the kustomizations that are shown reach every claim?"""
    redis, targets = shown_under("A storage class")
    (claim,) = one(redis, "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast-ssd"
    assert [o["spec"]["storageClassName"] for o in targets] == ["local-nvme"] * 8
