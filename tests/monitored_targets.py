"""Ready targets with the monitor's component, as kubectl builds them."""

import json

from tests.kustomize import K8S, Object, build_own, pod_specs, yaml

TARGETS = sorted(path.name for path in (K8S / "targets/overlays").iterdir() if path.name != "all")
FUJI = "fuji-c-chain-state-sync"
# To add it: in the target's own kustomization, in one that has the target among its resources, and
# in one that gives the target another name besides.
WAYS = ["in its own", "beside it", "a suffix later"]


def kustomization(target: str, way: str, *components: str) -> str:
    """Of a folder beside k8s/: a target with the monitor, and with these components after it."""
    names = [f"../k8s/targets/components/{c}" for c in ("monitor", *components)]
    overlay = f"../k8s/targets/overlays/{target}"
    if way == "in its own":
        own = yaml.safe_load((K8S / f"targets/overlays/{target}/kustomization.yaml").read_text())
        moved = json.loads(json.dumps(own).replace("../../", "../k8s/targets/"))
        return str(yaml.safe_dump({**moved, "components": [*moved["components"], *names]}))
    later = {"nameSuffix": "-second"} if way == "a suffix later" else {}
    return str(
        yaml.safe_dump({"namespace": "own", "resources": [overlay], "components": names, **later})
    )


def monitored(target: str = FUJI, *components: str, way: str = "in its own") -> tuple[Object, ...]:
    return build_own(kustomization(target, way, *components))


def monitor_of(objects: tuple[Object, ...]) -> Object:
    (pod,) = pod_specs(objects).values()
    return dict(pod["initContainers"][0])
