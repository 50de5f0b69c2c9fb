"""Manifests: which build an index names for a platform."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.errors import Garbled, Refused, Trouble
from controller.domain.build import Platform
from controller.registry import manifests

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
AMD64 = Platform()


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def entry(letter: str, platform: str | None, **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"mediaType": OCI_MANIFEST, "digest": digest(letter), "size": 7}
    if platform is not None:
        os, arch, *variant = platform.split("/")
        value["platform"] = {"os": os, "architecture": arch}
        if variant:
            value["platform"]["variant"] = variant[0]
    return value | more


def index(*entries: dict[str, Any]) -> bytes:
    return json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, "annotations": {}}
    ).encode()


def build(body: bytes, platform: Platform = AMD64) -> str:
    return manifests.build_of(manifests.parse(body), digest("f"), platform)


ATTESTATION = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}


def test_platform_is_chosen() -> None:
    """Is the entry of our platform chosen, wherever it stands?"""
    body = index(entry("a", "linux/arm64"), entry("b", "linux/amd64"), entry("c", "windows/amd64"))

    assert build(body) == digest("b")
    assert build(body, Platform("linux", "arm64")) == digest("a")


def test_attestations_are_no_platforms() -> None:
    """Is what buildx adds beside the platforms skipped, even where it claims our platform?"""
    body = index(
        entry("a", "unknown/unknown", **ATTESTATION),
        entry("b", "linux/amd64", **ATTESTATION),
        entry("c", "linux/amd64"),
    )

    assert build(body) == digest("c")


@pytest.mark.parametrize(
    ("platform", "variants", "chosen"),
    [
        ("linux/amd64", ["v3", "v2", ""], 2),
        ("linux/amd64", ["v3", "v1", "v2"], 1),
        ("linux/amd64", ["v3", "v2"], 1),
        ("linux/amd64", ["", ""], 0),
        ("linux/arm64", ["v9", "v8"], 1),
        ("linux/arm", ["v5", "v6", "v7"], 2),
    ],
)
def test_variants(platform: str, variants: list[str], chosen: int) -> None:
    """Is the variant chosen that every machine of the architecture runs?"""
    entries = [
        entry("abc"[number], f"{platform}/{variant}".rstrip("/"))
        for number, variant in enumerate(variants)
    ]

    os, arch = platform.split("/")
    assert build(index(*entries), Platform(os, arch)) == digest("abc"[chosen])


@pytest.mark.parametrize(
    "media_type",
    [OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json", None],
)
def test_manifest_is_its_own_build(media_type: str | None) -> None:
    """Is a tag that points to one manifest, and no index, that manifest?"""
    body = {"schemaVersion": 2, "config": {"digest": digest("c")}, "layers": []}
    if media_type:
        body["mediaType"] = media_type

    assert build(json.dumps(body).encode()) == digest("f")


def test_missing_platform_names_those_that_are_there() -> None:
    """Does the refusal say what the index has instead?"""
    body = index(entry("a", "linux/arm64"), entry("b", "unknown/unknown", **ATTESTATION))

    with pytest.raises(Refused, match=r"no image for linux/amd64; it has linux/arm64$"):
        build(body)
    with pytest.raises(Refused, match="none that names its platform"):
        build(index(entry("a", None, **ATTESTATION)))


def test_nested_index_is_refused() -> None:
    """Is an index of indexes refused with a sentence, with and without a platform on it?"""
    with pytest.raises(Refused, match="nesting is not followed"):
        build(index(entry("a", None, mediaType=OCI_INDEX)))
    with pytest.raises(Refused, match="nesting is not followed"):
        build(index(entry("a", "linux/amd64", mediaType=OCI_INDEX)))


def test_old_schema_is_refused() -> None:
    """Is a manifest of schema 1, which has no build of ours, refused by name?"""
    with pytest.raises(Refused, match="obsolete schema 1"):
        build(b'{"schemaVersion":1,"name":"a","fsLayers":[]}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"schemaVersion":2}',
        b'{"schemaVersion":3,"manifests":[]}',
        b'{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}',
        b'{"schemaVersion":2,"layers":[]}',
        b'{"schemaVersion":2,"manifests":{}}',
        b'{"schemaVersion":2,"manifests":[],"mediaType":"application/vnd.oci.image.manifest.v1+json"}',
        b'{"errors":[]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_anything_else_is_garbled(body: bytes) -> None:
    """Is everything that is no manifest called that, two documents in one among it?"""
    with pytest.raises(Garbled):
        build(body)


def test_digest_in_the_index_is_checked() -> None:
    """Is text that is no digest kept from being pinned?"""
    with pytest.raises(Garbled, match="digest"):
        build(index(entry("a", "linux/amd64", digest="sha256:../../x")))


def test_digest_is_of_the_raw_bytes() -> None:
    """Is the digest that of the bytes as they came, spaces and all?"""
    assert manifests.digest_of(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert manifests.digest_of(b"{ }") != manifests.digest_of(b"{}")
    assert len(manifests.digest_of(b"", "sha512")) == len("sha512:") + 128


def test_all_four_types_are_asked_for() -> None:
    """Does the one Accept header name both kinds of index and both kinds of manifest?"""
    assert manifests.ACCEPT.count("application/vnd.") == 4


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["schemaVersion", "manifests", "platform", "digest", "layers", "config"]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=12,
    )
)
def test_any_json_is_survived(value: Any) -> None:
    """Does JSON of any shape end in a build or in one of our errors?"""
    with contextlib.suppress(Trouble):
        assert build(json.dumps(value).encode()).startswith("sha256:")


CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"


def image(**config: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": config, "layers": []}).encode()


@pytest.mark.parametrize("media_type", [CONFIG, DOCKER_CONFIG])
def test_config(media_type: str) -> None:
    """Is the configuration of an image found, of either format?"""
    document = manifests.parse(image(mediaType=media_type, digest=digest("a"), size=7))

    assert manifests.config_of(document) == digest("a")


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (index(entry("a", "linux/amd64")), Refused, "it is an index"),
        (image(mediaType="application/vnd.cncf.helm.config.v1+json"), Refused, "a Helm chart"),
        (image(mediaType=["\x1b"]), Refused, "artifact of the type"),
        (image(), Garbled, "digest cannot be used"),
        (image(mediaType=CONFIG), Garbled, "digest cannot be used"),
        (image(mediaType=CONFIG, digest="../../../x"), Garbled, "digest cannot be used"),
    ],
)
def test_what_has_no_config(body: bytes, kind: type[Trouble], sentence: str) -> None:
    """Is what is no image told as such, and nothing asked for that is no digest?"""
    with pytest.raises(kind, match=sentence):
        manifests.config_of(manifests.parse(body))
