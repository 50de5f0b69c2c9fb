"""Which proxy of the environment leads to a URL."""

import pytest

from controller.base.proxies import proxy_for

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("https://10.0.0.1:443", "", PROXY),
        ("https://10.0.0.1:443", "10.0.0.0/8", None),
        ("https://10.0.0.1:443", "192.168.0.0/16, 10.0.0.1", None),
        ("https://10.0.0.1:443", "example.com,nonsense/99", PROXY),
        ("https://10.0.0.1:5000", "10.0.0.1:5000", None),
        ("https://10.0.0.1:5001", "10.0.0.1:5000", PROXY),
        ("https://[fd00::1]:443", "fd00::/8", None),
        ("https://[fd00::1]:443", "fd00::1", None),
        ("https://[fd00::1]:443", "[fd00::1]", None),
        ("https://[fd00::1]:5000", "[fd00::1]:5000", None),
        ("https://[fd00::1]:5001", "[fd00::1]:5000", PROXY),
        ("https://api.example.com", "example.com", None),
        ("https://api.example.com", "EXAMPLE.com", None),
        ("https://API.example.com", "example.com", None),
        ("https://api.example.com", ".example.com", None),
        ("https://api.example.com", "*.example.com", None),
        ("https://example.com", "example.com", None),
        ("https://example.com", ".example.com", PROXY),
        ("https://example.com", "*.example.com", PROXY),
        ("https://badexample.com", "example.com", PROXY),
        ("https://api.example.com", "*", None),
        ("https://api.example.com", ",:443, ,api.example", PROXY),
        ("https://api.example.com", "example.com:443", None),
        ("https://api.example.com:5000", "example.com:443", PROXY),
        ("https://localhost:6443", "", None),
        ("https://127.0.0.1:6443", "", None),
        ("http://10.0.0.1:8080", "", None),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(url: str, no_proxy: str, expected: str | None) -> None:
    """Names, subdomains, addresses, networks and ports; a proxy for https is none for http."""
    assert proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) == expected


def test_a_proxy_without_a_scheme_is_http() -> None:
    """As people write it."""
    assert proxy_for("https://api.example", {"https_proxy": "proxy:3128"}) == PROXY


def test_each_scheme_has_its_proxy() -> None:
    """Is a plain URL asked by HTTP_PROXY, and never by that of the other scheme?"""
    environ = {"HTTP_PROXY": "http://one", "HTTPS_PROXY": "http://two"}

    assert proxy_for("http://r.example", environ) == "http://one"
    assert proxy_for("https://r.example", environ) == "http://two"


def test_capitals_come_first() -> None:
    """Where both forms of a variable are set, is it the one that Go's clients take?"""
    environ = {"HTTPS_PROXY": PROXY, "https_proxy": "http://other", "no_proxy": "r.example"}

    assert proxy_for("https://api.example", environ) == PROXY
    assert proxy_for("https://r.example", environ) is None
    assert proxy_for("https://r.example", {**environ, "NO_PROXY": "x.example"}) == PROXY
