"""The stages of a bootstrap, as avalanchego's metrics count them [108-110].

A counter's key is `<chain>/<stage>`, such as `C/executed`.
"""

FETCHED = "fetched"
EXECUTED = "executed"
SAE_EXECUTED = "sae-executed"  # blocks that were accepted before, and are executed behind [110]
VERTICES_FETCHED = "vertices-fetched"
VERTICES_EXECUTED = "vertices-executed"
STATE_SYNCED = "state-synced"
ATOMIC_SYNCED = "atomic-synced"
CODE_SYNCED = "code-synced"
BLOCKS_SYNCED = "blocks-synced"

# In the order of the work: of stages that move at one time, the last says best how far a node is.
STAGES = (
    VERTICES_FETCHED,
    FETCHED,
    VERTICES_EXECUTED,
    EXECUTED,
    SAE_EXECUTED,
    BLOCKS_SYNCED,
    CODE_SYNCED,
    ATOMIC_SYNCED,
    STATE_SYNCED,
)
CHAINS = ("P", "X", "C")  # the primary network's, in the order of their bootstraps


def of_bootstrap(key: str) -> bool:
    """Whether the counter ends with the bootstrap: its seconds are then part of how long that took.
    SAE executes new blocks for ever.
    """
    return not key.endswith(f"/{SAE_EXECUTED}")
