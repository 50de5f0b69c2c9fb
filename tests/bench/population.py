"""Many Deployments in one state, each with its Service, Pod and claim: clones of one that the real
engine has brought there, of which a look writes nothing and tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from controller.domain.build import Build, Platform
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.record.record import Record, record_of
from controller.domain.reference import Reference
from store.api import Claim, Meta, StateStore
from tests.bench import template
from tests.bench.template import State
from tests.engine_fakes import FakeRegistry

NAMESPACE = "bootstrap"
REPOSITORY = Reference.parse(template.REPOSITORY).repository
_DEPLOYMENTS = msgspec.json.Decoder(Deployment)
_PODS = msgspec.json.Decoder(Pod)
_SERVICES = msgspec.json.Decoder(Service)


@dataclass(frozen=True)
class Raw:
    """One Deployment's objects as the API server gives them, a JSON text each."""

    deployment: bytes
    service: bytes
    pod: bytes  # empty: it has none


@dataclass
class Population:
    """Objects by key (`namespace/name`), tags to what they stand for."""

    deployments: dict[str, Deployment] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    pods: dict[str, tuple[Pod, ...]] = field(default_factory=dict)
    tags: dict[str, tuple[str, Build]] = field(default_factory=dict)  # to index and build
    raw: list[Raw] = field(default_factory=list)  # in the order of the keys; empty unless wanted

    def publish(self, registry: FakeRegistry) -> None:
        """The registry knows all tags."""
        for tag, (index, build) in self.tags.items():
            registry.publish(REPOSITORY, tag, index, {Platform(): build})

    def claims(self) -> list[Claim]:
        """Of all that was tested, or is being tested."""
        found = []
        for deployment in self.deployments.values():
            record = record_of(deployment)
            if isinstance(record, Record):
                done = [(o.target, o.build, o.run) for o in record.outcomes]
                run = record.run
                begun = [(run.target, run.build, run.id)] if run else []
                found += [Claim(*each, record.key) for each in done + begun]
        return found

    async def fill(self, store: StateStore, cluster: str = "bench") -> None:
        """The store knows the claims, as after their runs were told."""
        await store.refill(Meta(1, "epoch", 0, cluster), self.claims())

    def add(self, other: "Population") -> "Population":
        """Both together; names of one must not be among the other's."""
        assert not self.deployments.keys() & other.deployments.keys()
        for name in ("deployments", "services", "pods", "tags"):
            getattr(self, name).update(getattr(other, name))
        self.raw += other.raw
        return self


async def population(
    count: int,
    state: State,
    now: datetime,
    *,
    tags: int = 0,
    per_target: int = 1,
    prefix: str = "node",
    first: int = 0,
    keep_raw: bool = False,
) -> Population:
    """now: the time at which they are in this state. tags: how many distinct ones they follow, 0
    for one each. per_target: Deployments of one target, which follow different tags. prefix and
    first: of their names and numbers. Two populations that are to be together have numbers of their
    own: `first` of one is not below `first + count` of the other.
    """
    tags = min(tags or count, count)
    assert tags >= per_target, "two of one target would test the same build"
    made = await template.template_of(state, now)
    found = Population()
    for number in range(first, first + count):
        tag = first + (number - first) % tags
        words = {
            template.NAME: f"{prefix}-{number:05d}",
            template.SERIES: f"s{first + (number - first) // per_target}",
            template.TAG: f"tag{tag}",
            template.DIGITS: f"{tag:08x}",
            template.VERSION: f"{1_000_000 + number}",
        }
        raw = Raw(*(_clone(text, words) for text in made))
        _add(found, raw)
        digits = f"{tag:08x}"
        found.tags[f"tag{tag}"] = tuple(
            text.replace(template.DIGITS, digits) for text in (template.INDEX, template.BUILD)
        )  # type: ignore[assignment]
        if keep_raw:
            found.raw.append(raw)
    return found


def targets(found: Population) -> Sequence[str]:
    """Keys, in order."""
    return sorted(found.deployments)


def _clone(text: bytes, words: dict[str, str]) -> bytes:
    for word, instead in words.items():
        text = text.replace(word.encode(), instead.encode())
    return text


def _add(found: Population, raw: Raw) -> None:
    deployment = _DEPLOYMENTS.decode(raw.deployment)
    key = deployment.metadata.key
    found.deployments[key] = deployment
    found.services[key] = _SERVICES.decode(raw.service)
    found.pods[key] = (_PODS.decode(raw.pod),) if raw.pod else ()
