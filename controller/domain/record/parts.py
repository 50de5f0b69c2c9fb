"""What a record notes of a run beside its course: pods, facts, conditions, what a pass rests on."""

from typing import Any

import msgspec
import orjson


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen of the run's pods.

    pod: uid of the last one; home: of the one in which the node first started; restarts: of its
    node's container; crashes: restarts of all pods since the node was last up for `crash_calm`;
    exit, kind, line: code, `ending.EndKind` and telling line of the last end; ends: how many of the
    crashes before it were of each kind; zeros: exits with 0 among them that nobody asked for; data:
    `fresh` or `resumed`, the init container's last word; resumes: how often data was resumed.

    counted: number of the pod's restart that was counted last; began: resumes when the process that
    ran last began, -1 where none was seen to run in this pod.
    """

    pod: str = ""
    home: str = ""
    restarts: int = 0
    crashes: int = 0
    exit: int | None = None
    kind: str = ""
    line: str = ""
    ends: dict[str, int] = {}
    zeros: int = 0
    data: str = ""
    resumes: int = 0
    counted: int = 0
    began: int = -1


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else is known of a run, for people and for comparison; empty where it is not.

    version, commit: as the node says them. image_version, image_commit, tags: as the registry
    tells them of the build. node, type, zone: the machine of its last pod; storage: class of its
    volume; requests: of the node's container, as in the manifest.
    """

    version: str = ""
    commit: str = ""
    image_version: str = ""
    image_commit: str = ""
    tags: tuple[str, ...] = ()
    node: str = ""
    type: str = ""
    zone: str = ""
    storage: str = ""
    requests: str = ""

    @property
    def known_commit(self) -> str:
        """The node's word, else the registry's."""
        return self.commit or self.image_commit

    @property
    def known_version(self) -> str:
        return self.version or self.image_version


class ToldCondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A condition that people were told of. type: of `conditions.Condition`."""

    type: str
    since: int
    message: str = ""


class Checked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a pass rests on. looks: of the soak. held: each demand to how often it was asked and
    met. heights: each chain to its newest block at the first and at the last look. oldest: greatest
    age of C's newest block in seconds. peers: fewest seen.
    """

    looks: int
    seconds: float
    held: dict[str, int] = {}
    heights: dict[str, tuple[int, int]] = {}
    oldest: float | None = None
    peers: int | None = None


def revised(facts: Facts, **changes: Any) -> Facts:
    """The facts with other values of some fields."""
    return msgspec.structs.replace(facts, **changes)


def as_json(noted: Any) -> str:
    """Compact, as the store shows it to people."""
    return orjson.dumps(msgspec.to_builtins(noted)).decode()


def fact_fields(facts: Facts) -> dict[str, str]:
    """Under the names that people know them by."""
    return {
        "version": facts.known_version,
        "commit": facts.known_commit,
        "image_commit": facts.image_commit,
        "tags": ",".join(facts.tags),
        "node": facts.node,
        "instance_type": facts.type,
        "zone": facts.zone,
        "storage_class": facts.storage,
        "requests": facts.requests,
    }
