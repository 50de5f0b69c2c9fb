"""The plots of durations: on a target's page, and on a run's."""

import pytest

from tests.page_desk import FUJI, MAINNET, OPEN_RUN, filled, get, served


async def test_a_target_shows_its_durations() -> None:
    """Has its page a plot with a mark a run, the median of the passes, and a table of the same?"""
    async with served(await filled()) as url:
        _, page, _ = await get(f"{url}/targets/{FUJI}")
    assert (page.count('class="dot passed"'), page.count('class="dot failed"')) == (19, 3)
    assert page.count('class="median"') == 1
    assert page.count('scope="row"') == 24


@pytest.mark.parametrize(("at", "count"), [(-1, 24), (5, 6)], ids=["the last", "an old one"])
async def test_a_run_shows_its_duration_among_those_before(at: int, count: int) -> None:
    """Is it marked in a plot of the target's runs until then?"""
    source = await filled()
    lines = await source.store.history(MAINNET, limit=100)
    run = sorted(line.id.rpartition(".")[2] for line in lines)[at]
    async with served(source) as url:
        _, page, _ = await get(f"{url}/runs/{MAINNET}/{run}")
    assert page.count('class="dot this"') == 1
    assert page.count('class="dot ') - 1 == count


async def test_an_open_run_is_the_newest_of_its_plot() -> None:
    """Is the time that it has been looked at so far beside the runs before?"""
    async with served(await filled()) as url:
        _, page, _ = await get(f"{url}/runs/{FUJI}/{OPEN_RUN}")
    assert (page.count('class="dot open"'), page.count('class="dot this"')) == (1, 1)
    assert "this one so far 3h48m" in page
