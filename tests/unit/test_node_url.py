"""One reading of `--node-url`, for the settings and for the door that asks there.

What the settings take, the door asks as it stands; what it could not ask, the settings refuse in
one sentence that says what to write instead. Many of these were taken by the settings once and
ended the controller after it had gained its Lease.
"""

import pytest

from controller.base.errors import SettingsFault, Unavailable
from controller.domain.node_http import NodeAddress
from controller.domain.node_url import BY_ADDRESS, NodeUrl
from controller.settings.settings import load_settings

FOUR = NodeAddress("bootstrap", "fuji-0", "10.1.2.3", 9650, "fuji")
SIX = NodeAddress("bootstrap", "fuji-0", "fd00::1", 9650, "fuji")


@pytest.mark.parametrize(
    ("template", "four", "six"),
    [
        ("http://{pod_ip}:{port}", "http://10.1.2.3:9650/x", "http://[fd00::1]:9650/x"),
        (" http://{pod_ip}:81/ ", "http://10.1.2.3:81/x", "http://[fd00::1]:81/x"),
        ("HTTPS://{pod}.{namespace}", "https://fuji-0.bootstrap/x", "https://fuji-0.bootstrap/x"),
        ("http://gw/{service}/{port}/", "http://gw/fuji/9650/x", "http://gw/fuji/9650/x"),
        ("http://gw/@{pod}", "http://gw/@fuji-0/x", "http://gw/@fuji-0/x"),
        ("http://gw/{pod_ip}", "http://gw/10.1.2.3/x", "http://gw/%5Bfd00::1%5D/x"),
    ],
)
def test_what_the_settings_take_is_asked_as_it_stands(template: str, four: str, six: str) -> None:
    """Is each place filled in, and an IPv6 address put into brackets?"""
    url = load_settings({"node_url": template}, {}).node.url

    assert url is not None
    assert [str(url.of(address, "/x")) for address in (FOUR, SIX)] == [four, six]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("http://user:hunter2@{pod_ip}:9650", "it holds a user: leave it out"),
        ("http://hunter2@{pod_ip}", "it holds a user: leave it out"),
        ("http://@{pod_ip}", "it holds a user: leave it out"),
        ("http://{pod}:hunter2@gw", "it holds a user: leave it out"),
        ("http://{pod}@gw", "it holds a user: leave it out"),
        ("http://{pod_ip}?x=1", "a query or a fragment"),
        ("http://{pod_ip}?", "a query or a fragment"),
        ("http://{pod_ip}#f", "a query or a fragment"),
        ("http://{pod_ip}:99999", "it is no URL"),
        ("http://{pod_ip}:{pod}", "it is no URL"),
        ("http://[{pod_ip}]:9650", "it is no URL"),
        ("http://[{pod_ip}", "it is no URL"),
        ("http:///{pod}", "it names no host"),
        ("http://:9650/{pod}", "it names no host"),
        ("http://", "it names no host"),
        ("http:{pod}", "it is not http"),
        ("ftp://{pod}", "it is not http"),
        ("{pod_ip}:{port}", "it is not http"),
        ("http://{pod} x/", "it holds a space"),
        ("http://{pod}\t/", "it holds a space"),
        ("http://{pod}\\x", "it holds a space, a backslash"),
        ("http://{pod}/\x00", "a character that cannot be seen"),
        ("http://{pod}/\u202e", "a character that cannot be seen"),
        ("http://{pod", "its braces do not match"),
        ("http://{pod}/}", "its braces do not match"),
        ("http://{{x}}/{pod}", "its braces do not match"),
        ("http://{{pod}}/x", "its braces do not match"),
        ("http://{}", "'{}' is no placeholder"),
        ("http://{0}", "'{0}' is no placeholder"),
        ("http://{pod_ip}:{ports}", "'{ports}' is no placeholder"),
        ("http://{pod.__class__}", "is no placeholder"),
        ("http://{pod!r}", "is no placeholder"),
        ("http://{pod:>9}", "is no placeholder"),
        ("http://{pod_ip:}", "is no placeholder"),
        ("http://node:9650", "answered by one node"),
        ("http://{namespace}:{port}", "answered by one node"),
        (" ", "it is not http"),
    ],
)
def test_what_could_not_be_asked_is_refused_by_the_settings(template: str, why: str) -> None:
    """Is every slip found at the start, told with a remedy, and no password repeated?"""
    with pytest.raises(SettingsFault) as caught:
        load_settings({"node_url": template}, {})

    (fault,) = caught.value.faults
    assert fault.startswith("--node-url (BOOTSTRAP_NODE_URL)")
    assert why in fault
    assert "write" in fault
    assert "hunter2" not in fault
    assert fault.isprintable()


def test_a_pod_without_an_address_is_not_reached() -> None:
    """Is it told so, and only where the template asks for the address?"""
    early = NodeAddress("bootstrap", "fuji-0", "", 9650, "fuji")

    with pytest.raises(Unavailable, match="pod fuji-0 has no address yet"):
        BY_ADDRESS.of(early, "/")
    assert str(NodeUrl("http://{pod}").of(early, "/")) == "http://fuji-0/"


def test_a_name_made_of_an_address() -> None:
    """Is a template taken that can be asked in clusters of IPv4 alone, and told where it cannot?"""
    url = NodeUrl.parse("http://{pod_ip}.example")

    assert str(url.of(FOUR, "/")) == "http://10.1.2.3.example/"
    with pytest.raises(Unavailable, match="is no URL to ask a node at"):
        url.of(SIX, "/")


@pytest.mark.parametrize("pod_ip", ["fe80::1%eth 0", "10.0.0.1/x?", "a@b"])
def test_an_address_that_makes_no_url_is_not_reached(pod_ip: str) -> None:
    """Can an odd address of a pod neither raise what nobody expects nor lead elsewhere?"""
    with pytest.raises(Unavailable, match="is no URL to ask a node at"):
        BY_ADDRESS.of(NodeAddress("bootstrap", "fuji-0", pod_ip, 9650, "fuji"), "/")
