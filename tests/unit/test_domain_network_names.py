"""Names of networks: when a node and a target mean the same one."""

import pytest

from controller.domain.network_names import same_network


@pytest.mark.parametrize(
    ("said", "target", "same"),
    [
        ("mainnet", "mainnet", True),
        ("fuji", "fuji", True),
        ("local", "local", True),
        ("network-88888", "network-88888", True),
        ("network-1", "mainnet", True),
        ("88888", "network-88888", True),
        ("network-0088888", "network-88888", True),
        ("testnet", "fuji", True),
        ("Fuji", "fuji", True),
        ("cascade", "network-2", True),
        ("testing", "network-10", True),
        ("fuji", "mainnet", False),
        ("mainnet", "fuji", False),
        ("network-88888", "mainnet", False),
        ("network-88888", "network-88889", False),
        ("cascade", "network-3", False),
        ("", "mainnet", None),
        ("", "", None),
        ("songbird", "network-88888", None),  # a name of later than this list
        ("network-", "mainnet", None),
        ("network-99999999999", "mainnet", None),
        ("network-\u0661", "mainnet", None),  # a digit of another script
    ],
)
def test_same_network(said: str, target: str, same: bool | None) -> None:
    """Is a node on the target's network, on another, or is that not known?"""
    assert same_network(said, target) is same
