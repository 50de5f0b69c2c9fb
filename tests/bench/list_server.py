"""An API server that only lists: `python -m tests.bench.list_server COUNT` prints its URL, and
serves so many Deployments until it is ended. What it says is made before it begins, so that its
share of a command's time is small and the same for all who ask; watches stay open and say nothing.
"""

import asyncio
import sys

from aiohttp import web

from tests.bench.fleet import NAMESPACE, deployments, pages

DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_VERSION = {"versions": ["v1"], "serverAddressByClientCIDRs": []}
_GROUP = {"groupVersion": "apps/v1", "version": "v1"}
_VERBS = ["get", "list", "watch", "patch"]
# What kubectl asks before it lists.
_DISCOVERY = {
    "/api": {"kind": "APIVersions", **_VERSION},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": "apps", "versions": [_GROUP], "preferredVersion": _GROUP}],
    },
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis/apps/v1": {
        "kind": "APIResourceList",
        "groupVersion": "apps/v1",
        "resources": [
            {
                "name": "deployments",
                "singularName": "deployment",
                "shortNames": ["deploy"],
                "namespaced": True,
                "kind": "Deployment",
                "verbs": _VERBS,
            }
        ],
    },
}
_NOBODY = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
           "code": 404, "message": "it is not here"}  # fmt: skip


class _Lists:
    def __init__(self, count: int) -> None:
        self._pages = pages(deployments(count))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return await _silence(request)
        if request.path == DEPLOYMENTS:
            body = self._pages[int(request.query.get("continue") or 0)]
            return web.Response(body=body, content_type="application/json")
        if (told := _DISCOVERY.get(request.path)) is not None:
            return web.json_response(told)
        if request.path.endswith(("/pods", "/services")):
            listed = {"kind": "List", "metadata": {"resourceVersion": "2000000"}, "items": []}
            return web.json_response(listed)
        return web.json_response(_NOBODY, status=404)


async def _silence(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await asyncio.Event().wait()
    return response


async def main(count: int) -> None:
    app = web.Application()
    app.router.add_get("/{path:.*}", _Lists(count).answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
