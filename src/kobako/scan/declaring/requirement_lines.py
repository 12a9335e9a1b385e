"""Lines of requirements files: joined and stripped as pip does it; other tools' and people's told apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TRIPLE = re.compile(r"[A-Za-z0-9_][\w.-]*=[^\s=<>!~,;]+=[^\s=]+")
_SINGLE = re.compile(r"[A-Za-z0-9_][\w.-]*\s*=\s*[^\s=<>!~,;]+")
_ROW = re.compile(r"([A-Za-z0-9_][\w.-]*)\s+(\d[\w.!+]*)(?:\s+(\S+)(?:\s+(\S+))?)?")
_BUILD = re.compile(r"pypi_\d+|<pip>|(?:[\w.]*_)?\d+|py\S*|h[0-9a-f]{7}\S*|main|\S+_mkl\S*")
_PIP_TABLE = re.compile(r"Package\s+Version(?:\s.*)?|[-\s]{6,}")
_CONDA_HEADERS = ("# This file may be used to create an environment using", "# packages in environment at")
_TOLD = re.compile(
    r"(?P<requirement>[A-Za-z0-9][\w.-]*(?:\[[\w,\s.-]*\])?)\s*"
    r"(?P<specifier>(?:[=!~<>]=|[<>])\s*[\w.*+!]+(?:\s*,\s*(?:[=!~<>]=|[<>])\s*[\w.*+!]+)*)?(?P<rest>(?:\s|,\s).*)"
)
_PASSED_ON = re.compile(r"(?:[!$]\s*)?(?:python3?\s+-m\s+)?pip3?\s+install\s+")
_WITH_VALUE = frozenset({"-i", "-f", "-r", "-c", "-e", "-t", "--index-url", "--extra-index-url", "--find-links"})
_BUILT_BY_CONDA = re.compile(
    r"([A-Za-z0-9][\w.-]*)\s*@\s*file://(?:localhost)?/(?:[A-Za-z]:/)?(?:tmp/(?:build|abs|croot)|croots?/|ci[/_]|bld/|b/|"
    r"home/(?:conda|builder|task|ktietz)|opt/(?:conda|concourse)|work/|Users/(?:builder|ktietz|runner)|"
    r"private/(?:var|tmp)/|\S*(?:feedstock_root|conda-bld|/_work/|/abs_|/croot))"
)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as pip sees them: continuations joined, comments gone. The number is that of the first physical line."""
    pending: list[str] = []
    first = 0
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        is_comment = raw.lstrip().startswith("#")
        if pending and is_comment:
            continue
        if not pending:
            first = number
        if raw.endswith("\\") and not is_comment:
            pending.append(raw[:-1])
            continue
        line = without_comment("".join([*pending, raw]))
        pending = []
        if line:
            yield first, line
    line = without_comment("".join(pending))
    if line:
        yield first, line


def without_comment(line: str) -> str:
    """A ``#`` opens a comment at the start and after white space."""
    at = line.find("#")
    while at > 0 and not line[at - 1].isspace():
        at = line.find("#", at + 1)
    return (line if at < 0 else line[:at]).strip()


def without_options(line: str) -> str:
    """The requirement without what pip is told about it: ``--hash``, ``--global-option`` and the like."""
    match = re.search(r"\s(?=--?[a-zA-Z])", line)
    return line[: match.start()].rstrip() if match else line


def is_conda(text: str, lines: Sequence[str]) -> bool:
    """Whether a file is in conda's format (``conda list --export``, or for ``conda install --file``)."""
    if any(header in text[:2000] for header in _CONDA_HEADERS):
        return True
    triples = sum(_TRIPLE.fullmatch(line) is not None for line in lines)
    singles = sum(_SINGLE.fullmatch(line) is not None for line in lines)
    return triples > 0 or (singles > 1 and singles * 2 >= len(lines))


def conda_row(line: str) -> str:
    """A row of ``conda list`` as a specification with build; "" for what is none, and for what pip installed."""
    match = _ROW.fullmatch(line)
    if match and match[3] and _BUILD.fullmatch(match[3]) and match[3] != "<pip>" and match[4] != "pypi":
        return f"{match[1]}={match[2]}={match[3]}"
    return ""


def rewritten(line: str) -> str:
    """A line in pip's own words where it is in those of ``pip list``, ``conda list`` or an author's note.

    The line itself where nothing is to be changed.
    """
    if _PIP_TABLE.fullmatch(line):
        return ""
    if (match := _ROW.fullmatch(line)) and (not match[3] or _BUILD.fullmatch(match[3])):
        return f"{match[1]}=={match[2]}"
    if line.endswith("=pypi_0") and (parts := line.split("=")) and len(parts) == 3:
        return f"{parts[0]}=={parts[1]}"
    return re.sub(r"^[*\u2022-]\s+(?=[A-Za-z0-9])", "", line)


def named_alone(line: str) -> str:
    """``name @ file:///...`` as ``pip freeze`` writes it in a conda environment: the name; "" for what is none."""
    match = _BUILT_BY_CONDA.match(line)
    return match[1] if match else ""


def passed_on(line: str) -> list[str] | None:
    """The requirements of a whole ``pip install`` command that stands where one of them should; None for any other."""
    match = _PASSED_ON.match(line)
    if not match:
        return None
    found: list[str] = []
    skip = False
    for word in line[match.end() :].split():
        if not skip and not word.startswith("-"):
            found.append(word.strip("\"'"))
        skip = word in _WITH_VALUE
    return found


def without_prose(line: str) -> str:
    """The requirement at the head of a line that goes on in words (``torch>=1.7 or newer``); "" if there is none."""
    match = _TOLD.fullmatch(line[:1000])
    if not match or not re.search(r"[^\W\d_]{2}", match["rest"]):
        return ""
    if re.match(r"[\s,]*[=!~<>@;\[\\&|'\"]", match["rest"]):
        return ""
    if match["specifier"] or re.match(r"\s+[-\u2013\u2014:(]", match["rest"]):
        return match["requirement"] + (match["specifier"] or "")
    return ""


def compiled_for(text: str) -> dict[int, tuple[str, ...]] | None:
    """For a file that pip-compile or uv wrote: who wants the package of each line. None for any other file."""
    if not re.search(r"autogenerated by (?:pip-compile|uv)", text[:1000]):
        return None
    found: dict[int, list[str]] = {}
    last = 0
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        before, hashed, comment = raw.partition("#")
        if before.strip() and not before.lstrip().startswith("--"):
            last = number
        if hashed and last:
            found.setdefault(last, []).extend(part for part in re.split(r"[\s,]+", comment.strip()) if part)
    return {number: tuple(words) for number, words in found.items()}
