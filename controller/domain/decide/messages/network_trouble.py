"""Why trouble is said to be the network's."""

from collections.abc import Sequence


def others_too(network: str, names: Sequence[str], more: int, *, same_build: bool) -> str:
    """names: of the Deployments that show the same. more: how many are not named."""
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    build = ", all with this build" if same_build else ""
    return f"{network} is in trouble, {listed} shows the same now{build}"


def passed_before(run: str) -> str:
    return (
        f"this build passed here before (run {run}), so it is the network's trouble, or of what"
        " has changed since"
    )
