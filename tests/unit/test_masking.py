"""What must not be shown: credentials, and characters that act on a terminal."""

from __future__ import annotations

import json

import pytest

from kobako.masking import harmless, mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pw@h/x", "https://***@h/x"),
        ("--token abc --name x", "--token *** --name x"),
        ("API_KEY=abc", "API_KEY=***"),
        ("my-secret-key: 'a b'", "my-secret-key: ***"),
        ("x?token=abc&y=1", "x?token=***"),
        ("a tokenizer==1.0", "a tokenizer==1.0"),
        ("if token == 3", "if token == 3"),
        ("-" * 100 + "token x", "-" * 100 + "token ***"),
    ],
)
def test_credentials(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize("length", [1000, 200_000])
@pytest.mark.parametrize("text", ["-", "a-", "token", "--token ", "x=", "://", "'"])
def test_long_runs_are_read_through(text: str, length: int) -> None:
    assert isinstance(mask(text * (length // len(text))), str)


def test_what_acts_on_a_terminal() -> None:
    assert harmless("a\x1b[2Jb\rc\x9bd\u202ee\tf\ng日本") == "a\\u001b[2Jb\\u000dc\\u009bd\\u202ee\tf\ng日本"
    data = {"a": "x\x7f\x9b\u2028\u202e"}
    assert json.loads(harmless(json.dumps(data, ensure_ascii=False))) == data
