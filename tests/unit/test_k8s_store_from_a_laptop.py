"""The way from a laptop to the store, as docs/redis.md writes it, leads to what is deployed."""

import re
from pathlib import Path

import pytest

from controller.settings.options import STORE, STORE_PASSWORD_FILE
from tests.kustomize import Object, build

PAGE = (Path(__file__).parents[2] / "docs" / "redis.md").read_text()
OVERLAYS = ["overlays/standard", "overlays/datadog", "overlays/cluster-wide"]


def one(objects: tuple[Object, ...], kind: str, name: str) -> Object:
    [found] = [x for x in objects if (x["kind"], x["metadata"]["name"]) == (kind, name)]
    return found


def written(pattern: str) -> tuple[str, ...]:
    """The groups of the only place where the page has it."""
    [found] = re.findall(pattern, PAGE)
    return tuple(found)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_port_forward_leads_to_the_store(overlay: str) -> None:
    """Are namespace, Service and port those of the overlay, and of the URL that is given then?"""
    objects = build(overlay)
    namespace, name, port = written(r"kubectl -n (\S+) port-forward service/(\S+) (\d+)\n")
    service = one(objects, "Service", name)
    assert service["metadata"]["namespace"] == namespace
    assert [each["port"] for each in service["spec"]["ports"]] == [int(port)]
    pods = one(objects, "StatefulSet", name)["spec"]["template"]
    assert service["spec"]["selector"].items() <= pods["metadata"]["labels"].items()
    [container] = pods["spec"]["containers"]
    # of a headless Service kubectl takes the port as the pod's own
    assert {"name": "redis", "containerPort": int(port)} in container["ports"]
    assert f"{STORE.variable}=redis://localhost:{port} " in PAGE


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_password_is_the_one_that_redis_has(overlay: str) -> None:
    """Are Secret and key those that the pod reads, and is the file the one that is named then?"""
    namespace, name, key, file = written(
        r"kubectl -n (\S+) get secret (\S+) -o jsonpath='\{\.data\.(\w+)\}' \| base64 -d >(\S+)\)"
    )
    pods = one(build(overlay), "StatefulSet", "bootstrap-redis")
    assert pods["metadata"]["namespace"] == namespace
    secrets = [
        each["secret"] for each in pods["spec"]["template"]["spec"]["volumes"] if "secret" in each
    ]
    assert [each["secretName"] for each in secrets] == [name]
    start = (Path(__file__).parents[2] / "k8s/components/redis/start-redis.sh").read_text()
    assert f"/etc/redis-password/{key}" in start
    assert f"{STORE_PASSWORD_FILE.variable}={file}\n" in PAGE
