"""What is said of a name that nothing here has: the nearest ones."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from controller.base.text import shown

_OFFERED = 3


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Those of the names that may have been meant, the likeliest first. A name with a slash is also
    known by what follows it.
    """
    spelled: dict[str, str] = {}
    for key in known:
        spelled |= {key: key, key.rpartition("/")[2]: key}
    found = get_close_matches(name, list(spelled), n=2 * _OFFERED)
    return list(dict.fromkeys(spelled[each] for each in found))[:_OFFERED]


def not_here(name: str, keys: Iterable[str]) -> str:
    """Of a Deployment. keys: of those that are labelled."""
    said = f"no labelled Deployment '{shown(name)}' is here"
    near = nearest(name, keys)
    return (
        f"{said}: did you mean {' or '.join(near)}?" if near else f"{said}: see `status`, -n and -A"
    )


def no_run_of(target: str, targets: Sequence[str]) -> str:
    """Of a target, in a sentence. targets: those that are known."""
    said = f"no run of '{shown(target, 80)}' is over, as far as is known"
    near = nearest(target, targets) or list(targets)[:5]
    return f"{said}: there are {', '.join(near)}" if near and target not in targets else said
