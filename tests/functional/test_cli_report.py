"""report: one file that needs nothing beside it, from a made-up history and from the simulator."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.cli.exit_codes import BAD_USAGE, DONE, FAILED
from controller.page.library import Library
from controller.page.report import html_report, markdown_report
from tests.commands import command
from tests.controlled_world import controlled_world, todays_clock
from tests.page_desk import EVIL, FUJI, MAINNET, NOW, QUICK, build, filled, open_run, record_of

AT = datetime.fromtimestamp(NOW, UTC)


async def test_html_needs_nothing_beside_it() -> None:
    """Are matrix, open runs and builds there, without a link, a script or a file of another?"""
    text = await html_report(Library(await filled()), AT)
    for part in (FUJI, MAINNET, QUICK, "about <strong>", "1.13.23", build(12)[7:19]):
        assert part in text
    assert text.count("<svg") == text.count('class="median"') == 3, "a plot a target"
    for part in ("<script", "<link", "<a ", "src=", "url(", "@import"):
        assert part not in text


async def test_markdown_has_the_same() -> None:
    """Are targets and builds tables in Markdown, each row as wide as its heading?"""
    text = await markdown_report(Library(await filled()), AT)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows[:5]} == {7}
    assert {row.count("|") for row in rows[5:]} == {7}
    assert all("▇█" in row or "▆▇" in row or "██" in row for row in rows[2:5]), "bars of passes"
    assert "1.14.2, Bootstrapping, about 2h33m left" in text


@pytest.mark.parametrize("write", [html_report, markdown_report])
async def test_what_others_write_is_no_markup(write: object) -> None:
    """Is a message shown as text in both?"""
    source = await filled(runs=1)
    source.put(record_of(FUJI, EVIL + "[x](http://x)|", open_run()), FUJI, "Held")
    text = await write(Library(source), AT)  # type: ignore[operator]
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "[x](http" not in text or write is html_report


@pytest.mark.jumping
async def test_a_report_of_a_cluster(tmp_path: Path) -> None:
    """Does the command write what the records tell, and say that there was no store?"""
    async with controlled_world(tmp_path, clock=todays_clock()) as world:
        world.deploy("fuji")
        world.start()
        await world.passes("fuji")
        cluster = ("--kubeconfig", str(world.kubeconfig))
        for name in ("report.html", "report.md"):
            done = await command("report", "--output", str(tmp_path / name), *cluster)
            assert (done.code, done.out) == (DONE, "")
            assert "no store is named" in done.err
            text = (tmp_path / name).read_text()
            assert "fuji-c-chain-state-sync" in text
            assert "✓" in text
        wrong = await command("report", "--output", "report.pdf", *cluster)
        assert (wrong.code, ".html or .md" in wrong.err) == (BAD_USAGE, True)
        full = await command("report", "--output", f"{tmp_path}/none/report.md", *cluster)
        assert (full.code, len(full.err.splitlines())) == (FAILED, 2)
