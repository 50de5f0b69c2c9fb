"""open_store: which URLs open what, and what is said of the others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from store import MemoryStore, StateStore, StoreMisused, is_memory, open_store
from store.redis.store import RedisStore
from tests.redis_servers import redis_server


async def refusal(url: str, **options: object) -> str:
    """The sentence that a URL is refused with."""
    with pytest.raises(StoreMisused) as caught:
        await open_store(url, **options)  # type: ignore[arg-type]
    assert caught.value.__cause__ is None
    return str(caught.value)


async def test_memory() -> None:
    """Does memory:// open a store of this process?"""
    assert isinstance(await open_store("memory://"), MemoryStore)


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("memory://", True),
        ("Memory://", True),
        ("redis://memory:6379/0", False),
        ("memory", False),
        ("memoryd://h", False),
    ],
)
def test_the_memory_store_is_known_by_its_scheme(url: str, is_one: bool) -> None:
    """Does every spelling that opens a store of this process count as one, and nothing else?"""
    assert is_memory(url) is is_one


@pytest.mark.parametrize("url", ["memory://x", "memory:///", "memory://?db=1"])
async def test_memory_stands_alone(url: str) -> None:
    """Is anything after memory:// refused?"""
    assert "stands alone" in await refusal(url)


async def test_memory_takes_no_password() -> None:
    """Is a password refused where the URL of its server was forgotten?"""
    assert "takes no password" in await refusal("memory://", password="x")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://db.example", "redis at redis://db.example:6379"),
        ("redis://db.example:7000/3", "redis at redis://db.example:7000"),
        ("REDIS://db.example/", "redis at redis://db.example:6379"),
        ("redis://[::1]:7000", "redis at redis://[::1]:7000"),
        ("redis://anna:secret@db.example", "redis at redis://db.example:6379"),
        ("redis://:secret@db.example?db=3&protocol=3", "redis at redis://db.example:6379"),
        ("rediss://db.example?ssl_ca_certs=/ca.pem", "redis at rediss://db.example:6379"),
        ("unix:///run/redis.sock?db=1", "redis at unix:///run/redis.sock"),
        ("unix://anna:secret@/run/redis.sock", "redis at unix:///run/redis.sock"),
        (
            "redis+sentinel://anna:secret@a.example,b.example:7000,[::1]/mymaster/3",
            "redis at redis+sentinel://a.example:26379,b.example:7000,[::1]:26379/mymaster",
        ),
        (
            "rediss+sentinel://a.example/mymaster?ssl_ca_certs=/ca.pem",
            "redis at rediss+sentinel://a.example:26379/mymaster",
        ),
    ],
)
async def test_redis_is_opened_without_a_server(url: str, place: str) -> None:
    """Does each form open, with no server there, and show where it leads without the password?"""
    store = await open_store(url)
    assert isinstance(store, RedisStore)
    assert repr(store) == f"RedisStore({place!r})"
    await store.close()


@pytest.mark.parametrize(
    ("url", "sign"),
    [
        ("", "starts with memory://, redis://, rediss://, redis+sentinel://"),
        ("redis", "starts with memory://"),
        ("localhost:6379", "starts with memory://"),
        ("http://db.example", "not 'http'"),
        ("redis+sentinel://db.example", "what the sentinels call the primary"),
        ("redis+sentinel://db.example/my master", "what the sentinels call the primary"),
        ("redis+sentinel://db.example/mymaster/main", "number of a database"),
        ("redis+sentinel://db.example:1,:2/mymaster", "joined by commas"),
        ("redis+sentinel://db.example:1:2/mymaster", "joined by commas"),
        ("redis+sentinel://db.example:99999/mymaster", "joined by commas"),
        ("redis+sentinel:///mymaster", "joined by commas"),
        ("redis+cluster://db.example", "Redis Cluster is not supported, because"),
        ("rediss+cluster://db.example", "Redis Cluster is not supported, because"),
        ("redis://", "names no host"),
        ("redis:///0", "names no host"),
        ("redis:db.example", "starts with memory://"),
        ("memory:", "starts with memory://"),
        ("redis://db.example/main", "number of a database"),
        ("redis://db.example/-1", "number of a database"),
        ("redis://db.example/0/1", "number of a database"),
        ("redis://db.example/1?db=2", "twice"),
        ("redis://db.example?db=main", "db is a number"),
        ("redis://db.example?db=1&db=2", "twice"),
        ("redis://db.example?protocol=4", "protocol 2 or 3"),
        ("redis://db.example?socket_timeout=9", "does not know"),
        ("redis://db.example?ssl_ca_certs=/ca.pem", "does not know"),
        ("rediss://db.example?ssl_cert_reqs=none", "does not know"),
        ("redis://db.example:port", "cannot be read"),
        ("redis://db.example:99999", "cannot be read"),
        ("redis://[::1", "cannot be read"),
        ("redis://db.example/0#x", "cannot be read"),
        ("unix://run/redis.sock", "three slashes"),
        ("unix://", "three slashes"),
    ],
)
async def test_what_cannot_be_opened(url: str, sign: str) -> None:
    """Is each URL that leads nowhere refused at once, with a sentence that says what to write?"""
    assert sign in await refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://anna:sesame@open:sesame@db.example",
        "redis://anna:ses/ame@db.example",
        "redis://anna:12#sesame@db.example",
        "redis://anna:sesame?@db.example",
        "redis://anna:sesame@db.example/main",
        "redis://anna:sesame@db.example?password=sesame",
        "redis://anna:sesame@db.example:sesame",
        "redis+sentinel://anna:sesame@db.example:sesame/mymaster",
        "redis+sentinel://anna:ses/ame@db.example/mymaster",
        "redis+sentinel://anna:sesame@db.example/",
        "other://sesame",
        "sesame",
    ],
)
async def test_refusals_do_not_tell_the_password(url: str) -> None:
    """Is nothing of a URL told that may be a password in the wrong place?"""
    misused: StoreMisused | None = None
    text = ""
    try:
        store = await open_store(url)
        text = repr(store)
        await store.close()
    except StoreMisused as exc:
        misused = exc
    if misused:
        text = f"{misused} {misused.__context__} {misused.__cause__}"
    assert "sesame" not in text
    assert "ses/" not in text
    assert "ame" not in text.replace("name", "")


