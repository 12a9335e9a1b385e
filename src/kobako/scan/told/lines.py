"""Lines of shell as people show them to people: prompts, placeholders, output and remarks between. Pure.

Every line of the text stays one line, so that a line's number leads back to the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_LINES = 2_000
"""Lines of one block that are looked at."""
LONGEST_LINE = 4_000
LONGEST_REMARK = 400

_PROMPT = re.compile(
    r"(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+[:\s][^\s#$%>]{0,80}\s?[#$%>]\s+|\[[^\]\n]{1,60}\][#$]\s+"
    r"|[$\u276f\u279c\u00bb]\s+|\$(?=[a-z])|%\s+|>\s+|(?:In\s)?\[\d*\]:\s*|PS[^>\n]{0,60}>\s*|C:\\[^>\n]{0,60}>\s*|#\s+(?=\$\s))?"
)
_MAGIC = re.compile(
    r"[!%]{1,2}\s*(?=(?:[\w./]*python|pip|uv|conda|mamba|mim|apt|sudo|git|cd|make|bash|sh|export|env)\b|\{)"
)
_NOTEBOOK_PYTHON = re.compile(r"\{\s*sys\.executable\s*\}")
_INSTALLERS = r"(?:pip[\d.]*|uv|conda|mamba|micromamba|mim|ltt|apt|apt-get|aptitude)"
_KNOWN = re.compile(
    r"(?:sudo\s+(?:-\w+\s+)*)?(?:\w{1,40}=\S{0,200}\s+){0,6}(?:time\s+)?"
    rf"(?:(?:[\w./~$-]*/)?{_INSTALLERS}\s|(?:[\w./~${{}}-]*/)?(?:python|\$\{{?PYTHON\}}?)[\w.]*\s+(?:-m\s+pip"
    rf"|-m\s+mim|\S*setup\.py)\s"
    r"|git\s+(?:clone|checkout|submodule)\b|(?:nvidia-)?docker\s+run\s|podman\s+run\s|cd(?:\s|$)|export\s+\w+=|make(?:\s|$)|(?:ba)?sh\s+\S+\.sh"
    r"|\./\S+\.sh|source\s|\w{1,40}=\S*\s*$)"
)
_REMARK = re.compile(r"(?:^|\s)#\s*(.*)$")
_CREATE = re.compile(r"\b(conda|mamba|micromamba)(\s+)create\b")
_INSTALL = re.compile(rf"\b{_INSTALLERS}\s[^|;&\n]{{0,80}}?\b(?:install|create)\b")
_UNQUOTED = re.compile(
    r"(?<=\s)([A-Za-z0-9][\w.-]{0,80}(?:\[[\w,.-]{1,80}\])?)\s?((?:[<>]=?|~=|!=)\s?\d[\w.*]{0,20}"
    r"(?:,\s?(?:[<>]=?|==|~=|!=)\s?\d[\w.*]{0,20}){0,4})(?=\s|$)"
)
_HOLE = re.compile(
    r"<[A-Za-z\u3040-\u9fff][^<>\n]{0,60}>|\$\{\{[^{}\n]{0,120}\}\}|\{\{[^{}\n]{0,120}\}\}|\[(?:your|path"
    r"|version)[^\]\n]{0,60}\]"
)
_MIM = re.compile(r"\b(?:mim|ltt|python[\d.]*\s+-m\s+mim)(?=\s+install\b)")
HOLE = "$_"
"""What stands for a placeholder: a word that only a shell could tell, so nobody takes it for a name or a version."""


class Line(NamedTuple):
    """A line of shell, what a remark beside it or above it says, and the line as it was written."""

    text: str
    remark: str = ""
    raw: str = ""


def is_command(line: str) -> bool:
    """Whether a line, as a person is shown it, is one of the commands that matter here."""
    bare = _PROMPT.sub("", line.strip()[:LONGEST_LINE], count=1)
    return _KNOWN.match(f"{_NOTEBOOK_PYTHON.sub('python', _MAGIC.sub('', bare, count=1))} ") is not None


def shown_lines(text: str) -> list[Line]:
    """A block that a person is shown: commands without their prompts; everything else becomes an empty line."""
    raw = [line[:LONGEST_LINE] for line in text.split("\n")[:MOST_LINES]]
    prompted = any(re.match(r"\s*(?:\([\w.-]+\)\s*)?\$\s", line) for line in raw)
    return list(_commands(raw, prompted=prompted))


def _commands(raw: list[str], *, prompted: bool) -> Iterator[Line]:
    continued, above, commented = False, "", False
    for line in raw:
        stripped = line.strip()
        bare = _PROMPT.sub("", stripped, count=1)
        magic = _MAGIC.match(bare)
        if magic:
            bare = bare[magic.end() :]
        if continued:
            yield Line(prepared(bare), above, bare)
        elif not stripped or stripped.startswith("#"):
            remark = stripped.lstrip("# ")
            above = f"{above} {remark}".strip()[-LONGEST_REMARK:] if commented and stripped else remark
            commented = bool(stripped)
            yield Line("")
            continue
        elif (prompted and bare == stripped and not magic) or not _KNOWN.match(
            f"{_NOTEBOOK_PYTHON.sub('python', bare)} "
        ):
            yield Line("")
            continue
        else:
            beside = _REMARK.search(bare)
            yield Line(prepared(bare), beside[1] if beside else above, bare)
        commented = False
        continued = stripped.endswith(("\\", "&&", "||"))


def prepared(line: str) -> str:
    """A line as a shell's grammar takes it and its author meant it.

    ``pip install a>=1`` would be a redirect, ``<name>`` and ``${{ matrix.x }}`` are holes, and ``mim`` installs as
    pip does.
    """
    line = _NOTEBOOK_PYTHON.sub("python", line)
    line = _HOLE.sub(
        HOLE, line.replace("\u00a0", " ").replace("\u2013", "-").replace("\u201c", '"').replace("\u201d", '"')
    )
    line = _CREATE.sub(r"\1\2install", _MIM.sub("pip", line))
    return _UNQUOTED.sub(r"'\1\2'", line) if _INSTALL.search(line) else line


def written_lines(text: str) -> list[Line]:
    """A script that a machine runs: every line counts."""
    return [Line(prepared(line[:LONGEST_LINE]), "", line[:LONGEST_LINE]) for line in text.split("\n")[:MOST_LINES]]
