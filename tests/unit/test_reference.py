"""Image references: the grammar, by example.

Included: what each form means, what is refused and how the refusal reads.
Excluded: properties over generated text (test_reference_properties.py).
"""

import pytest

from controller.domain.reference import (
    Reference,
    ReferenceFault,
    Repository,
    check_digest,
    check_tag,
    parse_tag_or_digest,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "registry", "path", "tag", "digest"),
    [
        ("avalanchego", "docker.io", "library/avalanchego", None, None),
        ("docker.io/debian", "docker.io", "library/debian", None, None),
        ("index.docker.io/a/b", "docker.io", "a/b", None, None),
        ("avaplatform/avalanchego:v1", "docker.io", "avaplatform/avalanchego", "v1", None),
        ("localhost/x", "localhost", "x", None, None),
        ("localhost:5000/a/b:t", "localhost:5000", "a/b", "t", None),
        ("localhost:5000", "docker.io", "library/localhost", "5000", None),
        ("Builder/x", "Builder", "x", None, None),
        ("[::1]:5000/x:t", "[::1]:5000", "x", "t", None),
        ("ghcr.io/a/b/c__d--e.f", "ghcr.io", "a/b/c__d--e.f", None, None),
        (f"a/b@{DIGEST}", "docker.io", "a/b", None, DIGEST),
        (f"r.example:1/a:latest@{DIGEST}", "r.example:1", "a", "latest", DIGEST),
        ("x:" + "t" * 128, "docker.io", "library/x", "t" * 128, None),
    ],
)
def test_means(text: str, registry: str, path: str, tag: str | None, digest: str | None) -> None:
    """Does each written form mean the repository, tag and digest that a runtime would take?"""
    reference = Reference.parse(text)

    assert reference.repository == Repository(registry, path)
    assert (reference.tag, reference.digest) == (tag, digest)
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " a/b",
        "a/b ",
        "a/b\n",
        "a/B",
        "a//b",
        "/a",
        "a/",
        "a:",
        "a@",
        "a:-t",
        "a:.t",
        "a:" + "t" * 129,
        "a:b:c",
        "a@b@c",
        "a@sha256:abc",
        "a@sha256:" + "A" * 64,
        "a@md5:" + "0" * 32,
        "f" * 64,
        "a:té",
        "é/a",
        "a/" + "b" * 260,
        "http://host/a",
        "-host.example/a",
        "x" * 5000,
    ],
)
def test_refuses(text: str) -> None:
    """Is everything that no runtime could pull refused, with the right form in the sentence?"""
    with pytest.raises(ReferenceFault) as caught:
        Reference.parse(text)

    assert "registry/" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_refusal_shows_what_was_written_on_one_line() -> None:
    """Does the sentence show the offending text without its control characters?"""
    with pytest.raises(ReferenceFault, match="image 'a b/c' cannot be used") as caught:
        Reference.parse("a\r\n\x1bb/c")

    assert "\n" not in str(caught.value)


def test_leading_space_is_named() -> None:
    """The API server takes an image with a leading space: does our sentence say what is wrong?"""
    with pytest.raises(ReferenceFault, match="begins or ends with a space"):
        Reference.parse(" leading-space")


def test_pin_keeps_spelling_and_tag() -> None:
    """Does a pin keep the writer's own name and the tag that is followed?"""
    assert Reference.parse("avalanchego:master").pinned(DIGEST) == f"avalanchego:master@{DIGEST}"
    assert Reference.parse("avalanchego").pinned(DIGEST) == f"avalanchego@{DIGEST}"
    with pytest.raises(ReferenceFault):
        Reference.parse("avalanchego").pinned("latest")


def test_different_spellings_are_one_repository() -> None:
    """Are names that mean the same repository equal, so that its tag is asked for once?"""
    spellings = ("a/b:1", f"docker.io/a/b@{DIGEST}", "index.docker.io/a/b")

    assert len({Reference.parse(text).repository for text in spellings}) == 1


@pytest.mark.parametrize(
    ("registry", "path"),
    [
        ("docker.io", "debian"),
        ("index.docker.io", "a/b"),
        ("avaplatform", "avalanchego"),
        ("docker.io", "a/B"),
        ("docker.io/a", "b"),
        ("host.example:port", "a"),
        ("host.example", "../etc"),
        ("host.example", ""),
    ],
)
def test_repository_is_canonical_or_nothing(registry: str, path: str) -> None:
    """Can a repository be made that parsing could never give?"""
    with pytest.raises(ReferenceFault):
        Repository(registry, path)


def test_reference_cannot_contradict_itself() -> None:
    """Can a reference be made whose name means another repository, or whose tag is none?"""
    with pytest.raises(ReferenceFault):
        Reference("a/b", Repository("docker.io", "c/d"))
    with pytest.raises(ReferenceFault):
        Reference("a/b", Repository("docker.io", "a/b"), tag="no tag")
    with pytest.raises(ReferenceFault):
        Reference("a/b", Repository("docker.io", "a/b"), digest="sha256:0")


def test_tag_or_digest() -> None:
    """Is a digest told from a tag, and neither refused?"""
    assert parse_tag_or_digest("v1.14.0") == ("v1.14.0", None)
    assert parse_tag_or_digest(DIGEST) == (None, DIGEST)
    assert check_tag("_a") == "_a"
    assert check_digest("sha512:" + "0" * 128) == "sha512:" + "0" * 128
    for text in ("", "a b", "sha256:", DIGEST + "0", DIGEST + "\n", "latest\n"):
        with pytest.raises(ReferenceFault):
            parse_tag_or_digest(text)
