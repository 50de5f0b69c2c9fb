"""A Redis as years of work leave it, made in seconds: its own scripts write what the controller
would have written one by one, some 70,000 keys a second.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.asyncio import Redis

from controller.domain.run import new_run_id
from store.limits import HISTORY_BOUND, SEEN_BOUND
from store.redis.keys import RedisKeys, encode_claim

LINES = 10  # transitions of each run: trouble included, for the plain course has five
NEWEST = 1_790_000_000.0  # seconds since 1970, when the last of the runs began
EVERY = 3600.0  # seconds between two runs of one target
_AT_ONCE = 100  # runs that one script writes: some 10 ms of the server's time
_PATIENCE = 60.0  # seconds: a million keys are not forgotten at once

# KEYS history of all, history of the target, its claims, its seen builds
# ARGV prefix, target, Deployment, how many runs of it are in the history of all, then for each run:
#      its id, its build, its claim, when it began, its place among the newest
_WRITE = """
local prefix, target, deployment = ARGV[1], ARGV[2], ARGV[3]
local phases = {'Starting', 'Starting', 'Bootstrapping', 'Bootstrapping', 'Bootstrapping',
                'Bootstrapping', 'Bootstrapping', 'Soaking', 'Soaking', 'Passed'}
for i = 5, #ARGV, 5 do
  local run, build, began = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 3])
  redis.call('HSET', KEYS[3], build, ARGV[i + 2])
  redis.call('ZADD', KEYS[4], began, build)
  redis.call('HSET', prefix .. ':run:' .. target .. ':' .. run, 'phase', 'Passed',
    'reason', 'Soaked', 'build', build, 'digest', build, 'version', 'avalanchego/1.14.' .. i,
    'commit', string.sub(build, 8, 47), 'tags', 'latest', 'deployment', deployment,
    'took', '600', 'observed', '700', 'started', tostring(began + 60), 'ended',
    tostring(began + 900), 'instance_type', 'i4i.xlarge', 'message', 'it bootstrapped')
  for line = 1, #phases do
    local id = string.gsub(deployment, '/', '.') .. '.' .. run .. '.' .. line
    local at = began + line * 90
    local body = '{"at":"2026-11-24T06:04:00+00:00","deployment":"' .. deployment ..
      '","target":"' .. target .. '","run":"' .. run .. '","build":"' .. build ..
      '","before":"' .. phases[math.max(1, line - 1)] .. '","phase":"' .. phases[line] ..
      '","reason":"Soaked","message":"what became of it, in a sentence of usual length"}'
    redis.call('HSET', prefix .. ':transition:' .. id, 'target', target, 'body', body)
    redis.call('ZADD', KEYS[2], at, id)
    if tonumber(ARGV[i + 4]) < tonumber(ARGV[4]) then redis.call('ZADD', KEYS[1], at, id) end
  end
end
return 1
"""


@dataclass(frozen=True)
class Past:
    """What is in the store."""

    targets: tuple[str, ...]
    runs: int  # of each target, each of another build

    @property
    def claims(self) -> int:
        return len(self.targets) * self.runs

    @property
    def transitions(self) -> int:
        return self.claims * LINES

    def build(self, number: int) -> str:
        """0: the newest. Each target tested the same builds."""
        return f"sha256:{hashlib.sha256(b'%d' % number).hexdigest()}"

    def run(self, number: int) -> str:
        return new_run_id(datetime.fromtimestamp(self.began(number), UTC), self.build(number), "")

    def began(self, number: int) -> float:
        """Seconds since 1970."""
        return NEWEST - number * EVERY


async def fill(url: str, past: Past) -> None:
    """An empty Redis afterwards holds the past, within the store's own bounds: a target's history
    ends at 20,000 lines, and so does that of all.
    """
    keys, redis = RedisKeys("bootstrap"), Redis.from_url(url, socket_timeout=_PATIENCE)
    in_all = HISTORY_BOUND // LINES // len(past.targets)
    try:
        for place, target in enumerate(past.targets):
            owner = f"bootstrap/node-{place}"
            places = [keys.history(None), keys.history(target), keys.claims(target),
                      keys.seen(target)]  # fmt: skip
            for some in _parts(range(past.runs)):
                values = list(_values(past, owner, some))
                fixed = (keys.prefix, target, owner, in_all)
                await redis.eval(_WRITE, len(places), *places, *fixed, *values)
            await redis.zremrangebyrank(keys.seen(target), 0, -SEEN_BOUND - 1)
    finally:
        await redis.aclose()


def _parts(numbers: range) -> Iterator[Sequence[int]]:
    for at in range(0, len(numbers), _AT_ONCE):
        yield numbers[at : at + _AT_ONCE]


def _values(past: Past, owner: str, numbers: Sequence[int]) -> Iterator[str | float]:
    for number in numbers:
        run = past.run(number)
        yield from (run, past.build(number), encode_claim(run, owner), past.began(number), number)


async def emptied(url: str) -> None:
    redis = Redis.from_url(url, socket_timeout=_PATIENCE)
    try:
        await redis.flushall()
    finally:
        await redis.aclose()
