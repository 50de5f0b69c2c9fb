"""Values with a grammar of their own: selectors, namespaces, URLs, templates, agents."""

from pathlib import Path

import pytest

from controller.base.errors import SettingsFault
from controller.settings import options
from controller.settings.settings import load_settings
from controller.settings.values import (
    DogStatsd,
    parse_compare_url,
    parse_dogstatsd,
    parse_namespaces,
    parse_selector,
    parse_store_url,
    shown_url,
)

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_documented_table_is_the_one_in_the_code() -> None:
    """Does docs/configuration.md show exactly the options that there are?"""
    assert options.describe() in DOCS.read_text(encoding="utf-8")


def test_no_two_options_share_a_flag_or_a_variable() -> None:
    """Is each option the only one of its name?"""
    flags = [option.flag for option in options.OPTIONS]
    variables = [option.variable for option in options.OPTIONS if option.variable]
    assert len(set(flags)) == len(flags) == 29
    assert len(set(variables)) == len(variables)


@pytest.mark.parametrize(
    "text",
    [
        "bootstrap.avax.network/test=true",
        "a=b,c!=d,e==f",
        "a",
        "!a",
        "a in (b, c),d notin (e)",
        "a=",
        "a in (b,),x/y-z_9=1.2",
    ],
)
def test_selectors_of_the_api_server_are_taken(text: str) -> None:
    """Is every form of a label selector understood?"""
    assert parse_selector(f" {text} ") == text


@pytest.mark.parametrize(
    "text", ["", " ", ",", "a b", "a=b,", "a in b", "a in (b", "-a=b", "a=b c", "a/b/c=d", "a=é"]
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    """Is a slip of the pen told, and above all one that would select everything?"""
    with pytest.raises(ValueError, match="it is no label selector"):
        parse_selector(text)


def test_a_long_selector_is_refused_in_no_time() -> None:
    """Does a hostile text not keep the parser busy for ever?"""
    with pytest.raises(ValueError, match="it is no label selector"):
        parse_selector("a in (" + "b, " * 5000 + "-")


@pytest.mark.parametrize("text", ["A", "a_b", "-a", "a" * 64, "*,a", ","])
def test_what_is_no_namespace_is_refused(text: str) -> None:
    """Are namespaces looked at before an API server is asked?"""
    with pytest.raises(ValueError, match="write"):
        parse_namespaces(text)


def test_namespaces_are_each_named_once() -> None:
    """Does a name that stands twice lead to one watch?"""
    assert parse_namespaces(" b, a ,b") == ("b", "a")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("memory://", "memory://"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://u:p%40ss@h:6379/0", "redis://u:***@h:6379/0"),
        ("rediss://:p@h", "rediss://:***@h"),
        ("redis://u@h", "redis://u@h"),
        ("redis://u:a@b@h", "redis://u:***@h"),
        ("unix:///run/redis.sock?password=p&db=1", "unix:///run/redis.sock"),
        ("redis://[::1]:6379", "redis://[::1]:6379"),
    ],
)
def test_a_store_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    """Is no part of a URL shown that may hold a password?"""
    assert shown_url(parse_store_url(url)) == shown


