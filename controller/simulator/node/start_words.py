"""What a node says when it starts, in the order of [scene full]; a line's source is left as it was
recorded.
"""

from typing import Any

from controller.simulator.node.chain_calls import NODE_ID
from controller.simulator.node.health import APPLICATION, PRIMARY
from controller.simulator.node.log import Field, NodeLog, Took
from controller.simulator.node.settings import NodeSettings, Version

_CHAINS = {
    "P": PRIMARY,
    "X": "JS5LwL96wTwt9dNRnFwUDiJT5m16gpY3xEGuy4zHuyMN37V9J",
    "C": "25AwCNJiuhjZ3ZVL4zGFVAULUqXiyBM8qgiRr92GxT2agnGfYm",
}
_VMS = {
    "P": "rWhpuQPF1kb72esV2momhMuTYGkEb1oL29pt2EBXWmSy4kxnT",
    "X": "jvYyfQTxGMJLuGWa55kdP2p2zSUYsQ5Raupu4TW34ZAUBAbtq",
    "C": "mgj786NP7uDwBCcq6YwThhaN8FLyybkCa4zBWTQbNgmK6k9A6",
}
_ENDPOINTS = {
    "P": ("", "/proposervm"),
    "X": ("", "/wallet"),
    "C": ("/rpc", "/ws", "/avax", "/proposervm"),
}
_GENESIS = "21QsxHKTBAHYauRUZ8iTWajwk2MPiS4K25TaSRWz5TmWSDcmNv"
_BLOCK = "2KWgGayurA5bu3xt774uQMS42VUcoLb6VhiTWJ9QRi5inNoQwA"
_FIRST_CHECKS = ("network", "router", "database", "diskspace", "bls", "futureupgrade")


def starting(log: NodeLog, settings: NodeSettings, version: Version, last: str = "") -> None:
    """Up to the database. last: message of the line to stop after."""
    for caller, message, fields in _beginning(settings, version):
        log.write("INFO", caller, message, *fields)
        if message == last:
            return


def _beginning(
    settings: NodeSettings, version: Version
) -> list[tuple[str, str, tuple[Field, ...]]]:
    identity: tuple[Field, ...] = (
        ("version", f"avalanchego/{version.version}"),
        ("commit", version.commit),
        ("nodeID", NODE_ID),
        ("stakingKeyType", "ECDSA"),
        ("nodePOP", {"publicKey": "0xa251", "proofOfPossession": "0xb018"}),
        ("providedFlags", {}),
        ("config", {"networkID": settings.network_id}),
    )
    return [
        ("node/node.go:160", "initializing node", identity),
        ("node/node.go:934", "initializing NAT", ()),
        ("node/node.go:952", "initializing API server", ()),
        ("server/server.go:133", "API created", (("allowedOrigins", ["*"]),)),
        ("node/node.go:1323", "initializing metrics API", ()),
        ("server/server.go:245", "adding route", (("url", "/ext/metrics"), ("endpoint", ""))),
        ("leveldb/db.go:205", "creating leveldb", (("config", {"blockCacheCapacity": 12582912}),)),
        ("node/node.go:832", "initializing database", (("genesisHash", _GENESIS),)),
    ]


def opened(log: NodeLog, *, clean: bool) -> None:
    """The database is open. clean: its last user closed it."""
    if not clean:
        log.write("WARN", "node/node.go:842", "detected previous ungraceful shutdown")
    log.write("INFO", "node/node.go:1290", "initializing SharedMemory")
    log.write("INFO", "node/node.go:519", "initializing networking", ("ip", "127.0.0.1:9651"))
    log.write("INFO", "node/node.go:1454", "initializing Health API")
    for name in _FIRST_CHECKS:
        registered(log, "health", name)
    for endpoint in ("", "/readiness", "/health", "/liveness"):
        _route(log, "/ext/health", endpoint)
    for caller, message in (
        ("node/node.go:1044", "adding the default VM aliases"),
        ("node/node.go:1188", "initializing VMs"),
        ("cchain/factory.go:22", "Creating new C-Chain SAE VM"),
        (
            "node/node.go:1339",
            "skipping admin API initialization because it has been disabled",
        ),
        ("node/node.go:1396", "initializing info API"),
    ):
        log.write("INFO", caller, message)
    _route(log, "/ext/info", "")
    for caller, message in (
        ("node/node.go:1690", "initializing chain aliases"),
        ("node/node.go:1717", "initializing API aliases"),
        ("node/node.go:1369", "skipping profiler initialization because it has been disabled"),
        ("node/node.go:910", "initializing chains"),
    ):
        log.write("INFO", caller, message)


