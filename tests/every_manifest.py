"""All that k8s/ can build: every kustomization, and every component on what it is for."""

import functools

from tests.kustomize import Object, build, build_own, folders, yaml

BUILDS = folders("Kustomization")
COMPONENTS = folders("Component")


def before(component: str) -> list[str]:
    """What a component is put on, beside its base."""
    if component.startswith("targets/components/monitor-"):
        return ["targets/components/monitor"]
    if component == "components/openshift":
        return ["components/redis"]
    return ["components/datadog"] if component == "components/datadog-socket" else []


def on_its_base(component: str, *components: str) -> str:
    """The base of a component, with these components."""
    base = "targets/base" if component.startswith("targets/") else "base"
    if component == "targets/components/read-write-once":
        base = "targets/volumes/base"
    return yaml.safe_dump(
        {
            "resources": [f"../k8s/{base}"],
            "components": [f"../k8s/{c}" for c in components],
            "namespace": "own",
        }
    )


@functools.cache
def everything() -> dict[str, tuple[Object, ...]]:
    own = {c: build_own(on_its_base(c, *before(c), c)) for c in COMPONENTS}
    return {folder: build(folder) for folder in BUILDS} | own