@pytest.mark.parametrize("url", ["", "redis:", "redis", "localhost:6379", "://h", "redis://[::1"])
def test_what_is_no_store_url_is_refused(url: str) -> None:
    """Is the form looked at?"""
    with pytest.raises(ValueError, match=r"write a URL|it is no URL"):
        parse_store_url(url)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://git.example.com/{good}...{bad}", "https://git.example.com/{good}...{bad}"),
        ("http://ci/diff?from={good}&to={bad}", "http://ci/diff?from={good}&to={bad}"),
        ("http://ci:80/@x?a=b@{good}&to={bad}", "http://ci:80/@x?a=b@{good}&to={bad}"),
        (" OFF ", ""),
    ],
)
def test_compare_links_are_read(text: str, found: str) -> None:
    """Is a link taken with its two places, and `off` as no link?"""
    assert parse_compare_url(text) == found


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("https://git.example.com/compare", "{good} and {bad} once each"),
        ("https://git.example.com/{good}", "{good} and {bad} once each"),
        ("https://git.example.com/{good}/{good}/{bad}", "{good} and {bad} once each"),
        ("https://git.example.com/{old}...{new}", "{good} and {bad} once each"),
        ("https://git.example.com/{good}...{bad}}", "{good} and {bad} once each"),
        ("https://git.example.com/{{good}}...{bad}", "{good} and {bad} once each"),
        ("git.example.com/{good}...{bad}", "it is not http"),
        ("https://git.example.com/ {good}...{bad}", "it is not http"),
        ("https://git.example.com/" + "x" * 200 + "{good}{bad}", "longer than 200"),
        ("https://user:hunter2@git.example.com/{good}...{bad}", "holds a user: leave it out"),
        ("https://hunter2@git.example.com/{good}...{bad}", "holds a user: leave it out"),
        ("https://:hunter2@git.example.com/{good}...{bad}", "holds a user: leave it out"),
        ("https://@git.example.com/{good}...{bad}", "holds a user: leave it out"),
        ("https://{good}:{bad}@git.example.com/", "holds a user: leave it out"),
        ("https:///user:hunter2@git.example.com/{good}...{bad}", "names no host"),
        ("https://user:hunter2/{good}...{bad}", "it is no URL"),
        ("https://git.example.com/\x1b[31m{good}...{bad}", "cannot be seen"),
        ("https://git.example.com/\x00{good}...{bad}", "cannot be seen"),
        ("https://git.example.com/\u202e{good}...{bad}", "cannot be seen"),
        ("https://git.example.com/\u2066{good}...{bad}", "cannot be seen"),
    ],
)
def test_what_is_no_compare_link_is_refused(text: str, remedy: str) -> None:
    """Is a link that would lead nowhere found at the start, and not at the first failure?"""
    with pytest.raises(ValueError, match=r"write|shorten|look at") as caught:
        parse_compare_url(text)
    assert remedy in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("udp://agent", DogStatsd(host="agent", port=8125)),
        ("udp://10.0.0.1:9999", DogStatsd(host="10.0.0.1", port=9999)),
        ("udp://[fd00::1]:8125", DogStatsd(host="fd00::1")),
        ("unix:///run/dsd.socket", DogStatsd(socket_path="/run/dsd.socket")),
        ("unixgram:///run/dsd.socket", DogStatsd(socket_path="/run/dsd.socket")),
        ("OFF", None),
    ],
)
def test_agents_are_read(text: str, found: DogStatsd | None) -> None:
    """Is each form of an agent's address understood, and written back the same?"""
    assert parse_dogstatsd(text) == found
    if found is not None:
        assert parse_dogstatsd(str(found)) == found


@pytest.mark.parametrize(
    "text", ["agent:8125", "http://agent", "udp://", "unix://", "unix://run/x", "udp://h:0x1", ""]
)
def test_what_is_no_agent_is_refused(text: str) -> None:
    """Is a wrong address told at the start, and not found out by missing events?"""
    with pytest.raises(ValueError, match=r"write udp://|it is no URL"):
        parse_dogstatsd(text)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"DD_AGENT_HOST": "10.0.0.1"}, "udp://10.0.0.1:8125"),
        ({"DD_AGENT_HOST": "fd00::1", "DD_DOGSTATSD_PORT": "9"}, "udp://[fd00::1]:9"),
        ({"DD_DOGSTATSD_URL": "unix:///s", "DD_AGENT_HOST": "h"}, "unix:///s"),
        ({"DD_DOGSTATSD_PORT": "9"}, None),
        ({"DD_AGENT_HOST": "h", "DD_DOGSTATSD_DISABLE": "true"}, None),
        ({"DD_AGENT_HOST": "h", "BOOTSTRAP_DOGSTATSD": "off"}, None),
        ({"DD_AGENT_HOST": "h", "BOOTSTRAP_DOGSTATSD": "udp://i:1"}, "udp://i:1"),
    ],
)
def test_datadogs_own_variables_are_followed(environ: dict[str, str], found: str | None) -> None:
    """Is the agent found as Datadog's own clients find it, and ours believed first [135]?"""
    agent = load_settings({}, environ).dogstatsd
    assert (None if agent is None else str(agent)) == found


def test_a_fault_in_datadogs_variables_names_them_and_our_flag() -> None:
    """Does somebody who cannot change an injected variable see the way out?"""
    with pytest.raises(SettingsFault) as caught:
        load_settings({}, {"DD_AGENT_HOST": "h", "DD_DOGSTATSD_PORT": "tcp://1"})
    assert str(caught.value).startswith("--dogstatsd (DD_AGENT_HOST, DD_DOGSTATSD_PORT) is")
