"""Docker Hub's own list of tags [79]: not the registry's protocol, and on another host there."""

from typing import Any

import orjson
from aiohttp import web

from controller.simulator.registry.auth import TokenRules
from controller.simulator.registry.catalogue import Catalogue, Tag
from controller.simulator.registry.quota import PullQuota

_MOST = 100  # tags on a page; who asks for more gets these


class TagListing:
    """Public repositories only: who may see a private one is not played. No pull is counted, and
    only the abuse limit is met [78].
    """

    def __init__(self, catalogue: Catalogue, rules: TokenRules, quota: PullQuota) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._quota = quota

    async def get(self, request: web.Request) -> web.StreamResponse:
        """One page, newest push first."""
        refused = self._quota.refuse("HEAD")
        if refused is not None:
            return refused
        repository = "{namespace}/{name}".format_map(request.match_info)
        tags = self._catalogue.tags(repository)
        if not tags or repository in self._rules.private:
            return _json({"message": "object not found", "errinfo": {}}, 404)
        try:
            page = int(request.query.get("page", "1"))
            size = min(_MOST, int(request.query.get("page_size", "10")))
        except ValueError:
            page = size = 0
        start = (page - 1) * size
        if page < 1 or size < 1:
            return _json({"message": "page and page_size are numbers above 0"}, 400)
        if start >= len(tags):
            return _json({"message": "object not found", "errinfo": {}}, 404)

        def link(number: int) -> str | None:
            if number < 1 or (number - 1) * size >= len(tags):
                return None
            return str(request.url.with_query(page=number, page_size=size))

        return _json(
            {
                "count": len(tags),
                "next": link(page + 1),
                "previous": link(page - 1),
                "results": [self._result(tag) for tag in tags[start : start + size]],
            }
        )

    def _result(self, tag: Tag) -> dict[str, Any]:
        pushed = tag.pushed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        images = [
            {
                "architecture": entry.platform.arch,
                "os": entry.platform.os,
                "variant": None,
                "digest": entry.digest,
                "size": entry.size,
                "status": "active",
                "last_pushed": pushed,
            }
            for entry in self._catalogue.entries(tag.digest)
        ]
        return {
            "name": tag.name,
            "digest": tag.digest,
            "images": images,
            "last_updated": pushed,
            "tag_last_pushed": pushed,
            "tag_status": "active",
        }


def _json(document: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")
