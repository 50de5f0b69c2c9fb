"""Bodies of transitions that another hand wrote, or that were cut."""

from math import inf

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.engine.probing.earlier_runs import passed_runs
from controller.engine.telling.history_body import body_of
from store import MemoryStore
from store.api import Transition

TARGET = "fuji-c-chain-state-sync"
RUN = "20261123t060000z-aaaaaaaa"
UNREADABLE = (b"", b"{", b"\xff\xfe", b"null", b"7", b'"text"', b"[1]", b"[" * 5000)


def line(identity: str, body: bytes, at: float = 5.0) -> Transition:
    return Transition(identity, TARGET, at, body)


@pytest.mark.parametrize("body", UNREADABLE)
def test_nothing_of_what_is_no_object(body: bytes) -> None:
    """Is a body that cannot be read, or is no object, one that says nothing?"""
    assert body_of(line("a", body)) == {}


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    """Whatever is there, does the decoder answer?"""
    assert all(isinstance(text, str) for text in body_of(line("a", body)).values())


def test_only_text_is_told() -> None:
    """Are fields of another type left out, and the others told?"""
    body = {"run": RUN, "phase": ["Passed"], "reason": None, "message": {"a": 1}, "build": 7}
    assert body_of(line("a", orjson.dumps(body))) == {"run": RUN}


async def test_earlier_runs_without_the_unreadable() -> None:
    """Does a run that is compared still find the earlier ones, beside lines and fields that nobody
    can read?
    """
    store = MemoryStore()
    good = {"run": RUN, "phase": "Passed"}
    odd = [{"run": 7, "phase": "Passed"}, {"run": ["a"], "phase": {"a": 1}}, {"phase": "Passed"}]
    bodies = [*UNREADABLE, *map(orjson.dumps, odd), orjson.dumps(good)]
    await store.append([line(str(number), body) for number, body in enumerate(bodies)])
    await store.put_run(TARGET, RUN, {"took": "inf", "resumes": "nan", "progress": "{"})
    [past] = await passed_runs(store, TARGET, before="20261124t060000z-bbbbbbbb")
    assert (past.run, past.seconds, past.resumes, past.stages) == (RUN, 0.0, 0, {})


async def test_earlier_runs_without_a_time() -> None:
    """Is a run left out whose line stands at no time, as only another hand can place it?"""

    class Odd(MemoryStore):
        async def history(
            self, target: str | None = None, *, limit: int = 100, before: float | None = None
        ) -> list[Transition]:
            body = orjson.dumps({"run": RUN, "phase": "Passed"})
            return [line("a", body, at=inf)]

    store = Odd()
    await store.put_run(TARGET, RUN, {"took": "60"})
    assert await passed_runs(store, TARGET, before="20261124t060000z-bbbbbbbb") == ()
