"""Entries of an index that are not as they should be: which of them is the image."""

import json
from typing import Any

import pytest

from controller.base.errors import Garbled, Refused
from controller.domain.build import Platform
from controller.registry import build_facts, manifests

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
HELM = "application/vnd.cncf.helm.config.v1+json"
AMD64 = Platform()
ARM64 = Platform("linux", "arm64")
NYDUS = {"os": "linux", "architecture": "amd64", "os.features": ["nydus.remoteimage.v1"]}


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def entry(letter: str, platform: Any = None, **more: Any) -> dict[str, Any]:
    made = {"mediaType": OCI_MANIFEST, "digest": digest(letter), "size": 7}
    return made | ({"platform": platform} if platform != "left out" else {}) | more


def on(arch: str, os: str = "linux", **more: Any) -> dict[str, Any]:
    return {"os": os, "architecture": arch, **more}


def index(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": entries}).encode()


def chosen(*entries: dict[str, Any], platform: Platform = AMD64) -> tuple[str, bool]:
    """The build, and whether its index says that it is of the platform."""
    document = manifests.parse(index(*entries))
    build = manifests.build_of(document, digest("f"), platform)
    return build, manifests.tells_platform(document, build)


@pytest.mark.parametrize("nothing", ["left out", None, {}, {"os": "", "architecture": ""}])
def test_entry_without_platform(nothing: Any) -> None:
    """Is an entry that names no platform taken, unproven, where none names ours, and only there?"""
    assert chosen(entry("a", nothing)) == (digest("a"), False)
    assert chosen(entry("a", on("arm64")), entry("b", nothing)) == (digest("b"), False)
    assert chosen(entry("a", nothing), entry("b", on("amd64"))) == (digest("b"), True)
    assert chosen(entry("a", nothing), entry("b", nothing)) == (digest("a"), False)


@pytest.mark.parametrize(
    "other",
    [
        entry("a", NYDUS),
        entry("a", on("amd64"), artifactType="application/spdx+json"),
        entry("a", None, artifactType="application/vnd.cyclonedx+json"),
        entry("a", on("unknown", "unknown")),
        entry("a", on("amd64"), mediaType="application/vnd.in-toto+json"),
        entry("a", None, mediaType="application/vnd.oci.artifact.manifest.v1+json"),
        entry("a", None, annotations={"vnd.docker.reference.type": "attestation-manifest"}),
    ],
    ids=["nydus", "SBOM", "SBOM alone", "unknown", "in-toto", "artifact", "attestation"],
)
def test_what_is_no_image_is_not_chosen(other: dict[str, Any]) -> None:
    """Is what stands beside the images of an index never chosen, though it comes first or is
    alone?
    """
    assert chosen(other, entry("b", on("amd64")))[0] == digest("b")
    with pytest.raises(Refused, match="no image for linux/amd64"):
        chosen(other, entry("b", on("arm64")))


def test_needed_feature_is_named() -> None:
    """Does the refusal say what the only image of our platform needs?"""
    with pytest.raises(Refused, match=r"it has linux/amd64 with nydus\.remoteimage\.v1$"):
        chosen(entry("a", NYDUS))


def test_nulls_are_what_is_left_out() -> None:
    """Is `null` read as nothing wherever an index may leave something out?"""
    nulls = {"annotations": None, "artifactType": None}
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": None,
            "artifactType": None,
            "annotations": None,
            "subject": None,
            "layers": None,
            "config": None,
            "manifests": [
                entry("a", on("arm64", variant=None), mediaType=None, **nulls),
                entry("b", on("amd64", variant=None) | {"os.features": None}, **nulls),
                entry("c", None, annotations={"x": None}),
            ],
        }
    ).encode()

    assert manifests.build_of(manifests.parse(body), digest("f"), AMD64) == digest("b")


@pytest.mark.parametrize(
    ("written", "platform"),
    [
        (on("x86_64"), AMD64),
        (on("x86-64"), AMD64),
        (on("AMD64", "Linux"), AMD64),
        (on("amd64", ""), AMD64),
        (on("aarch64"), ARM64),
        (on("arm64", variant="8"), ARM64),
    ],
)
def test_other_words_for_a_platform(written: dict[str, Any], platform: Platform) -> None:
    """Is a platform understood in the words that the runtimes understand?"""
    found = chosen(entry("a", on("riscv64")), entry("b", written), platform=platform)

    assert found == (digest("b"), True)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"os": "linux", "architecture": "arm64"}, "no image for linux/amd64; it has linux/arm64"),
        ({"os": "windows", "architecture": "amd64"}, "it has windows/amd64"),
        ({}, "it has linux/unknown"),
        ({"os": None, "architecture": None}, "it has linux/unknown"),
    ],
)
def test_configuration_of_another_platform(config: dict[str, Any], words: str) -> None:
    """Is an image whose index names no platform refused where it is of another one?"""
    with pytest.raises(Refused, match=words):
        build_facts.check_platform(json.dumps(config).encode(), AMD64)


def test_configuration_of_our_platform() -> None:
    """Is an image of our platform taken, and what is no configuration told as such?"""
    build_facts.check_platform(b'{"os":"linux","architecture":"amd64"}', AMD64)
    with pytest.raises(Garbled, match="configuration cannot be read"):
        build_facts.check_platform(b"<html>", AMD64)


def lone(config: str | None, **more: Any) -> bytes:
    described = {"digest": digest("c"), "size": 2, "mediaType": config}
    return json.dumps({"schemaVersion": 2, "config": described, "layers": [], **more}).encode()


@pytest.mark.parametrize(
    "config",
    [
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
        "application/octet-stream",
        "",
        None,
    ],
)
def test_images_of_old_tools(config: str | None) -> None:
    """Is a lone manifest a build where docker takes its configuration for an image's?"""
    document = manifests.parse(lone(config, artifactType=None))

    assert manifests.build_of(document, digest("f"), AMD64) == digest("f")
    assert manifests.config_of(document) == digest("c")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lone(HELM), "it is no image but a Helm chart: follow a tag that images are pushed to"),
        (lone("application/vnd.docker.plugin.v1+json"), "a plugin of docker"),
        (
            lone("application/vnd.oci.empty.v1+json", artifactType="application/spdx+json"),
            r"an artifact of the type 'application/spdx\+json'",
        ),
        (lone("application/vnd.oci.empty.v1+json"), r"'application/vnd\.oci\.empty\.v1\+json'"),
        (
            b'{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","schemaVersion":2,'
            b'"artifactType":"application/vnd.example","blobs":[]}',
            r"an artifact of the type 'application/vnd\.example'",
        ),
    ],
)
def test_artifacts(body: bytes, words: str) -> None:
    """Is a tag that stands for no image refused in one sentence that says for what?"""
    with pytest.raises(Refused, match=words):
        manifests.build_of(manifests.parse(body), digest("f"), AMD64)


@pytest.mark.parametrize("kind", ["prettyjws", "json"])
def test_obsolete_by_its_type(kind: str) -> None:
    """Is schema 1 known by its header, in any case and with parameters behind it?"""
    with pytest.raises(Refused, match="obsolete schema 1"):
        manifests.check_type(f"Application/vnd.docker.distribution.manifest.v1+{kind}; charset=x")
    manifests.check_type("application/json")
    manifests.check_type("")
