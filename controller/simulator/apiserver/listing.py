"""LIST: selectors, pages with continue tokens, what each resourceVersion means [2, 6-8, 10, 12]."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from controller.base.clock import Clock
from controller.simulator.apiserver.resources import Object, Resource, key_of
from controller.simulator.apiserver.selectors import matcher
from controller.simulator.apiserver.statuses import (
    Cause,
    StatusError,
    bad_request,
    bad_resource_version,
    invalid,
    too_large_resource_version,
    too_old,
)
from controller.simulator.apiserver.storage import Storage
from controller.simulator.apiserver.views import View

# How long a list waits for a version from the future [12], in seconds, and in how many looks.
FUTURE_WAIT = 3.0
_LOOKS = 6

Query = Mapping[str, str]

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


def parse_version(text: str) -> int:
    """A resource version as a number, 0 for none; StatusError 500 for nonsense (recording 15)."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise bad_resource_version(text)
    return int(text)


def check_list_options(query: Query, *, watch: bool) -> None:
    """Combinations that make no sense: 422 [5, 18]."""
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    initial = "sendInitialEvents" in query
    causes: list[Cause] = []

    def forbid(field: str, why: str) -> None:
        causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", field))

    if initial and not watch:
        forbid("sendInitialEvents", "sendInitialEvents is forbidden for list")
    elif initial and match != "NotOlderThan":
        forbid(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )
    elif match and not initial:
        if watch:
            forbid("resourceVersionMatch", "resourceVersionMatch is forbidden for watch")
        elif not version:
            forbid(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            )
        elif query.get("continue"):
            forbid("resourceVersionMatch", "resourceVersionMatch is forbidden for continue")
        elif match not in {"Exact", "NotOlderThan"}:
            causes.append(
                Cause(
                    "FieldValueNotSupported",
                    f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""',
                    "resourceVersionMatch",
                )
            )
    if causes:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


class Listing:
    """Answers lists of one storage."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def list(self, resource: Resource, namespace: str, query: Query, view: View) -> Object:
        """The list object; StatusError as [7, 10, 12] and recordings 8 and 54 say."""
        check_list_options(query, watch=False)
        match = matcher(query.get("labelSelector", ""), query.get("fieldSelector", ""), resource)
        limit = _limit(query)
        token = query.get("continue", "")
        if token:
            version, start = self._resume(token, query)
        else:
            version, start = await self._version(query), ""
        exact = version if token or query.get("resourceVersionMatch") == "Exact" else 0
        storage = self._storage
        objects = (
            storage.list_at(resource.plural, namespace, exact)
            if exact and exact != storage.version
            else storage.objects(resource.plural, namespace)
        )
        at = exact or storage.version
        if not token and query.get("resourceVersion") == "0":
            limit = 0  # served from the cache, which knows no pages (recording 7)
        start = start.lstrip("/")
        found = [
            obj
            for obj in sorted(objects, key=lambda obj: _path(obj, namespace))
            if _path(obj, namespace)[1:] >= start and (not match or match(obj))
        ]
        return view.many(*_page(found, limit, at, namespace, counted=match is None))

    async def _version(self, query: Query) -> int:
        """The version that the list is asked for; waits a little for one from the future."""
        version = parse_version(query.get("resourceVersion", ""))
        for _ in range(_LOOKS):
            if version <= self._storage.version:
                break
            await self._clock.sleep(FUTURE_WAIT / _LOOKS)
        if version > self._storage.version:
            raise too_large_resource_version(version, self._storage.version)
        exact = query.get("resourceVersionMatch") == "Exact"
        if exact and version < self._storage.compacted:
            raise too_old(version, self._storage.compacted)
        return version

    def _resume(self, token: str, query: Query) -> tuple[int, str]:
        version, start = _decode(token)
        if parse_version(query.get("resourceVersion", "")):
            raise bad_request("specifying resource version is not allowed when using continue")
        if version == -1:
            return 0, start
        if version < self._storage.compacted:
            raise StatusError(410, "Expired", _EXPIRED, metadata={"continue": _encode(-1, start)})
        return version, start


def _page(
    found: list[Object], limit: int, version: int, namespace: str, *, counted: bool
) -> tuple[list[Object], Object]:
    metadata: Object = {"resourceVersion": str(version)}
    if limit and len(found) > limit:
        last = _path(found[limit - 1], namespace)
        metadata["continue"] = _encode(version, f"{last}\0")
        if counted:
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return found, metadata


def _path(obj: Object, namespace: str) -> str:
    """The object's key below the list's own, as continue tokens carry it (recording 5)."""
    own, name = key_of(obj)
    return f"/{name}" if namespace or not own else f"/{own}/{name}"


def _limit(query: Query) -> int:
    text = query.get("limit", "")
    if not text:
        return 0
    try:
        return max(0, int(text))
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _encode(version: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(token: str) -> tuple[int, str]:
    def refuse(why: str) -> StatusError:
        return bad_request(f"invalid continue token: continue key is not valid: {why}")

    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise refuse("illegal base64 data at input byte 0") from None
    try:
        value: Any = json.loads(raw)
    except ValueError:
        # Go names the first byte that cannot begin a value (recording 8).
        shown = f"'\\u{raw[0]:04x}'" if raw and raw[0] > 0x7E else repr(chr(raw[0]) if raw else "")
        raise refuse(f"invalid character {shown} looking for beginning of value") from None
    if not isinstance(value, dict) or value.get("v") != "meta.k8s.io/v1":
        raise refuse("server does not recognize this encoded version")
    version, start = value.get("rv"), value.get("start")
    if not isinstance(version, int) or version == 0 or not isinstance(start, str) or not start:
        raise refuse("encoded start resourceVersion or key is missing")
    return version, start
