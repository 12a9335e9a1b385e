"""Keeps credentials out of messages and logs.

What names a credential is told by one rule. The entry script in a repository cannot import it and has it in the same
words (``train/entry/template``); ``tests/unit/train/test_entry_masking.py`` asks both the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ORDINARY = (
    "add|all|audio|begin|bos|by|class|cls|count|decoder|dist|drop|end|eos|extra|first|frame|global|image|img|keep|last"
    "|latent|level|mask|max|memory|merge|min|n|new|next|no|num|object|pad|patch|per|prefix|prompt|prune|query|register"
    "|sep|seq|soft|sos|special|start|stop|sub|summary|task|text|time|trigger|unk|use|video|visual|vocab|with|word"
)
"""What stands before ``token`` where a language model's are meant."""

_OF_KEYS = (
    "access|account|api|auth|aws|azure|bearer|client|comet|encryption|kaggle|license|openai|private|refresh|secret"
    "|session|signing|ssh|storage|wandb"
)
"""What stands before ``key`` (``--sort-key`` is none), and before ``tokens``, which otherwise are counted."""

_NAME = (
    r"(?=[\w-]{0,200}?(?:key|token|pass|pwd|secret|credential|auth|jwt|pat|string))"  # quickly past all other words
    rf"(?!(?:[\w-]{{0,200}}[_-])?(?:{_ORDINARY})[_-]?token(?:[_-]?v?\d{{1,3}})?(?![\w-]))"
    rf"(?:[\w-]{{0,200}}(?:(?:{_OF_KEYS})[_-]?(?:key|token)s?|(?:password|passwd|passphrase|secret|credential)s?|token"
    r"|authorization|connection[_-]?string|jwt)"
    r"|(?-i:[A-Z0-9_]{1,200}_(?:KEY|PASS|PWD|PAT|AUTH_CONFIG)))(?:[_-]?v?\d{1,3})?"
)
_IS_NAME = re.compile(rf"(?i){_NAME}")

_NO_VALUE = r"(?!(?:str|int|float|bool|bytes|None|null|true|false)\b|[A-Za-z_][\w.]{0,100}[(\[])"
"""What stands behind a name in code is no credential: a type, a call."""

_ADDRESS = r"(://)[^/\s?#\"'<>]+@"  # user:password@ or TOKEN@
_SCHEME = r"(?:(?:bearer|basic)\s{1,20})?"  # Authorization: Bearer VALUE
_OPTION = rf"(?<![\w-])--{_NAME}(?:=|\s{{1,20}}(?!-))"

# a name starts where no part of one stands before it, and is not looked for at each of a thousand dashes
_SECRET = re.compile(
    rf"(?i){_ADDRESS}|({_OPTION}|(?<![\w-])[\"']?{_NAME}[\"']?"
    rf"(?:[=:](?![=\s])|\s{{0,20}}[=:](?!=)\s{{1,20}}{_NO_VALUE}|\s{{1,20}}[=:](?![=\s])))"
    rf"(?:\"[^\"]*\"|'[^']*'|{_SCHEME}\S+)",
)
_LITERAL = re.compile(
    rf"(?im){_ADDRESS}|((?<![\w-])[\"']?{_NAME}[\"']?\]?\s{{0,20}}[=:](?!=)\s{{0,20}}[\"']?{_SCHEME}|{_OPTION})"
    r"(?:(?<=[\"'])(?:[^\"'\s]{6,}|(?![^\"'\n]*[{%])[^\"'\s][^\"'\n]{4,}[^\"'\s])(?=[\"'])"
    r"|(?<=[=:\s])(?=\S*\d)[\w+/.~-]{8,}(?=\s*$|[\"']))"
)
_PAIR = re.compile(
    rf"(?i)(?<![\w-]){_NAME}[\"']?[=:]\s{{0,20}}{_SCHEME}(?=\"([^\"]+)|'([^']+)|([^\s\"')}}\]]{{1,4000}}))"
)
"""NAME=VALUE and NAME: VALUE with such a name, wherever they stand in a word."""


_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text without what could act on a terminal or turn its words around: such characters stand as escapes.

    The escapes are those of JSON, which may be what is written.
    """
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_secret(name: str) -> bool:
    """Whether that is a credential's name: ``--api-key``, ``HF_TOKEN``; not ``--sort-key``, ``--pad_token``.

    Hydra's marks do not count: ``+api_key``, ``++token``, ``~token``.
    """
    return _IS_NAME.fullmatch(name.lstrip("-+~")) is not None


def valued(text: str) -> Iterator[str]:
    """The values of what is named for a credential anywhere in a word: ``--cfg_options="a=1 wandb.api_key=VALUE"``."""
    for pair in _PAIR.finditer(text):
        value = pair[1] or pair[2] or pair[3]
        yield value
        yield re.split("[,;&]", value, maxsplit=1)[0]


def mask(text: str) -> str:
    """The text without credentials in URLs and without the values of what is named for one."""
    return _SECRET.sub(_without, text)


def mask_code(text: str) -> str:
    """The same for code, a configuration or a patch, where ``token = next(words)`` is none: literals alone."""
    return _LITERAL.sub(_without, text)


def _without(found: re.Match[str]) -> str:
    return f"{found[1]}***@" if found[1] else f"{found[2]}***"
