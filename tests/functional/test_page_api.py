"""`/api/v1` as a program sees it: paged, typed, described."""

import json
import re
from typing import Any

import pytest

from controller.page.openapi import PATHS
from tests.page_desk import FUJI, MAINNET, OPEN_RUN, FakeSource, build, filled, get, served


async def ask(url: str, path: str) -> tuple[int, Any]:
    status, body, headers = await get(f"{url}/api/v1{path}")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    return status, json.loads(body)


async def whole(url: str, path: str, limit: int) -> list[Any]:
    """All items of a listing, asked for page by page."""
    found, before = [], ""
    while True:
        _, answer = await ask(url, f"{path}?limit={limit}{before}")
        found += answer["items"] if "items" in answer else answer["item"]["runs"]
        assert len(found) <= 500, "it goes round"
        if not answer["next"]:
            return found
        before = f"&before={answer['next']}"


@pytest.fixture
async def source() -> FakeSource:
    return await filled(runs=9)


@pytest.mark.parametrize(
    ("path", "count", "key"),
    [
        ("/deployments", 3, "deployment"),
        ("/targets", 3, "target"),
        ("/builds", 10, "build"),
        ("/history", 27, "id"),
        ("/polls", 1, "tag"),
        (f"/targets/{MAINNET}", 9, "run"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 500])
async def test_pages_together_are_the_whole(
    source: FakeSource, path: str, count: int, key: str, limit: int
) -> None:
    """Is each item told once, whatever the size of a page?"""
    async with served(source) as url:
        found = [each[key] for each in await whole(url, path, limit)]
    assert len(found) == len(set(found)) == count


async def test_a_run_is_told_with_its_time_left(source: FakeSource) -> None:
    """Are times RFC 3339, durations numbers, and the estimate beside the run?"""
    async with served(source) as url:
        status, answer = await ask(url, f"/runs/{FUJI}/{OPEN_RUN}")
    run, left = answer["item"]["run"], answer["item"]["left"]
    assert (status, run["phase"], run["ended"]) == (200, "Bootstrapping", None)
    assert re.fullmatch(r"2026-11-23T0\d:\d\d:00Z", run["started"])
    assert 0 < left["share"] < 1
    assert left["low"] < left["seconds"] < left["high"]


async def test_a_build_is_found_by_any_of_its_names(source: FakeSource) -> None:
    """Do the digest of the platform, that of the index and one without its prefix lead to it?"""
    async with served(source) as url:
        for name in (build(12), build(112), build(12).removeprefix("sha256:")):
            _, answer = await ask(url, f"/builds/{name}")
            assert answer["item"]["build"] == build(12)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/targets?limit=0", 400),
        ("/targets?limit=501", 400),
        ("/targets?limit=many", 400),
        ("/history?before=nan~x", 400),
        ("/history?before=soon", 400),
        ("/targets/none", 404),
        (f"/targets/{FUJI}?before=none", 404),
        (f"/runs/{FUJI}/none", 404),
        ("/builds/sha256:", 404),
        ("/none", 404),
    ],
)
async def test_a_bad_question_is_told_so(source: FakeSource, path: str, status: int) -> None:
    """Is the answer JSON with one sentence?"""
    async with served(source) as url:
        found, answer = await ask(url, path)
    assert (found, list(answer)) == (status, ["error"])


async def test_it_is_described(source: FakeSource) -> None:
    """Does OpenAPI name every path, and does each answer have the fields that it promises?"""
    async with served(source) as url:
        _, document = await ask(url, "/openapi.json")
        assert set(document["paths"]) == set(PATHS)
        for path in PATHS:
            asked = path.format(target=FUJI, run=OPEN_RUN, digest=build(12))
            _, answer = await ask(url, asked)
            schema = document["paths"][path]["get"]["responses"]["200"]["content"]
            _fits(answer, schema["application/json"]["schema"], document["components"]["schemas"])


def _fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The fields of objects, as deep as they go."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = schemas[name]
    if isinstance(value, list):
        items = [schema, *schema.get("anyOf", [])]
        inner = next((each["items"] for each in items if "items" in each), {})
        for each in value:
            _fits(each, inner, schemas)
    elif isinstance(value, dict) and "properties" in schema:
        assert set(value) == set(schema["properties"])
        for field, its in value.items():
            _fits(its, schema["properties"][field], schemas)