async def test_password_twice_is_refused() -> None:
    """Is it refused to give one password in the URL and another beside it?"""
    assert "twice" in await refusal("redis://:one@db.example", password="two")


@pytest.mark.parametrize("prefix", ["", "with space", "star*", "x" * 65])
async def test_unusable_prefix_is_refused(prefix: str) -> None:
    """Is a prefix refused that would have to be quoted in redis-cli?"""
    assert "prefix" in await refusal("redis://db.example", prefix=prefix)


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), float("inf")])
async def test_unusable_timeout_is_refused(timeout: float) -> None:
    """Is a time limit refused that is none?"""
    assert "timeout" in await refusal("redis://db.example", timeout=timeout)


async def test_prefix_and_database_keep_stores_apart(tmp_path: Path) -> None:
    """Do stores of two prefixes, and of two databases, know nothing of each other?"""
    with redis_server(tmp_path) as server:
        base = f"redis://127.0.0.1:{server.port}"
        stores = [
            await open_store(f"{base}/1", prefix="a"),
            await open_store(f"{base}/1", prefix="b"),
            await open_store(f"{base}?db=2", prefix="a"),
            await open_store(f"unix://{server.socket_path}?db=3", prefix="a"),
        ]
        for number, store in enumerate(stores):
            await store.put_run("t", "r", {"n": str(number)})
        for number, store in enumerate(stores):
            assert await store.run("t", "r") == {"n": str(number)}
            await store.close()


TOY = """
from store import MemoryStore

def at_once(url, *, prefix, password, timeout):
    assert (url, prefix, password, timeout) == ("toy://box", "p", "pw", 2.0)
    return MemoryStore()

async def later(url, **options):
    return at_once(url, **options)

def nothing(url, **options):
    return None
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a package that declares the store toy:// with one of the functions of TOY."""

    def install(function: str) -> None:
        (tmp_path / "toy_store.py").write_text(TOY)
        metadata = tmp_path / "toy_store-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-store\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(
            f"[bootstrap_controller.stores]\ntoy = toy_store:{function}\n"
        )
        monkeypatch.syspath_prepend(tmp_path)

    return install


@pytest.mark.parametrize("function", ["at_once", "later"])
async def test_declared_store(installed: Callable[[str], None], function: str) -> None:
    """Is a store that a package declares opened by its scheme, with all that was asked for?"""
    installed(function)
    store = await open_store("toy://box", prefix="p", password="pw", timeout=2.0)
    assert isinstance(store, StateStore)


async def test_declared_store_is_listed(installed: Callable[[str], None]) -> None:
    """Does the list of what can be written name the declared stores too?"""
    installed("at_once")
    assert "unix://, or toy://" in await refusal("box://toy")


@pytest.mark.parametrize(
    ("function", "sign"), [("nothing", "not a StateStore"), ("missing", "cannot be loaded")]
)
async def test_declared_store_that_is_none(
    installed: Callable[[str], None], function: str, sign: str
) -> None:
    """Is a package told that declares something else?"""
    installed(function)
    with pytest.raises(StoreMisused, match=sign):
        await open_store("toy://box")
