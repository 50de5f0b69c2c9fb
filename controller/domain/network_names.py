"""The names of networks as avalanchego says and reads them [97]."""

# Of `utils/constants/network_ids.go`, those of networks of the past too. All others are
# `network-N`; `testnet` is read and never said.
_NUMBERS = {
    "mainnet": 1,
    "cascade": 2,
    "denali": 3,
    "everest": 4,
    "fuji": 5,
    "testnet": 5,
    "testing": 10,
    "local": 12345,
}
_PREFIX = "network-"
_DIGITS = 10  # of the greatest number, which has 32 bits


def same_network(said: str, target: str) -> bool | None:
    """Whether a node that says this name of its network is on the target's; None where that cannot
    be known, since it says none, or one that leads to no number.
    """
    if said == target and said:
        return True
    of_node, of_target = _number(said), _number(target)
    return None if of_node is None or of_target is None else of_node == of_target


def _number(name: str) -> int | None:
    name = name.strip().lower()
    digits = name.removeprefix(_PREFIX)
    if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS:
        return int(digits)
    return _NUMBERS.get(name)
