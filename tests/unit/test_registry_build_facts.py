"""What an image's configuration and the names of its tags tell of a build."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.errors import Garbled
from controller.domain.evidence import BuildFacts
from controller.registry.build_facts import commit_in, described, parse_config, release_in

COMMIT = "c0ffee00" * 5
OTHER = "f00dcafe" * 5
PREFIX = "org.opencontainers.image."


def config(**labels: object) -> bytes:
    """Of an image with these labels, each without its prefix."""
    named = {PREFIX + name: value for name, value in labels.items()}
    return json.dumps({"config": {"Labels": named}}).encode()


def image(version: str = "", commit: str = "") -> BuildFacts:
    return BuildFacts(version=version, commit=commit)


def test_labels() -> None:
    """Do the two labels become version and commit?"""
    facts = parse_config(config(version="1.14.0", revision=COMMIT, created="2026-11-20T10:00:00Z"))

    assert facts == BuildFacts("1.14.0", COMMIT)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"config": None},
        {"config": {}},
        {"config": {"Labels": None}},
        {"config": {"Labels": {}}},
        {"config": {"Labels": {"maintainer": "someone"}}},
        {"config": {"Labels": {PREFIX + "version": "", PREFIX + "revision": " "}}},
        {"config": {"Labels": {PREFIX + "version": 7, PREFIX + "revision": ["a"]}}},
    ],
)
def test_image_without_labels(document: dict[str, Any]) -> None:
    """Is an image that says nothing told as nothing, and is that no failure [83]?"""
    assert parse_config(json.dumps(document).encode()) == BuildFacts()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"config":[]}',
        b"\xff",
        b'{"config":{"Labels":{"x":"\\ud800x"}}}',
        b"[" * 9999,
    ],
)
def test_what_is_no_configuration(body: bytes) -> None:
    """Is every other document garbled?"""
    with pytest.raises(Garbled):
        parse_config(body)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Does nothing but Garbled come of any bytes?"""
    with contextlib.suppress(Garbled):
        parse_config(body)


@pytest.mark.parametrize(
    ("label", "commit"),
    [(COMMIT.upper(), COMMIT), (" c0ffee0\n", "c0ffee0"), ("c0ffee00", "c0ffee00")],
)
def test_commit_is_written_in_one_way(label: str, commit: str) -> None:
    """Is a commit in capitals or with a space the commit that it means?"""
    assert parse_config(config(revision=label)).commit == commit


@pytest.mark.parametrize("label", ["main", "c0ffee", COMMIT + "0", "c0ffee00-dirty", "\u0660" * 8])
def test_label_that_is_no_commit(label: str) -> None:
    """Is a revision that is no commit left out, and said?"""
    facts = parse_config(config(revision=label, version="1.14.0"))

    assert (facts.version, facts.commit) == ("1.14.0", "")
    assert "org.opencontainers.image.revision is no commit" in facts.unread[0]


def test_labels_are_fit_to_be_shown() -> None:
    """Can a label neither break a line nor be longer than what is kept?"""
    facts = parse_config(config(version="1\n\u202e" + "9" * 1000, revision="x\x1b[2J" * 500))

    assert facts.version.startswith("1 9")
    assert len(facts.version) <= 64
    assert "\x1b" not in facts.unread[0]
    assert len(facts.unread[0]) < 200


@pytest.mark.parametrize(
    ("tag", "commit"),
    [
        ("c0ffee00", "c0ffee00"),
        ("c0ffee00-r", "c0ffee00"),
        (COMMIT, COMMIT),
        ("1e234567", "1e234567"),
        ("c0ffee0", ""),  # seven digits: a word more often than a commit
        (COMMIT + "0", ""),
        ("c0ffee00-race", ""),
        ("C0FFEE00", ""),
        ("20261120", ""),
        ("17234567890", ""),
        ("master", ""),
        ("", ""),
        ("c0ffee00\n", ""),
    ],
)
def test_tags_that_are_commits(tag: str, commit: str) -> None:
    """Are avalanchego's commit tags known [84], and dates and numbers not taken for one?"""
    assert commit_in(tag) == commit


@pytest.mark.parametrize(
    ("tag", "release"),
    [
        ("v1.14.0", "v1.14.0"),
        ("v1.14.0-r", "v1.14.0"),
        ("v1.14.0-rc.1", "v1.14.0-rc.1"),
        ("v1.14.0-rc.1-r", "v1.14.0-rc.1"),
        ("v1.14", ""),
        ("1.14.0", ""),
        ("v1.14.0.1", ""),
        ("v1.14.0-", ""),
        ("latest", ""),
        ("v\u0661.14.0", ""),
    ],
)
def test_tags_that_are_releases(tag: str, release: str) -> None:
    """Are releases told from other tags, and the race build not taken for a release candidate?"""
    assert release_in(tag) == release


@pytest.mark.parametrize(
    ("said", "tag", "names", "version", "commit"),
    [
        (image(), "latest", (), "", ""),
        (image(), "c0ffee00-r", (), "", "c0ffee00"),
        (image(), "v1.14.0", (), "v1.14.0", ""),
        (image(), "latest", ("v1.14.0", "c0ffee00"), "v1.14.0", "c0ffee00"),
        (image("1.14.0", COMMIT), "c0ffee00", ("v1.14.1", "f00dcafe"), "1.14.0", COMMIT),
        (image("", COMMIT), "v1.14.0", ("f00dcafe",), "v1.14.0", COMMIT),
        (image(), "v1.14.0", ("v1.14.1",), "v1.14.0", ""),
        (image(), "c0ffee00", ("f00dcafe",), "", "c0ffee00"),
        (image(), "latest", ("c0ffee00", COMMIT, "c0ffee00-r"), "", COMMIT),
    ],
)
def test_what_comes_first(
    said: BuildFacts, tag: str, names: tuple[str, ...], version: str, commit: str
) -> None:
    """Do labels come before the followed tag, and that before other names of the build?"""
    facts = described(said, tag, names)

    assert (facts.version, facts.commit, facts.unread) == (version, commit, ())


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("c0ffee00", "f00dcafe"), "which commit it is: its tags name c0ffee00, f00dcafe"),
        (("v1.14.0", "v1.14.0-fuji"), "which version it is: its tags name v1.14.0-fuji, v1.14.0"),
    ],
)
def test_names_that_do_not_agree(names: tuple[str, ...], sentence: str) -> None:
    """Is none of two names chosen, and that said, and both shown among the tags?"""
    facts = described(image(), "latest", names)

    assert (facts.version, facts.commit) == ("", "")
    assert facts.unread == (sentence,)
    assert facts.tags == names


def test_label_of_another_commit_than_the_followed_tag() -> None:
    """Is no commit told where the label, which may be the base image's, contradicts the tag?"""
    facts = described(image("1.14.0", OTHER), "c0ffee00", ())

    assert (facts.version, facts.commit) == ("1.14.0", "")
    assert OTHER in facts.unread[0]
    assert facts.unread[0].endswith("its tag c0ffee00")


def test_other_tags_are_without_the_followed_one() -> None:
    """Are only the other names told, and what the image left unread with them?"""
    facts = described(BuildFacts(unread=("a label",)), "latest", ("latest", "v1.14.0"))

    assert facts == BuildFacts("v1.14.0", "", ("v1.14.0",), ("a label",))
