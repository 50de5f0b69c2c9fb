"""What a record notes of a run beside its course: pods, facts, conditions, what a pass rests on."""

from typing import Any

import msgspec
import orjson


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node's last words name as the place at which it could not go on."""

    chain: str = ""  # `C`, `P`, `X` or a chain's id; empty where they name none
    height: int | None = None  # of the block; None where they name none
    block: str = ""  # its id; empty where they name none
    error: str = ""  # in a clause, fit to be shown


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen of the run's pods. A crash is a restart of any of them since the node was last
    up for `Rules.crash_calm`.
    """

    pod: str = ""  # uid of the last one; empty before the first
    home: str = ""  # uid of the one in which the node first started; empty before
    restarts: int = 0  # of the node's container in the last one
    crashes: int = 0
    exit: int | None = None  # code of the node's last end; None before the first
    kind: str = ""  # of `EndKind`, of the last crash; empty before the first
    line: str = ""  # a clause on why it ended; empty where nobody knows it
    cause: Cause | None = None  # where it could not go on, as far as its log names it
    places: tuple[str, ...] = ()  # of the last two crashes that were seen, `ProcessEnd.place`
    ends: dict[str, int] = {}  # kind to how many of the crashes before the last were of it
    zeros: int = 0  # exits with 0 among the crashes that nobody asked for
    data: str = ""  # the last word of the last pod's init container: `fresh`, `resumed`; or empty
    resumes: int = 0  # how often data was resumed
    counted: int = 0  # number of the last pod's restart that was counted last; 0: none
    synced: str = ""  # how C came to its state, in any life: of `health.synced`; empty: not known
    # resumes when the process that ran last began; -1 where none was seen to run in the last pod
    began: int = -1


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else is known of a run, for people and for comparison; empty where it is not."""

    version: str = ""  # as the node says it
    commit: str = ""  # as the node says it
    image_version: str = ""  # of the build, as the registry tells it
    image_commit: str = ""  # of the build, as the registry tells it
    tags: tuple[str, ...] = ()  # others that point to the build, as the registry tells them
    node: str = ""  # name of the machine of its last pod
    type: str = ""  # instance type of that machine
    zone: str = ""  # of that machine
    storage: str = ""  # class of its volume
    requests: str = ""  # of the node's container, as in the manifest

    @property
    def known_commit(self) -> str:
        """The node's word, else the registry's."""
        return self.commit or self.image_commit

    @property
    def known_version(self) -> str:
        return self.version or self.image_version


class ToldCondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A condition that people were told of."""

    type: str  # of `Condition`
    since: int  # when they were told, seconds since 1970
    message: str = ""  # what was seen then, in a sentence


class Checked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a pass rests on: its soak."""

    looks: int  # at the node
    seconds: float  # of observed health
    held: dict[str, int] = {}  # demand to how often it was asked and met
    heights: dict[str, tuple[int, int]] = {}  # chain to its newest block at first and last look
    oldest: float | None = None  # greatest age in seconds of C's newest block; None: not asked for
    peers: int | None = None  # fewest seen; None where no look told


def revised(facts: Facts, **changes: Any) -> Facts:
    """The facts with other values of some fields."""
    return msgspec.structs.replace(facts, **changes)


def as_json(noted: Any) -> str:
    """Compact, as the store shows it to people."""
    return orjson.dumps(msgspec.to_builtins(noted)).decode()


def cause_fields(cause: Cause | None) -> dict[str, str]:
    """Under the names that people know them by; without what is not known."""
    if cause is None:
        return {}
    height = "" if cause.height is None else str(cause.height)
    told = {"chain": cause.chain, "height": height, "block": cause.block, "error": cause.error}
    return {name: value for name, value in told.items() if value}


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
