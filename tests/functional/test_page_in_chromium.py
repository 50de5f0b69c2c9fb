"""The page in a real headless Chromium: it loads, is live, and the browser complains of nothing.

Skipped where no Chromium is installed.
"""

from pathlib import Path

import pytest

from tests.chromium import CHROMIUM, chromium
from tests.controlled_world import controlled_world
from tests.page_desk import (
    FUJI,
    OPEN_RUN,
    build,
    filled,
    open_run,
    record_of,
    served,
)
from tests.target_world import FAST

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

# Of all text that is seen, the least contrast with its ground; and elements wider than the window.
CONTRAST = """
(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * (i ? i < 2 ? 0.7152 : 0.0722 : 0.2126), 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return parse('rgb(255, 255, 255)'); };
  let least = 21;
  for (const e of document.querySelectorAll("body :not(title, desc)")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(parse(e.closest("svg") ? style.fill : style.color)), light(ground(e))];
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()
"""
PAGES = ["/", f"/targets/{FUJI}", f"/runs/{FUJI}/{OPEN_RUN}", "/builds", f"/builds/{build(12)}"]


async def test_every_page_is_sound_in_every_light() -> None:
    """Has each page, light and dark, wide and on a phone, text that can be read, no width beyond
    the window, and nothing that the browser complains of or that is asked of others?
    """
    async with served(await filled()) as url, chromium() as tab:
        for path in PAGES:
            for dark, phone in ((False, False), (True, True)):
                await tab.look(width=390 if phone else 1100, dark=dark, phone=phone)
                await tab.open(url + path)
                assert await tab.evaluate(CONTRAST) >= 4.5, (path, dark)
                wide = "document.documentElement.scrollWidth <= innerWidth"
                assert await tab.evaluate(wide), (path, phone)
        assert tab.complaints == []
        assert all(each.startswith((url, "about:")) for each in tab.requested)


async def test_it_changes_by_itself() -> None:
    """Does a change reach the page that is open, without a loading, and is the link that had the
    focus still the one that has it?
    """
    source = await filled(runs=2)
    async with served(source) as url, chromium() as tab:
        await tab.open(url)
        await tab.until("document.getElementById('live').textContent === 'Live'")
        await tab.evaluate(f"document.querySelector('a[href=\"/targets/{FUJI}\"]').focus()")
        await tab.evaluate("window.same = true")
        source.put(record_of(FUJI, "it has stood for an hour", open_run()), FUJI, "Soaking")
        source.tell("bootstrap/fuji-full")
        await tab.until("document.body.innerText.includes('it has stood for an hour')")
        assert await tab.evaluate("window.same")
        focused = "document.activeElement.getAttribute('href')"
        assert await tab.evaluate(focused) == f"/targets/{FUJI}"
        assert tab.complaints == []


async def test_it_says_the_same_without_javascript() -> None:
    """Is all there where no script may run?"""
    async with served(await filled(runs=2)) as url, chromium() as tab:
        await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        await tab.open(url)
        document = await tab.call("DOM.getDocument")
        main = await tab.call(
            "DOM.querySelector", nodeId=document["root"]["nodeId"], selector="main"
        )
        text = await tab.call("DOM.getOuterHTML", nodeId=main["nodeId"])
        assert "about <strong>" in text["outerHTML"]


async def test_markup_of_others_runs_nowhere() -> None:
    """Is a script in a message text in the browser too?"""
    source = await filled(runs=3, message="<img src=x onerror='window.owned=1'><script>owned=1")
    async with served(source) as url, chromium() as tab:
        await tab.open(f"{url}/targets/{FUJI}")
        assert await tab.evaluate("typeof window.owned") == "undefined"
        assert tab.complaints == []


@pytest.mark.jumping
async def test_a_phase_on_the_simulator_is_seen_live(tmp_path: Path) -> None:
    """Does the page of a whole controller go from one phase to the next while it is open?"""
    async with controlled_world(tmp_path, speed=FAST) as stage:
        stage.deploy("fuji")
        stage.start(page="127.0.0.1:0", poll_interval="200ms", probe_interval="100ms", settle="0s")
        await stage.until(lambda: stage.record("fuji") and stage.record("fuji").run)
        (line,) = (line for line in stage.said if line.startswith("page is served"))
        port = int(line.rpartition("'port': ")[2].rstrip("}"))
        async with chromium() as tab:
            await tab.open(f"http://127.0.0.1:{port}/")
            await tab.until("document.body.innerText.includes('Bootstrapping')")
            stage.world.annotate("fuji", abort_requested_at="now")
            await tab.until("document.querySelector('a.box.aborted') !== null")
            assert tab.complaints == []
