"""Image references: what holds for any text."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from controller.domain.reference import Reference, ReferenceFault, Repository

LOWER = string.ascii_lowercase + string.digits
components = st.text(LOWER, min_size=1, max_size=8)
hosts = st.one_of(
    st.just(""),
    st.builds("{}.{}/".format, components, components),
    st.builds("{}:{}/".format, components, st.integers(0, 65535)),
    st.just("localhost/"),
    st.just("docker.io/"),
    st.just("index.docker.io/"),
)
names = st.builds(
    lambda host, parts, joint: host + joint.join(parts),
    hosts,
    st.lists(components, min_size=1, max_size=4),
    st.sampled_from("/._-"),
).filter(lambda name: not (len(name) == 64 and set(name) <= set("0123456789abcdef")))
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
references = st.builds(
    lambda name, tag, digest: name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else ""),
    names,
    st.one_of(st.none(), tags),
    st.one_of(st.none(), digests),
)


@given(st.one_of(st.text(), st.text("aZ0./:@_-[] \n", max_size=40)))
@example("[::1")
@example("a@sha256:" + "0" * 64 + "\n")
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Is text of any shape either refused by ReferenceFault, or given back unchanged?"""
    try:
        reference = Reference.parse(text)
    except ReferenceFault:
        return
    assert str(reference) == text
    assert Reference.parse(str(reference)) == reference


@given(references)
def test_well_formed_text_is_parsed(text: str) -> None:
    """Is every reference made by the grammar's own rules understood?"""
    assert str(Reference.parse(text)) == text


@given(references)
def test_canonical_form_is_stable(text: str) -> None:
    """Is the canonical form of a repository its own canonical form?"""
    repository = Reference.parse(text).repository

    assert Repository.parse(str(repository)) == repository


@given(references, digests)
def test_pin_changes_the_digest_alone(text: str, digest: str) -> None:
    """Does pinning keep name, repository and tag, and set the digest, for every reference?"""
    reference = Reference.parse(text)
    pinned = Reference.parse(reference.pinned(digest))

    assert pinned.digest == digest
    assert (pinned.name, pinned.repository, pinned.tag) == (
        reference.name,
        reference.repository,
        reference.tag,
    )
