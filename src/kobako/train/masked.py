"""Command lines and variables without their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kobako.masking import mask


def words(given: Iterable[str]) -> tuple[str, ...]:
    """The words of a command line. ``--token VALUE`` is two of them."""
    found: list[str] = []
    before = ""
    for word in given:
        clean = mask(word)
        if before.startswith("--") and "=" not in before and not word.startswith("-"):
            pair = mask(f"{before} {word or '-'}")
            clean = "***" if pair == f"{before} ***" else clean
        found.append(clean)
        before = word
    return tuple(found)


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Variables with what looks like a secret by its name, or in its value, blotted out."""
    shown = {}
    for name, value in given.items():
        told = mask(f"{name}={value or '-'}")
        hidden = name.startswith("CLEARML_") or told == f"{name}=***"
        shown[name] = "***" if hidden else mask(value)
    return shown


class Blots:
    """Blots out values that are known to be secret, wherever they stand."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({one.encode() for one in secrets if len(one) > 5}, key=len, reverse=True)

    def __call__(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret, b"***")
        return data
