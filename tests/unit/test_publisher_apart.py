"""What cannot be used in the store keeps nothing else from it, when a record is published."""

from collections.abc import Sequence
from typing import Any

import pytest

from controller.domain.record.record import SCHEMA, Record, Step
from controller.engine.telling.publisher import Publisher
from store import MemoryStore, StoreItemUnusable, Transition
from tests.machine_objects import deployment

BUILD = "sha256:" + "1a" * 32
TARGET = "fuji-c-chain-state-sync"
RUN = "20261123t060000z-1a1a1a1a"


class Ear:
    """A sink that remembers the ids of what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def tell(self, notice: Any) -> None:
        self.heard.append(notice.id)


class SpoiltStore(MemoryStore):
    """Some calls meet a key that cannot be used."""

    def __init__(self, *spoilt: str) -> None:
        super().__init__()
        self._spoilt = spoilt

    async def append(self, transitions: Sequence[Transition]) -> None:
        for transition in transitions:
            if transition.id.rpartition(".")[2] in self._spoilt:
                raise StoreItemUnusable(f"key bootstrap:transition:{transition.id} is a string")
        await super().append(transitions)

    async def mirrored(self, deployment: str) -> dict[str, str]:
        if "mirrored" in self._spoilt:
            raise StoreItemUnusable("key bootstrap:deployment is a string")
        return await super().mirrored(deployment)

    async def put_run(self, target: str, run: str, fields: Any) -> None:
        if "run" in self._spoilt:
            raise StoreItemUnusable("key bootstrap:run is a string")
        await super().put_run(target, run, fields)


def record(message: str = "as told") -> Record:
    found = deployment().metadata
    steps = tuple(
        Step(seq=n, before="Idle", phase="Idle", reason="Some", at=1_800_000_000, message=message)
        for n in (1, 2, 3)
    )
    return Record(
        schema=SCHEMA, namespace=found.namespace, name=found.name, uid=found.uid, seq=3, steps=steps
    )


async def test_a_message_of_seventy_kilobytes() -> None:
    """Is a record that somebody gave a message of 70 KB published all the same, cut?"""
    store = MemoryStore()
    await Publisher(store, Ear()).publish(deployment(), record("x" * 70_000), "{}")
    kept = await store.history()
    assert len(kept) == 3
    assert all(4096 < len(each.body) < 5000 for each in kept)


async def test_a_line_that_the_store_does_not_take() -> None:
    """Are the other lines kept, is the copy written, is the error told, and is what failed tried
    again, with nobody told twice?
    """
    store, ear = SpoiltStore("2"), Ear()
    publisher = Publisher(store, ear)
    for _ in range(2):
        with pytest.raises(StoreItemUnusable, match=r"bootstrap:transition:.*\.2 is a string"):
            await publisher.publish(deployment(), record(), "{}")
        assert [each.id[-1] for each in await store.history()] == ["3", "1"]
        assert (await store.mirrored(record().key))["seq"] == "3"
        assert len(ear.heard) == 3


async def test_a_copy_that_cannot_be_read() -> None:
    """Is everything told and kept where the copy of the record cannot be asked how far it was?"""
    store, ear = SpoiltStore("mirrored"), Ear()
    await Publisher(store, ear).publish(deployment(), record(), "{}")
    assert len(ear.heard) == len(await store.history()) == 3


@pytest.mark.parametrize("told", ["²", "-1", "9" * 5000, "", "1.5"])
async def test_a_copy_whose_numbers_are_none(told: str) -> None:
    """Is a copy with a number that is none no mistake of this program?"""
    store, ear = MemoryStore(), Ear()
    await store.mirror(record().key, {"seq": "3", "told": told})
    await Publisher(store, ear).publish(deployment(), record(), "{}")
    assert len(await store.history()) in (0, 3)