def listening(log: NodeLog, settings: NodeSettings, port: int) -> None:
    """port: where it listens, if it was told any."""
    for worker in ("readiness", "health"):
        registered(log, worker, "bootstrapped")
    log.write("INFO", "chains/manager.go:1528", "starting chain creator")
    path = f"{settings.data_dir}/process.json"
    log.write("INFO", "node/node.go:650", "writing process context", ("path", path))
    uri = f"http://{settings.http_host or '[::]'}:{port}"
    log.write("INFO", "node/node.go:677", "API server listening", ("uri", uri))


def registered(log: NodeLog, worker: str, name: str, tag: str = APPLICATION) -> None:
    log.write(
        "INFO",
        "health/worker.go:115",
        "registered new check and initialized its state to failing",
        ("name", worker),
        ("name", name),
        ("tags", [tag]),
    )


def creating(log: NodeLog, chain: str) -> None:
    """A chain that is about to be made."""
    log.write("INFO", "chains/manager.go:379", "creating chain", *identity(chain))


def identity(chain: str) -> tuple[Field, ...]:
    """What a line calls it by."""
    return ("subnetID", PRIMARY), ("chainID", _CHAINS[chain]), ("vmID", _VMS[chain])


def created(log: NodeLog, chain: str, version: Version) -> None:
    """The rest of its making, up to its bootstrap."""

    def say(caller: str, message: str, *fields: Field) -> None:
        log.write("INFO", caller, message, *fields, chain=chain)

    wrapper: dict[str, Any] = {
        "activationTime": "2020-12-05T05:00:00.000Z",
        "minPChainHeight": 0,
        "minBlockDelay": 0 if chain == "C" else 1_000_000_000,
        "numHistoricalBlocks": 0,
    }
    if chain == "C":
        say("cchain/factory.go:22", "Creating new C-Chain SAE VM")
        say("transitionvm/vm.go:114", "checking for transition marker")
        say("transitionvm/vm.go:129", "initializing pre-transition VM")
        _coreth(log, version)
    log.write("INFO", "chains/manager.go:1185", "creating proposervm wrapper", *wrapper.items())
    if chain == "P":
        say("platformvm/vm.go:112", "using VM execution config", ("config", {}))
        say("platformvm/vm.go:229", "initializing last accepted", ("blkID", _BLOCK))
    if chain == "X":
        say("avm/vm.go:153", "VM config initialized", ("config", {}))
        say("avm/vm.go:540", "initializing genesis asset", ("txID", _BLOCK))
        say("avm/vm.go:523", "fee asset is established", ("alias", "AVAX"), ("assetID", _BLOCK))
    say("proposervm/vm.go:213", "initialized proposervm", ("state", "before fork"))
    say("snowman/engine.go:99", "initializing consensus engine")
    if chain == "P":
        say("state/state.go:3381", "starting block reindexing")
        fields = (("numIndicesUpdated", 0), ("numIndicesChecked", 1), ("duration", Took(250e-6)))
        say("state/state.go:3486", "finished block reindexing", *fields)
    registered(log, "health", chain, PRIMARY)
    for endpoint in _ENDPOINTS[chain]:
        _route(log, f"/ext/bc/{_CHAINS[chain]}", endpoint, "server/server.go:216")
    if chain == "X":
        say("bootstrap/bootstrapper.go:322", "starting bootstrap")
        say("bootstrap/bootstrapper.go:385", "generated stop vertex", ("vtxID", _BLOCK))
        for caller, message in (
            ("bootstrap/bootstrapper.go:602", "executing transactions"),
            ("bootstrap/bootstrapper.go:614", "executing vertices"),
        ):
            say(caller, message)
            say("queue/jobs.go:223", "executed operations", ("numExecuted", 0))


def _coreth(log: NodeLog, version: Version) -> None:
    """C's own lines, which are never JSON; of some eighty the telling ones."""
    log.vm(
        "plugin/evm/vm.go:299",
        "Initializing Coreth VM",
        f'Version=v{version.version} "libevm version"=1.13.14-0.4.0.beta',
    )
    log.vm("plugin/evm/vm.go:339", "read last accepted", "hash=17a701..c84c6f height=0")
    log.vm("eth/backend.go:198", "Initialising Ethereum protocol", "network=43112 dbversion=<nil>")
    log.vm("core/blockchain.go:412", "Chain ID:  43112 (unknown)")
    log.vm(
        "core/blockchain.go:756",
        "Loaded most recent local full block",
        "number=0 hash=17a701..c84c6f age=6y3w1d",
    )
    log.vm("core/blockchain.go:605", "Starting Acceptor", '"queue length"=64')
    log.vm("plugin/evm/atomic/state/atomic_backend.go:86", "initializing atomic trie")
    log.vm("plugin/evm/atomic/vm/vm.go:352", "AVAX API enabled")


def _route(log: NodeLog, url: str, endpoint: str, caller: str = "server/server.go:245") -> None:
    log.write("INFO", caller, "adding route", ("url", url), ("endpoint", endpoint))
