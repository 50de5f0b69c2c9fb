"""What a word means among the builds that are known: a digest, a commit or a version, as people
write them. A tag is the registry's to say.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec.structs import replace

from controller.base.text import shown
from controller.domain.build import same_commit, short
from controller.views.build import BuildView
from controller.views.parts import View

HEX = re.compile(r"[0-9a-f]{7,128}")  # shorter ones are met by chance
_OFFERED_FROM = 1000  # names, of the newest builds, among which the nearest are found
_VERSION = re.compile(r"(?:avalanchego/)?v?(\d+\.\d+\.\d+\S*)")


class Meaning(View, frozen=True, kw_only=True):
    """Which builds a word means."""

    word: str
    how: str  # by what it means them, in a sentence
    builds: tuple[str, ...]  # digests; several are of one commit, or of one tag's platforms
    siblings: tuple[str, ...] = ()  # others of the same commit
    version: str = ""
    commit: str = ""


class Matched(View, frozen=True, kw_only=True):
    """The builds that a word fits, of one commit."""

    how: str
    builds: tuple[BuildView, ...]


def version_of(text: str) -> str:
    """`1.14.1` of `v1.14.1` and `avalanchego/1.14.1`; empty for what is no version."""
    found = _VERSION.fullmatch(text.strip())
    return found.group(1) if found else ""


def matches(word: str, builds: Sequence[BuildView]) -> list[Matched]:
    """Each commit that the word fits, the newest first: several mean that it is not clear."""
    digits = word.removeprefix("sha256:").lower()
    found: dict[str, list[BuildView]] = {}
    for build in builds:
        how = _how(word, digits, build)
        if how:
            found.setdefault(how, []).append(build)
    return [
        Matched(how=how, builds=tuple(group))
        for how, fitting in found.items()
        for group in by_commit(fitting)
    ]


def by_commit(builds: Iterable[BuildView]) -> list[list[BuildView]]:
    """One whose commit is not known is alone."""
    groups: list[list[BuildView]] = []
    for build in builds:
        for group in groups:
            if same_commit(group[0].commit, build.commit):
                group.append(build)
                break
        else:
            groups.append([build])
    return groups


def meaning_of(word: str, how: str, meant: Sequence[str], builds: Sequence[BuildView]) -> Meaning:
    """meant: digests, which need not be among the builds that are known."""
    known = [build for build in builds if build.build in meant]
    commit = next((build.commit for build in known if build.commit), "")
    return with_commit(
        Meaning(
            word=word,
            how=how,
            builds=tuple(meant),
            version=next((build.version for build in known if build.version), ""),
        ),
        commit,
        builds,
    )


def with_commit(meaning: Meaning, commit: str, builds: Sequence[BuildView]) -> Meaning:
    """The meaning with the others of this commit."""
    others = [
        build.build
        for build in builds
        if same_commit(commit, build.commit) and build.build not in meaning.builds
    ]
    return Meaning(
        word=meaning.word,
        how=meaning.how,
        builds=meaning.builds,
        siblings=tuple(others),
        version=meaning.version,
        commit=commit,
    )


def without_siblings(meaning: Meaning) -> Meaning:
    """The builds themselves, and nothing that stands in for them."""
    return replace(meaning, siblings=())


def described(build: BuildView) -> str:
    """A build as a person picks it among others."""
    told = [build.version, build.commit[:12], ", ".join(build.tags[:3])]
    return shown(" ".join(filter(None, (short(build.build), *told))), 120)


def nearest(word: str, builds: Iterable[BuildView]) -> list[str]:
    """Names of builds that look like the word, at most five; the newest builds' where none does."""
    known: dict[str, None] = {}
    for build in builds:
        version = f"v{version_of(build.version)}" if version_of(build.version) else ""
        names = (version, *build.tags, build.commit[:12], build.build[:19])
        known.update(dict.fromkeys(filter(None, names)))
        if len(known) >= _OFFERED_FROM:
            break
    return get_close_matches(word, known, n=5, cutoff=0.5) or list(known)[:5]


def _how(word: str, digits: str, build: BuildView) -> str:
    """By what the word means the build; empty where it does not."""
    if word == build.build:
        return "the build with this digest"
    if word in build.indexes:
        return "the build in the index with this digest"
    if version_of(word) and version_of(word) == version_of(build.version):
        return f"the build whose node says version {version_of(word)}"
    if not HEX.fullmatch(digits):
        return ""
    if same_commit(digits, build.commit) and not word.startswith("sha256:"):
        return "the build of this commit"
    if build.build.partition(":")[2].startswith(digits):
        return "the build whose digest begins so"
    return ""
