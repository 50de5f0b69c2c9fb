"""What a word means: first among the builds that are known, or at the registry, where it may be a
tag or the digest of an index.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.base.errors import Fault, NotFound, TargetFault, Trouble
from controller.base.text import shown
from controller.domain.build import Platform
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from controller.domain.reference import ReferenceFault, Repository, parse_tag_or_digest
from controller.engine.ports import Registry
from controller.inspection.deployments import InspectedDeployment
from controller.views.build import BuildView
from controller.views.meaning import (
    HEX,
    Matched,
    Meaning,
    described,
    matches,
    meaning_of,
    with_commit,
)
from store.api import StateStore, StoreMisused, StoreUnavailable


@dataclass(frozen=True)
class Followers:
    """Where tags are looked up: what the Deployments follow."""

    places: tuple[tuple[Repository, Platform], ...]


@dataclass(frozen=True)
class Found:
    """What came of looking a word up."""

    meaning: Meaning | None  # None: nothing is known by that word
    said: tuple[str, ...] = ()  # what a person should know beside, a sentence each


def followers(inspected: Sequence[InspectedDeployment]) -> Followers:
    """A Deployment whose manifest cannot be read follows nothing."""
    places: dict[tuple[Repository, Platform], None] = {}
    for each in inspected:
        try:
            request = read_request(each.deployment, Rules())
        except TargetFault:
            continue
        places[request.node.reference.repository, request.platform] = None
    return Followers(tuple(places))


async def find_meaning(
    word: str,
    builds: Sequence[BuildView],
    followed: Followers,
    store: StateStore,
    registry: Registry,
) -> Found:
    """Raises Fault for a word that means builds of several commits."""
    matched = matches(word, builds)
    if matched and HEX.fullmatch(word.removeprefix("sha256:").lower()):
        return Found(_one(word, matched, builds))
    said: list[str] = []
    if _may_be_asked(word):
        meaning = await _at_registry(word, builds, followed, store, registry, said)
        if meaning is not None:
            return Found(meaning, tuple(said))
    return Found(_one(word, matched, builds) if matched else None, tuple(said))


def _may_be_asked(word: str) -> bool:
    """A tag, or a whole digest; not `avalanchego/1.14.1`."""
    try:
        parse_tag_or_digest(word)
    except ReferenceFault:
        return False
    return True


def _one(word: str, matched: Sequence[Matched], builds: Sequence[BuildView]) -> Meaning:
    if len(matched) > 1:
        choices = "; ".join(described(each.builds[0]) for each in matched[:8])
        raise Fault(
            f"'{shown(word, 80)}' means builds of {len(matched)} commits: name one by its digest or"
            f" commit: {choices}"
        )
    one = matched[0]
    return meaning_of(word, one.how, [build.build for build in one.builds], builds)


async def _at_registry(
    word: str,
    builds: Sequence[BuildView],
    followed: Followers,
    store: StateStore,
    registry: Registry,
    said: list[str],
) -> Meaning | None:
    found: dict[str, tuple[Repository, str]] = {}  # build to where it is from
    for repository, platform in followed.places:
        try:
            digest = word if ":" in word else await registry.head(repository, word)
            build = await _behind(digest, repository, platform, store, registry)
        except NotFound:
            continue
        except (Trouble, Fault) as error:
            said.append(f"the registry does not say what {shown(word, 80)} is: {error}")
            continue
        found[build] = (repository, digest)
    if not found:
        return None
    repositories = {repository for repository, _ in found.values()}
    if len(repositories) > 1:
        where = "; ".join(f"{build} in {repository}" for build, (repository, _) in found.items())
        raise Fault(f"'{shown(word, 80)}' is another build in each repository: name one: {where}")
    repository, digest = next(iter(found.values()))
    how = f"by the tag of {repository}, which points to {digest} now"
    if ":" in word:
        how = "the build with this digest" if word in found else "the build in this index"
    meaning = meaning_of(word, how, list(found), builds)
    if meaning.commit or ":" in word:
        return meaning
    facts = await registry.describe(repository, word, meaning.builds[0])
    return with_commit(meaning, facts.commit, builds)


async def _behind(
    digest: str, repository: Repository, platform: Platform, store: StateStore, registry: Registry
) -> str:
    """The build of an index. The store knows it for ever; asking the registry may cost a pull."""
    try:
        known = await store.build(digest, str(platform))
    except (StoreUnavailable, StoreMisused):
        known = None
    return known or await registry.build(repository, digest, platform)
