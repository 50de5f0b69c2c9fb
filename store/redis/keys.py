"""What the keys in Redis are called and how their values are written: docs/redis.md as code.

People read and mend these with redis-cli, so a change here is a change of `SCHEMA` and of the docs.
"""

import json
import re
from collections.abc import Mapping

from store.api import SCHEMA, Claim, Meta, StoreMisused
from store.limits import check_target

# Braces are allowed so that a prefix can be a hash tag, `{bootstrap}`.
_PREFIX = re.compile(r"[A-Za-z0-9._:{}/-]{1,64}")


class RedisKeys:
    """The keys below one prefix. Raises StoreMisused for a prefix that would need quoting."""

    def __init__(self, prefix: str) -> None:
        if not _PREFIX.fullmatch(prefix):
            raise StoreMisused(
                "a store prefix is 1 to 64 letters, digits, or any of . _ : - / { }, such as"
                f" bootstrap, not {prefix[:80]!r}"
            )
        self.prefix = prefix
        self.meta = f"{prefix}:meta"
        self.pending = f"{prefix}:pending"
        self.deployments = f"{prefix}:deployments"

    def claims(self, target: str) -> str:
        return f"{self.prefix}:claims:{check_target(target)}"

    def refill(self, token: str) -> str:
        return f"{self.prefix}:refill:{token}"

    def deployment(self, name: str) -> str:
        return f"{self.prefix}:deployment:{name}"

    def run(self, target: str, run: str) -> str:
        return f"{self.prefix}:run:{check_target(target)}:{run}"

    def history(self, target: str | None) -> str:
        """Of all, of one target, or (for an empty one) of what is of no target."""
        if target is None:
            return f"{self.prefix}:history"
        return f"{self.prefix}:history:{check_target(target) if target else '-'}"

    def transition(self, identity: str) -> str:
        """The member of a history is the id, so that SORT ... GET finds this by its pattern."""
        return f"{self.prefix}:transition:{identity}"

    def tag(self, repository: str, tag: str) -> str:
        return f"{self.prefix}:tag:{repository}:{tag}"

    def builds(self, index: str) -> str:
        return f"{self.prefix}:builds:{index}"

    def seen(self, target: str) -> str:
        return f"{self.prefix}:seen:{check_target(target)}"

    def evidence(self, target: str, run: str) -> str:
        return f"{self.prefix}:evidence:{check_target(target)}:{run}"


def _compact(value: Mapping[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode_claim(run: str, owner: str) -> str:
    """`{"run":...,"owner":...}`, always in this order: the scripts compare it as text."""
    return _compact({"run": run, "owner": owner})


def encode_claim_start(run: str) -> str:
    """What the claims of a run begin with, whoever owns them."""
    return _compact({"run": run})[:-1] + ","


def decode_claim(target: str, build: str, raw: bytes) -> Claim:
    """Raises StoreMisused for what we did not write: a claim that cannot be read is not free."""
    try:
        value = json.loads(raw)
        return Claim(target=target, build=build, run=str(value["run"]), owner=str(value["owner"]))
    except (ValueError, KeyError, TypeError) as exc:
        raise StoreMisused(
            f"the claim of build {build} on target {target} in Redis is not JSON with run and"
            ' owner: write {"run":"...","owner":"namespace/name"}, or delete it with HDEL'
        ) from exc


def encode_pending(claim: Claim) -> str:
    return _compact({"target": claim.target, "build": claim.build, "run": claim.run})


def encode_pending_end(run: str) -> str:
    """What the pending claims of a run end with, whatever they are of."""
    return "," + _compact({"run": run})[1:]


def decode_pending(owner: str, raw: bytes) -> Claim:
    try:
        value = json.loads(raw)
        return Claim(str(value["target"]), str(value["build"]), str(value["run"]), owner)
    except (ValueError, KeyError, TypeError) as exc:
        raise StoreMisused(
            f"the pending claim of {owner} in Redis is not JSON with target, build and run:"
            " delete it with HDEL"
        ) from exc


def decode_meta(fields: Mapping[str, str]) -> Meta | None:
    """None for an empty store. A missing cluster reads as '': a person lets another adopt it."""
    if not fields:
        return None
    try:
        schema, grants = int(fields["schema"]), int(fields["grants"])
        epoch = fields["epoch"]
    except (KeyError, ValueError) as exc:
        raise StoreMisused(
            "the store's meta hash lacks a readable schema, epoch or grants: it is not ours, or"
            " was changed by hand; DEL it to have it written anew"
        ) from exc
    if schema > SCHEMA:
        raise newer_schema(schema)
    return Meta(schema=schema, epoch=epoch, grants=grants, cluster=fields.get("cluster", ""))


def newer_schema(schema: object) -> StoreMisused:
    return StoreMisused(
        f"the store was written by a newer version (schema {schema}, this one knows {SCHEMA}):"
        " run that version, or use another prefix"
    )


def text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def texts(raw: Mapping[bytes, bytes]) -> dict[str, str]:
    return {text(name): text(value) for name, value in raw.items()}


def pairs(fields: Mapping[str, str]) -> list[str]:
    """Names and values in turn."""
    return [word for pair in fields.items() for word in pair]
