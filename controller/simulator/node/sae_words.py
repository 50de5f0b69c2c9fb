"""What a C that runs as SAE says in its own way [scene sae]: its VM writes JSON."""

from controller.simulator.node.log import Field, NodeLog, Took

_LIBEVM = "github.com/ava-labs/libevm@v1.13.15-0.20260810153857-c1a647408c12"
_BLOCK = "2HJx5iDbFMp5mGFge25TVPqZxw3pFv4qzPqoX4nAv8HsShMZoT"
_DRAINED = 15.0  # seconds that running requests are given


def transition(log: NodeLog) -> None:
    """From the VM before to the one after."""
    at: tuple[Field, ...] = ("blkID", _BLOCK), ("height", 0)
    began: Field = ("timestamp", "2020-12-05T05:00:00.000Z")
    _say(log, "transitionvm/vm.go:186", "transitioning VMs", *at, began)
    _say(log, "transitionvm/vm.go:194", "blocking API requests")
    draining = "draining in-flight API requests to the pre-transition VM"
    _say(log, "transitionvm/vm.go:210", draining, ("timeout", Took(_DRAINED)))
    for line, message in (
        (222, "shutting down pre-transition VM"),
        (235, "writing transition marker"),
        (240, "initializing post-transition VM"),
    ):
        _say(log, f"transitionvm/vm.go:{line}", message)
    _say(log, "cchain/vm.go:111", "initializing C-Chain", ("config", {}))
    for line, message in (
        (260, "copying connections to the post-transition VM"),
        (265, "updating HTTP handlers to route to the post-transition VM"),
        (288, "transition finished successfully"),
        (197, "unblocking API requests"),
    ):
        _say(log, f"transitionvm/vm.go:{line}", message)


def shut_down(log: NodeLog) -> None:
    """Of the VM."""
    pool = f"{_LIBEVM}/core/txpool/legacypool/legacypool.go:410"
    log.vm(pool, "Transaction pool stopped")
    _say(log, "blockdb/database.go:302", "Block database closed successfully")


def _say(log: NodeLog, caller: str, message: str, *fields: Field) -> None:
    log.write("INFO", caller, message, *fields, chain="C")
