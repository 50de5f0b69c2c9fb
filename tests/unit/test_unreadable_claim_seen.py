"""A claim that cannot be read, as people meet it: among the builds, and in `doctor`."""

from controller.inspection.doctor.outside_checks import looked_at
from controller.views.build import CLAIMED
from controller.views.known_builds import known_builds
from controller.views.reading import Reading
from store import Claim, MemoryStore

TARGET = "fuji-c-chain-state-sync"
BUILD = "sha256:" + "1a" * 32
WHY = "its claim is not JSON with run and owner, `redis-cli HDEL bootstrap:claims:x y`"


class SpoiltStore(MemoryStore):
    """One claim of it cannot be read."""

    async def claims_of(self, target: str) -> list[Claim]:
        return [Claim(target, BUILD, "", "", WHY)]

    async def unusable(self) -> list[str]:
        return [WHY]


async def test_builds_know_it_as_claimed() -> None:
    """Is its build shown as claimed, and is said why no more is known?"""
    reading = Reading(SpoiltStore(), [])
    known = await known_builds(reading, [TARGET])
    (build,) = await known.views([BUILD])
    assert [(on.target, on.state) for on in build.targets] == [(TARGET, CLAIMED)]
    assert reading.trouble == WHY


async def test_doctor_names_it() -> None:
    """Does `doctor` say where it stands and what to type, in a row of its own?"""
    rows = await looked_at(SpoiltStore(), "redis://r:6379", [])
    assert any(WHY in str(row) and "run the line that it names" in str(row) for row in rows)
