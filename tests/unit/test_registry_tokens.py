"""Bearer tokens: what an answer means, and how long a token is used."""

import pytest

from controller.registry.tokens import Token, TokenCache, parse_token
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("body", "lifetime"),
    [
        (b'{"token":"t","expires_in":300}', 300.0),
        (b'{"access_token":"t","expires_in":120}', 120.0),
        (b'{"token":"t"}', 60.0),
        (b'{"token":"t","expires_in":0}', 60.0),
        (b'{"token":"t","expires_in":-5}', 60.0),
        (b'{"token":"t","expires_in":null}', 60.0),
        (b'{"token":"t","expires_in":"90"}', 90.0),
        (b'{"token":"t","expires_in":1e30}', 3600.0),
        (b'{"token":"t","expires_in":300,"issued_at":"1999-01-01T00:00:00Z"}', 300.0),
    ],
)
def test_lifetime(body: bytes, lifetime: float) -> None:
    """How long is a token good for, by what its server says and leaves out?"""
    assert parse_token(body) == Token("t", lifetime)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"token":""}',
        b'{"token":5,"expires_in":[]}',
        b'{"token":"a\\r\\nX-Injected: 1"}',
        b'{"token":"a b"}',
        b'{"token":"\xff"}',
        b'{"token":"t","expires_in":"soon"}',
        b'{"token":"t","x":' + b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_no_token(body: bytes) -> None:
    """Is an answer without a token that fits into a header refused?"""
    assert parse_token(body) is None


def test_secret_is_not_shown() -> None:
    """Does a token's repr, which ends up in traces, keep the secret?"""
    assert "hush" not in repr(Token("hush", 60.0))


async def test_expires_with_a_margin() -> None:
    """Is a token given out until ten seconds before its end, and not after?"""
    clock = FakeClock()
    cache = TokenCache(clock)
    cache.put("key", Token("t", 300.0), clock.monotonic())

    await clock.advance(289.0)
    assert cache.get("key") == Token("t", 300.0)
    await clock.advance(1.0)
    assert cache.get("key") is None


async def test_wall_clock_does_not_matter() -> None:
    """Does a token survive a jump of the wall clock, and expire in spite of one?"""
    clock = FakeClock()
    cache = TokenCache(clock)
    cache.put("key", Token("t", 60.0), clock.monotonic())

    clock.jump(86400.0)
    assert cache.get("key") is not None
    clock.jump(-2 * 86400.0)
    await clock.advance(60.0)
    assert cache.get("key") is None


async def test_short_lives_are_of_use() -> None:
    """Is a token of less than the margin used for half of its life, instead of never?"""
    clock = FakeClock()
    cache = TokenCache(clock)
    cache.put("key", Token("t", 8.0), clock.monotonic())

    await clock.advance(3.9)
    assert cache.get("key") is not None
    await clock.advance(0.1)
    assert cache.get("key") is None


def test_dropped() -> None:
    """Is a dropped token gone, and dropping it again no error?"""
    clock = FakeClock()
    cache = TokenCache(clock)
    cache.put("key", Token("t", 60.0), clock.monotonic())
    cache.drop("key")
    cache.drop("key")

    assert cache.get("key") is None


async def test_what_is_old_is_not_kept() -> None:
    """Three hundred repositories that nobody asks for again: are their tokens kept?"""
    clock = FakeClock()
    cache = TokenCache(clock)
    for number in range(300):
        cache.put(number, Token("t", 60.0), clock.monotonic())
        await clock.advance(1.0)
    assert len(cache) <= 51  # those that are still of use, and the last
    assert cache.get(299) is not None
