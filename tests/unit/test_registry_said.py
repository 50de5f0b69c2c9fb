"""What registries say when they refuse: which words reach people."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.registry.said import LONGEST, quoted, said_in

JSON = "application/json; charset=utf-8"
PASSWORD = "correct-horse"
HARBOR = (
    "current image with 86 vulnerabilities cannot be pulled due to configured policy in 'Prevent"
    ' images with vulnerability severity of "Medium" or higher from running.\' To continue with'
    " pull, please contact your project administrator"
)


def said(document: Any, *secrets: str) -> str:
    return said_in(json.dumps(document).encode(), JSON, secrets)


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        (
            [{"code": "DENIED", "message": "requested access to the resource is denied"}],
            "DENIED: requested access to the resource is denied",
        ),
        ([{"code": "UNKNOWN", "message": "quota exceeded"}], "quota exceeded"),
        ([{"code": "DENIED"}], "DENIED"),
        ([{"message": "quota exceeded"}], "quota exceeded"),
        ([{"status": 403, "message": "The client is blocked"}], "The client is blocked"),
        (
            [{"code": "DENIED", "message": "no", "detail": "the key has expired"}],
            "DENIED: no (the key has expired)",
        ),
        (
            [{"code": "DENIED", "message": "no", "detail": {"reason": "quarantined"}}],
            "DENIED: no (quarantined)",
        ),
        (
            [{"code": "A", "message": "a", "detail": [{"Type": "repository", "Name": "x"}]}],
            "A: a",
        ),
        ([{"code": "A", "message": "a"}, {"code": "B", "message": "b"}], "A: a; B: b"),
        ([{"code": "A", "message": "a"}] * 9, "A: a"),
        ([{"code": str(n), "message": "m"} for n in range(9)], "0: m; 1: m"),
        ([{"code": 7, "message": None}, {}], ""),
        ([], ""),
    ],
)
def test_errors_of_a_registry(errors: list[Any], sentence: str) -> None:
    """Is a registry's own message passed on, with its code and a detail that is a sentence?"""
    assert said({"errors": errors}) == sentence


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"error": "invalid_grant", "error_description": "expired"}, "expired"),
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"details": "incorrect username or password"}, "incorrect username or password"),
        ({"message": "object not found", "errinfo": {}}, "object not found"),
        ({"errors": None}, ""),
        ({"errors": {}}, ""),
        ([], ""),
        ("text", ""),
    ],
)
def test_other_forms(document: Any, sentence: str) -> None:
    """Are the forms of token servers and of web APIs understood, and others no words?"""
    assert said(document) == sentence


def test_long_policy_is_shortened() -> None:
    """Is a long sentence cut, with its beginning kept?"""
    told = said({"errors": [{"code": "PROJECTPOLICYVIOLATION", "message": HARBOR}]})

    assert told.startswith("PROJECTPOLICYVIOLATION: current image with 86 vulnerabilities cannot")
    assert len(told) == LONGEST
    assert told.endswith("…")


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        (b"Too Many Requests\n", "text/plain; charset=utf-8", "Too Many Requests"),
        (b"404 page not found", "TEXT/PLAIN", "404 page not found"),
        (b"<html><body>Sign in</body></html>", "text/html", ""),
        (b"<html><body>Sign in</body></html>", "text/plain", ""),
        (b"<Error><Code>AccessDenied</Code></Error>", "application/xml", ""),
        (b"oops", "application/octet-stream", ""),
        (b"oops", "", ""),
        (b"", JSON, ""),
        (b'{"errors":[{"message":"x"', JSON, ""),
        (b"\xff\xfe", JSON, ""),
        (b"[" * 60_000, JSON, ""),
        (b'{"message":"' + b"x" * (1 << 20) + b'"}', JSON, ""),
    ],
)
def test_other_bodies(body: bytes, content_type: str, sentence: str) -> None:
    """Is plain text passed on, and neither a page, nor what is broken or far too long?"""
    assert said_in(body, content_type) == sentence


def test_no_secret_comes_back() -> None:
    """Is a secret that the answer repeats taken out, and what looks like one too?"""
    token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
    told = said(
        {"errors": [{"message": f"bad login user:{PASSWORD}, {token}, https://u:{PASSWORD}@h/"}]},
        PASSWORD,
    )

    assert told.startswith("bad login user:")
    assert PASSWORD not in told
    assert token not in told


def test_it_is_one_safe_line() -> None:
    """Do control characters and ends of lines not reach a terminal?"""
    told = said({"errors": [{"code": "\x1b[2J", "message": "a\r\n\tb\u202ec\x00"}]})

    assert told.isprintable()
    assert "a b" in told


def test_what_is_new_in_each_answer_is_left_out() -> None:
    """Is the same refusal the same sentence, whatever id and moment it bears?"""
    one, other = (
        said({"errors": [{"message": f"denied, request {uuid} at {at}"}]})
        for uuid, at in (
            ("0190e3a4-12ab-7c3d-8e4f-0123456789ab", "2026-11-27T02:41:22.123Z"),
            ("0190e3a4-12ab-7c3d-8e4f-abcdef012345", "2026-11-27T02:41:23+00:00"),
        )
    )

    assert one == other == "denied, request … at …"


def test_quoted() -> None:
    """Does a sentence of ours end as it was where nothing is said?"""
    assert quoted("") == ""
    assert quoted("DENIED: no") == "; it says 'DENIED: no'"


@given(st.binary(max_size=200), st.sampled_from([JSON, "text/plain", ""]))
def test_any_body_is_survived(body: bytes, content_type: str) -> None:
    """Does any body end in one line of bounded length?"""
    told = said_in(body, content_type)

    assert len(told) <= LONGEST
    assert "\n" not in told
