"""Command lines, variables, output and code without their secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kobako.masking import is_secret, mask, mask_code, valued

_SHORTEST = 6
"""Characters of a value that is looked for wherever it stands: a shorter one would be found in many a word."""

_ADDRESS = re.compile(rb"(://)[^/\s?#\"'<>]+@")
_USER = re.compile(r"://(?:[^/\s?#\"'<>:@]*:)?([^/\s?#\"'<>]+)@")


def words(given: Iterable[str]) -> tuple[str, ...]:
    """The words of a command line. ``--token VALUE`` is two of them."""
    found: list[str] = []
    before = ""
    for word in given:
        found.append("***" if _is_value(before, word) else mask(word))
        before = word
    return tuple(found)


def _is_value(before: str, word: str) -> bool:
    return before.startswith("--") and is_secret(before) and not word.startswith("-")


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Variables with what looks like a secret by its name, or in its value, blotted out."""
    return {
        name: "***" if name.startswith("CLEARML_") or is_secret(name) else mask(value) for name, value in given.items()
    }


def secrets(variables: Mapping[str, str], words: Sequence[str]) -> tuple[str, ...]:
    """The values of what is named for a credential, among variables and in the words of a command line."""
    found = [value for name, value in variables.items() if is_secret(name)]
    for before, word in zip(("", *words), words, strict=False):
        name, equals, value = word.partition("=")
        found += [value] if equals and is_secret(name.rpartition(".")[2]) else []
        found += [word] if _is_value(before, word) else []
    found += [value for text in (*words, *found) for value in valued(text)]
    found += [found_[1] for text in (*variables.values(), *words) for found_ in _USER.finditer(text)]
    return tuple(dict.fromkeys(one for one in found if one))


class Blots:
    """Blots out values that are known to be secret, wherever they stand, and what stands before the @ of an address."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for one in secrets if len(one) >= _SHORTEST for form in _forms(one)}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret, b"***")
        return _ADDRESS.sub(rb"\1***@", data) if b"://" in data and b"@" in data else data


def _forms(secret: str) -> Iterator[bytes]:
    """As it is, and as Python and JSON print it."""
    yield secret.encode("utf-8", "surrogateescape")
    yield repr(secret)[1:-1].encode("utf-8", "backslashreplace")
    yield json.dumps(secret)[1:-1].encode()


def code(data: bytes, blot: Callable[[bytes], bytes] = bytes) -> bytes:
    """Code, a configuration or a patch without credentials: known ones, addresses, literals that are named for one."""
    text = blot(data).decode("utf-8", "surrogateescape")
    return mask_code(text).encode("utf-8", "surrogateescape")
