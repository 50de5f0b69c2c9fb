"""What the keys in Redis are called and how their values are written: docs/redis.md as code.

People read and mend these with redis-cli, so a change here is a change of `SCHEMA` and of the docs.
"""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from store.api import SCHEMA, Claim, Meta, StoreItemUnusable, StoreMisused
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

    def kind(self, key: str) -> str:
        """Its first word after the prefix, as in `layout`; empty for a key of another prefix."""
        if not key.startswith(f"{self.prefix}:"):
            return ""
        return key.removeprefix(f"{self.prefix}:").partition(":")[0]

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


def decode_claim(target: str, build: str, raw: bytes, key: str) -> Claim:
    """key: where it stands. What we did not write is a claim too: it is not free."""
    value = _strings(raw, "run", "owner")
    if value is not None:
        run, owner = value
        return Claim(target, build, run, owner)
    again = redis_cli("HDEL", key, build)
    why = f"its claim is not JSON with run and owner, {again} has it tested again"
    return Claim(target, build, "", "", why)


def encode_pending(claim: Claim) -> str:
    return _compact({"target": claim.target, "build": claim.build, "run": claim.run})


def encode_pending_end(run: str) -> str:
    """What the pending claims of a run end with, whatever they are of."""
    return "," + _compact({"run": run})[1:]


def decode_pending(owner: str, raw: bytes, key: str) -> Claim:
    """key: where it stands. Raises StoreItemUnusable."""
    value = _strings(raw, "target", "build", "run")
    if value is None:
        raise StoreItemUnusable(
            f"the pending claim of {owner} at key {key} is not JSON with target, build and run:"
            f" {redis_cli('HDEL', key, owner)}"
        )
    target, build, run = value
    return Claim(target, build, run, owner)


def _strings(raw: bytes, *names: str) -> list[str] | None:
    """What JSON has under these names; None where it has not all of them, as text that can be
    written again.
    """
    try:
        value: Any = json.loads(raw)
        found = [value[name] for name in names]
        "".join(found).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found


def redis_cli(*words: str) -> str:
    """The line that a person types."""
    return f"`{shlex.join(('redis-cli', *words))}`"


def decode_meta(fields: Mapping[str, str], key: str) -> Meta | None:
    """key: where it stands. None for an empty store. A missing cluster reads as '': a person lets
    another adopt it.
    """
    if not fields:
        return None
    try:
        schema, grants = int(fields["schema"]), int(fields["grants"])
        epoch = fields["epoch"]
    except (KeyError, ValueError) as exc:
        raise StoreMisused(
            f"the store's meta hash {key} lacks a readable schema, epoch or grants: it is not ours,"
            f" or was changed by hand; {redis_cli('DEL', key)} has it written anew"
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
