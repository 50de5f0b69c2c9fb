"""The newest blocks of a bootstrapped node's chains, asked of the chains' own APIs.

A chain whose API is not there (404), not open (503 until it has bootstrapped [93]) or answers with
an error has no tip.
"""

from collections.abc import Sequence

from controller.domain.node_http import Tip
from controller.node.further_questions import Questions
from controller.node.numbers import quantity, unix_quantity, unix_rfc3339, whole

C_RPC = "/ext/bc/C/rpc"
P_RPC = "/ext/bc/P"


async def ask_tips(questions: Questions, chains: Sequence[str]) -> dict[str, Tip]:
    """chains: of `C` and `P`, the only ones that are asked."""
    tips = {
        "C": await _c_tip(questions) if "C" in chains else None,
        "P": await _p_tip(questions) if "P" in chains else None,
    }
    return {chain: tip for chain, tip in tips.items() if tip is not None}


async def _c_tip(questions: Questions) -> Tip | None:
    """Of the newest block, which tells its number and its time at once: two questions could be
    answered from two blocks. The number alone is asked for where there is no block.
    """
    block = await questions.call(C_RPC, "eth_getBlockByNumber", ["latest", False])
    if isinstance(block, dict) and (height := quantity(block.get("number"))) is not None:
        return Tip(height, unix_quantity(block.get("timestamp")))
    height = quantity(await questions.call(C_RPC, "eth_blockNumber", []))
    return None if height is None else Tip(height)


async def _p_tip(questions: Questions) -> Tip | None:
    """P has no call that tells both, and its time may move without a block."""
    said = await questions.call(P_RPC, "platform.getHeight")
    height = whole(said.get("height")) if isinstance(said, dict) else None
    if height is None:
        return None
    said = await questions.call(P_RPC, "platform.getTimestamp")
    return Tip(height, unix_rfc3339(said.get("timestamp")) if isinstance(said, dict) else None)
