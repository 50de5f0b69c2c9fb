"""The page judged by axe-core, in a real headless Chromium, and on the narrowest of phones.

Skipped where no Chromium is installed.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from controller.page.library import Library
from controller.page.report import html_report
from tests.chromium import CHROMIUM, Tab, chromium
from tests.page_desk import (
    FUJI,
    MAINNET,
    NOW,
    OPEN_RUN,
    QUICK,
    FakeSource,
    build,
    filled,
    served,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

PHONE = 360
_AXE = """
axe.run(document, {resultTypes: ["violations"], iframes: false}).then(found => JSON.stringify(
  found.violations.map(v => [v.impact, v.id, v.help, v.nodes.map(n => n.html.slice(0, 200))])))
"""
# What a finger or an eye would have to push aside: the page itself, or any part of it
WIDE = """
[document.scrollingElement, ...document.querySelectorAll("body *:not(.hidden, .skip, thead *)")]
  .filter(e => e.scrollWidth > Math.max(e.clientWidth, 1) + 1
    && !["hidden", "visible"].includes(getComputedStyle(e).overflowX)
    || e === document.scrollingElement && e.scrollWidth > innerWidth)
  .map(e => e.outerHTML.slice(0, 100))
"""


@cache
def axe() -> str:
    return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")


async def findings(tab: Tab) -> list[list[object]]:
    """What axe-core minds of the page that is open: impact, rule, its sentence, elements."""
    await tab.evaluate(f"{axe()}; 0")
    found: list[list[object]] = json.loads(await tab.evaluate(_AXE))
    return found


async def every_path(source: FakeSource) -> list[str]:
    """One page of each kind: runs that are open, passed, failed and aborted, and messages too."""
    runs = {line.id.rpartition(".")[2]: line for line in await source.store.history(None, limit=99)}
    ended = {json.loads(line.body)["phase"]: (line.target, run) for run, line in runs.items()}
    assert set(ended) == {"Passed", "Failed", "Aborted"}
    return [
        "/", f"/targets/{FUJI}", f"/targets/{MAINNET}", f"/targets/{QUICK}",
        f"/runs/{FUJI}/{OPEN_RUN}", *(f"/runs/{target}/{run}" for target, run in ended.values()),
        "/builds", f"/builds/{build(12)}", "/none", "/builds?limit=many",
    ]  # fmt: skip


@asynccontextmanager
async def report_served(folder: Path) -> AsyncIterator[str]:
    """The URL of report.html, as a file."""
    report = folder / "report.html"
    report.write_text(await html_report(Library(await filled()), datetime.fromtimestamp(NOW, UTC)))
    yield report.as_uri()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1100, PHONE])
async def test_axe_finds_nothing(tmp_path: Path, dark: bool, width: int) -> None:
    """Has axe-core nothing to say about any page, in either light, on a desk and on a phone?"""
    source = await filled()
    async with served(source) as url, report_served(tmp_path) as report, chromium() as tab:
        await tab.look(width=width, dark=dark, phone=width == PHONE)
        for page in [*(url + path for path in await every_path(source)), report]:
            await tab.open(page)
            assert await findings(tab) == [], page


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ("document.querySelector('nav a').textContent = ''", "link-name"),
        ("document.querySelector('nav a').style.color = '#ccc'", "color-contrast"),
    ],
)
async def test_axe_sees_what_is_broken(damage: str, rule: str) -> None:
    """Would the test above fail, if a page had no language, a link without a word, or pale text?"""
    async with served(await filled()) as url, chromium() as tab:
        await tab.look(width=1100)
        await tab.open(url)
        await tab.evaluate(f"{damage}; 0")
        assert rule in {str(each[1]) for each in await findings(tab)}


async def test_nothing_scrolls_sideways_on_a_phone(tmp_path: Path) -> None:
    """Is no page, and no table on it, wider than 360 pixels, long names and messages included?"""
    source = await filled(message=f"no space in {'x' * 300} and the end of it")
    async with served(source) as url, report_served(tmp_path) as report, chromium() as tab:
        await tab.look(width=PHONE, phone=True)
        for page in [*(url + path for path in await every_path(source)), report]:
            await tab.open(page)
            assert await tab.evaluate("innerWidth") == PHONE, page
            assert await tab.evaluate(WIDE) == [], page
