"""How a step of a Dockerfile is laid out: a comment that says why, then one instruction, one package per line."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kobako.model.requirement import Requirement

WIDTH = 110
INDENT = "    "


@dataclass(frozen=True)
class Step:
    """``why`` are paragraphs of the comment, ``lines`` the instruction as it stands in the file."""

    why: tuple[str, ...]
    lines: tuple[str, ...]

    def render(self) -> str:
        told = [f"# {line}" for paragraph in self.why for line in wrapped(paragraph)]
        return "\n".join([*(["#", *told, "#"] if told else []), *self.lines]) + "\n"


def wrapped(paragraph: str) -> list[str]:
    """A paragraph on lines of a readable width, the later ones further in where it is indented itself.

    What a stranger named never leaves the comment.
    """
    clean = re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", paragraph)
    indent = clean[: len(clean) - len(clean.lstrip(" "))]
    return textwrap.wrap(
        clean, WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent and f"{indent}  "
    ) or [""]


def listed(head: Sequence[str], words: Iterable[str], tail: Sequence[str] = ()) -> tuple[str, ...]:
    """``head``, then each word on its own line, then commands to run after it, joined by continuations."""
    lines = [*head, *(f"{INDENT}{word}" for word in words), *(f"&&  {command}" for command in tail)]
    return (*(f"{line} \\" for line in lines[:-1]), lines[-1])


def quoted(words: Iterable[str]) -> list[str]:
    """Each word quoted where a shell needs it. Raises ``ValueError`` for one that would end its line."""
    words = list(words)
    for word in words:
        if not word.isprintable():
            raise ValueError(f"{word!r} cannot stand in a Dockerfile")
    return [shlex.quote(word) for word in words]


def origins(requirements: Iterable[Requirement]) -> list[str]:
    """Where each requirement is written, one line per file: ``six and numpy: requirements.txt:3-4``."""
    by_file: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for one in requirements:
        if one.findings:
            first = one.findings[0]
            by_file.setdefault((first.file, _TOLD[one.origin]), []).append((one.name, first.line))
    return [
        f"{sentence([name for name, _ in found])}: {told}{file}:{_span([line for _, line in found])}"
        for (file, told), found in by_file.items()
    ]


_TOLD = {"declared": "", "platform": "", "readme": "told in ", "imported": "imported in "}


def _span(lines: Sequence[int]) -> str:
    first, last = min(lines), max(lines)
    return str(first) if first == last else f"{first}-{last}"


def sentence(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
