"""What is printed of a panic that nobody catches [scene panic]: avalanchego's line has the stack as
a field, and Go's own text follows it.
"""

from collections.abc import Iterator
from typing import NamedTuple

PANIC = "index out of range"

_LIBRARY = "github.com/ava-labs/avalanchego/"


class _Frame(NamedTuple):
    package: str  # below the library; with a dot in the first part it is Go's own
    function: str
    file: str  # with its line
    arguments: int  # how many it is printed with

    @property
    def called(self) -> str:
        return f"{_LIBRARY}{self.package}.{self.function}"

    @property
    def place(self) -> str:
        return f"{_LIBRARY}{self.package.rpartition('/')[0]}/{self.file}"


_CORETH = "graft/coreth/"
# Innermost first.
_FRAMES = (
    _Frame(f"{_CORETH}core", "(*StateProcessor).Process", "core/state_processor.go:121", 7),
    _Frame(f"{_CORETH}core", "(*BlockChain).insertBlock", "core/blockchain.go:1410", 3),
    _Frame(f"{_CORETH}core", "(*BlockChain).InsertBlockManual", "core/blockchain.go:1341", 3),
    _Frame(f"{_CORETH}plugin/evm", "(*wrappedBlock).verify", "evm/wrapped_block.go:277", 3),
    _Frame(f"{_CORETH}plugin/evm", "(*wrappedBlock).Verify", "evm/wrapped_block.go:212", 3),
    _Frame("vms/components/chain", "(*BlockWrapper).Verify", "chain/block.go:36", 3),
    _Frame("vms/transitionvm", "(*block).Verify.func1", "transitionvm/vm_block.go:62", 0),
    _Frame("vms/transitionvm", "(*VM).withLocks.func1", "transitionvm/vm.go:331", 0),
    _Frame("vms/transitionvm", "withLocks[...]", "transitionvm/vm.go:342", 2),
    _Frame("vms/transitionvm", "(*VM).withLocks", "transitionvm/vm.go:330", 2),
    _Frame("vms/transitionvm", "(*block).Verify", "transitionvm/vm_block.go:58", 3),
    _Frame("vms/proposervm", "(*VM).verifyAndRecordInnerBlk", "proposervm/vm.go:880", 6),
    _Frame("vms/proposervm", "(*postForkCommonComponents).Verify", "proposervm/block.go:193", 9),
    _Frame(
        "vms/proposervm",
        "(*postForkBlock).verifyPostForkChild",
        "proposervm/post_fork_block.go:137",
        4,
    ),
    _Frame("vms/proposervm", "(*postForkBlock).Verify", "proposervm/post_fork_block.go:88", 3),
    _Frame("snow/engine/snowman/bootstrap", "execute", "bootstrap/storage.go:267", 9),
    _Frame(
        "snow/engine/snowman/bootstrap",
        "(*Bootstrapper).tryStartExecuting",
        "bootstrap/bootstrapper.go:688",
        3,
    ),
    _Frame(
        "snow/engine/snowman/bootstrap",
        "(*Bootstrapper).Ancestors",
        "bootstrap/bootstrapper.go:557",
        9,
    ),
    _Frame("snow/networking/handler", "(*handler).handleSyncMsg", "handler/handler.go:659", 5),
    _Frame("snow/networking/handler", "(*handler).dispatchSync", "handler/handler.go:372", 3),
    _Frame("snow/networking/handler", "(*handler).Start.func1", "handler/handler.go:270", 0),
    _Frame("utils/logging", "(*log).RecoverAndPanic", "logging/log.go:147", 2),
)
_CATCHER = _Frame("utils/logging", "(*log).StopOnPanic", "logging/log.go:139", 1)


def stack() -> str:
    """The field of avalanchego's line: two lines a frame, without arguments."""
    frames = [f"{_CATCHER.called}\n\t{_CATCHER.place}", "runtime.gopanic\n\truntime/panic.go:860"]
    frames += [f"{frame.called}\n\t{frame.place}" for frame in _FRAMES]
    return "\n".join(frames)


def trace() -> str:
    """Go's own text."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield f"panic: {PANIC} [recovered, repanicked]"
    yield ""
    yield "goroutine 687 [running]:"
    yield f"{_CATCHER.called}(0x39ab243d5ce0)"
    yield f"\t{_CATCHER.place.rpartition(':')[0]}:141 +0x218"
    yield "panic({0x1fcfe00?, 0x26d1bb0?})"
    yield "\truntime/panic.go:860 +0x13a"
    for number, frame in enumerate(_FRAMES):
        given = ", ".join(f"0x39ab{number:03x}{place:05x}" for place in range(frame.arguments))
        yield f"{frame.called}({given})"
        yield f"\t{frame.place} +0x{number * 61 + 31:x}"
    last = _FRAMES[-2]
    yield f"created by {last.called.removesuffix('.func1')} in goroutine 416"
    yield f"\t{last.place.rpartition(':')[0]}:289 +0x9f6"
