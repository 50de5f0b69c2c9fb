"""The manifests under k8s/ as kubectl builds them."""

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="needs PyYAML: pip install PyYAML")

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, ten times as fast

K8S = Path(__file__).resolve().parent.parent / "k8s"
KUBECTL = shutil.which("kubectl")

Object = dict[str, Any]


def folders(kind: str) -> list[str]:
    """Every folder below k8s/ that holds a kustomization of this kind."""
    return sorted(
        str(path.parent.relative_to(K8S))
        for path in K8S.rglob("kustomization.yaml")
        if yaml.safe_load(path.read_text())["kind"] == kind
    )


@functools.cache
def build(folder: str) -> tuple[Object, ...]:
    """A folder below k8s/. What it gives must not be changed."""
    return build_folder(K8S / folder)


def ready(target: str) -> tuple[Object, ...]:
    """A ready target, or `all`, with what it needs beside: its volume claim."""
    return (*build(f"targets/volumes/{target}"), *build(f"targets/overlays/{target}"))


@functools.cache
def build_own(text: str) -> tuple[Object, ...]:
    """A kustomization of one's own, from a folder beside k8s/, so with paths like ../k8s/base."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(K8S, Path(folder) / "k8s")
        own = Path(folder) / "own"
        own.mkdir()
        (own / "kustomization.yaml").write_text(text)
        return build_folder(own)


def build_folder(folder: Path) -> tuple[Object, ...]:
    if KUBECTL is None:
        pytest.skip("needs kubectl (for `kubectl kustomize`; no cluster)")
    done = subprocess.run(
        [KUBECTL, "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    # Warnings go there, such as of a deprecated field.
    assert done.stderr == ""
    return tuple(yaml.load_all(done.stdout, LOADER))


def one(objects: tuple[Object, ...], kind: str, name: str = "") -> Object:
    """The only object of this kind (and name)."""
    (found,) = (
        o for o in objects if o["kind"] == kind and (not name or o["metadata"]["name"] == name)
    )
    return found


def pod_specs(objects: tuple[Object, ...]) -> dict[str, Object]:
    return {
        f"{o['kind']} {o['metadata']['name']}": o["spec"]["template"]["spec"]
        for o in objects
        if o["kind"] in ("Deployment", "StatefulSet")
    }
