"""Examples, a few for each command, as its help shows them."""

_EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": ("run -n bootstrap --store redis://redis:6379", "run --dry-run"),
    "monitor": ("monitor --store redis://redis:6379",),
    "status": ("status", "status -A -o wide", "status fuji mainnet -w", "status -o json"),
    "explain": ("explain fuji", "explain bootstrap/fuji -o json"),
    "history": (
        "history --outcomes --limit 20",
        "history --target mainnet-c-chain-state-sync --since 7d",
        "history --version 1.14.1 --outcome failed",
    ),
    "evidence": ("evidence fuji", "evidence RUN", "evidence TARGET/RUN --file - | tar -tv"),
    "diff": ("diff fuji-full-sync/RUN fuji-full-sync/RUN", "diff fuji mainnet"),
    "stats": ("stats mainnet-c-chain-state-sync --last 20",),
    "report": ("report --output report.html", "report --output report.md"),
    "doctor": ("doctor -n bootstrap --store redis://localhost:6379",),
    "preview": ("preview fuji", "preview -f manifest.yaml"),
    "logs": ("logs fuji --tail 50", "logs fuji --previous", "logs fuji -f"),
    "store": ("store gc --dry-run", "store rebuild"),
    "store gc": (
        "store gc --dry-run -o wide --store redis://localhost:6379",
        "store gc --yes --store redis://localhost:6379",
    ),
    "store rebuild": ("store rebuild --store redis://localhost:6379",),
    "demo": ("demo", "demo --keep"),
    "explain-log": (
        "kubectl logs NAME --previous -c node | bootstrap-controller explain-log",
        "explain-log node.log --exit-code 137 --reason OOMKilled",
    ),
    "suspend": ("suspend fuji", "suspend --all"),
    "resume": ("resume fuji", "resume --all"),
    "retest": ("retest fuji",),
    "abort": ("abort fuji",),
    "end-hold": ("end-hold fuji",),
    "test-build": ("test-build v1.14.1-rc.0 fuji", "test-build --clear fuji"),
}


def examples_of(command: str) -> str:
    """A paragraph for its help, each example on a line; empty where there are none."""
    lines = [
        line if "bootstrap-controller" in line else f"bootstrap-controller {line}"
        for line in _EXAMPLES.get(command, ())
    ]
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)]) if lines else ""
