"""WWW-Authenticate: challenges of registries, as text."""

from hypothesis import given
from hypothesis import strategies as st

from controller.registry.challenge import Basic, Bearer, Challenge, choose, parse_challenges

HUB = (
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
    'scope="repository:avaplatform/avalanchego:pull"'
)


def test_hub() -> None:
    """Is Docker Hub's challenge understood?"""
    assert choose(parse_challenges([HUB]), "") == Bearer(
        "https://auth.docker.io/token",
        "registry.docker.io",
        "repository:avaplatform/avalanchego:pull",
    )


def test_commas_in_quotes_belong_to_the_value() -> None:
    """Is a scope of two rights one scope, though a comma stands in it?"""
    header = 'Bearer realm="https://a/t", scope="repository:a/b:pull,push" , service="x, y"'

    assert choose(parse_challenges([header]), "") == Bearer(
        "https://a/t", "x, y", "repository:a/b:pull,push"
    )


def test_names_in_any_case_and_escapes() -> None:
    """Are scheme and parameter names compared without case, and backslashes taken away?"""
    assert parse_challenges([r'BEARER ReAlM="a\"b\\c",x=y']) == [
        Challenge("bearer", {"realm": r'a"b\c', "x": "y"})
    ]


def test_several_demands() -> None:
    """Is Bearer taken before Basic, in one header or in two, and Basic where it is alone?"""
    assert choose(parse_challenges(['Basic realm="x", ' + HUB]), "")
    assert isinstance(choose(parse_challenges(['Basic realm="x"', HUB]), ""), Bearer)
    assert isinstance(choose(parse_challenges(['Basic realm="x", ' + HUB]), ""), Bearer)
    assert choose(parse_challenges(['Negotiate YWJj=, Basic realm="x"']), "") == Basic()


def test_scope_left_out() -> None:
    """Is the scope that we need used where the registry names none?"""
    assert choose(parse_challenges(['Bearer realm="https://a"']), "repository:a/b:pull") == Bearer(
        "https://a", "", "repository:a/b:pull"
    )


def test_nothing_to_answer() -> None:
    """Is a demand that we cannot answer no demand, instead of an error?"""
    for header in ("", ",", "Negotiate", "Bearer", 'Bearer realm=""', 'Bearer realm="open', "=x"):
        assert choose(parse_challenges([header]), "") is None
    assert choose([], "") is None


@given(st.lists(st.text('aB =",\\\t:;/', max_size=60)))
def test_any_header_is_survived(headers: list[str]) -> None:
    """Does header text of any shape end in a list, and in time?"""
    for challenge in parse_challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()


@given(st.text(max_size=50), st.text(max_size=50))
def test_quoted_values_come_back(realm: str, scope: str) -> None:
    """Does whatever was put in quotes come out again?"""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = f"Bearer realm={quoted(realm)},scope={quoted(scope)}"
    assert parse_challenges([header]) == [Challenge("bearer", {"realm": realm, "scope": scope})]
