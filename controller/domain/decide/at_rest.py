"""Whether nothing could begin here, whatever is claimed."""

from dataclasses import replace

from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Leave, Observation


def rests(o: Observation) -> bool:
    """Whether a Deployment without an open run, and without a claim that waits for its pin, would
    be left as it is even if none of its builds were claimed and it had leave to start: then no
    claim makes a difference, for a claim only ever keeps a build from being tested.

    o: without claims.

    Six Deployments at rest, for an hour: 24 commands to the store for each where it is asked at
    every resync, none so (python -m tests.bench --only writes --quick).
    """
    decision = decide(replace(o, leave=Leave(True)))
    return decision.write is None and not decision.effects
