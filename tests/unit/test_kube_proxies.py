"""Which proxy of the environment leads to the API server."""

import pytest

from controller.kube.login.proxies import proxy_for

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("https://10.0.0.1:443", "", PROXY),
        ("https://10.0.0.1:443", "10.0.0.0/8", None),
        ("https://10.0.0.1:443", "192.168.0.0/16, 10.0.0.1", None),
        ("https://10.0.0.1:443", "example.com,nonsense/99", PROXY),
        ("https://[fd00::1]:443", "fd00::/8", None),
        ("https://api.example.com", "example.com", None),
        ("https://api.example.com", ".example.com", None),
        ("https://api.example.com", "*.example.com", None),
        ("https://badexample.com", "example.com", PROXY),
        ("https://api.example.com", "*", None),
        ("https://localhost:6443", "", None),
        ("https://127.0.0.1:6443", "", None),
        ("http://10.0.0.1:8080", "", None),
    ],
)
def test_no_proxy_is_read_as_kubectl_reads_it(
    url: str, no_proxy: str, expected: str | None
) -> None:
    """Names, subdomains, addresses and networks; a proxy for https is none for http."""
    assert proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) == expected


def test_a_proxy_without_a_scheme_is_http() -> None:
    """As people write it."""
    assert proxy_for("https://api.example", {"https_proxy": "proxy:3128"}) == PROXY
