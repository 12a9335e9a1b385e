"""Entries of install lists: names, what follows them, and how a shell wants them quoted."""

from __future__ import annotations

import re
from typing import NamedTuple

from kobako.model.recipe import Manager, Package, Word

_ARCHIVES = (".whl", ".tar.gz", ".tar.bz2", ".tgz", ".zip", ".deb", ".conda")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PIP_REST = re.compile(r"[ ]*(\[[^\]]*\])?[ ]*(?=$|[<>=!~;@(])")
_EGG = re.compile(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)")
_APT = re.compile(r"([a-z0-9][a-z0-9+.-]*)((?::[a-z0-9-]+)?(?:[=/].*)?)")
_CONDA = re.compile(r"((?:[A-Za-z0-9_./:-]+::)?)([A-Za-z0-9_][A-Za-z0-9_.-]*)(\[.*\]|[ ]*[=<>!~].*|[ ].*)?", re.DOTALL)
_SAFE = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")


class Entry(NamedTuple):
    """A package as a list may hold it: its normalised name, and all that follows the name."""

    name: str
    rest: str
    text: str


def normalised(name: str, manager: Manager) -> str:
    """PEP 503 for Python packages; lower case for the others, whose separators tell packages apart."""
    return re.sub(r"[-_.]+", "-", name).lower() if manager in ("pip", "uv") else name.lower()


def entry_of(text: str, manager: Manager) -> Entry | None:
    """The entry that a static text is, or None for a path, a nameless URL, or something else."""
    if not text or text.startswith("-") or any(char in text for char in "\r\n\0"):
        return None
    found = {"pip": _pip, "uv": _pip, "apt": _apt, "conda": _conda}[manager](text)
    return Entry(normalised(found[0], manager), found[1], text) if found else None


def _pip(text: str) -> tuple[str, str] | None:
    egg = _EGG.search(text)
    name = _NAME.match(text)
    rest = _PIP_REST.match(text, name.end()) if name else None
    if name and rest and not text.lower().endswith(_ARCHIVES if "@" not in text else ()):
        return name[0], text[name.end() :].strip()
    return (egg[1], "@ " + text) if egg and "://" in text else None


def _apt(text: str) -> tuple[str, str] | None:
    found = _APT.fullmatch(text)
    # A trailing minus removes a package.
    return None if not found or text.endswith((*_ARCHIVES, "-")) else (found[1], found[2])


def _conda(text: str) -> tuple[str, str] | None:
    found = _CONDA.fullmatch(text)
    return None if not found or text.endswith((*_ARCHIVES, ".yml", ".yaml")) else (found[2], (found[3] or "").strip())


def package_of(word: Word, manager: Manager) -> Package | None:
    """The package that a word of a list names. A version from a variable leaves the name static: ``torch==$V``."""
    if word.value is not None:
        entry = entry_of(word.value, manager)
        return Package(entry.name, entry.rest, word) if entry else None
    shown = word.text.lstrip("\"'")
    name = _NAME.match(shown)
    if not name or not re.match(r"(\[[A-Za-z0-9,._ -]*\])?[ ]*[=<>!~@]", shown[name.end() :]):
        return None
    return Package(normalised(name[0], manager), shown[name.end() :].rstrip("\"'"), word)


def quoted(text: str, quote: str = "'") -> str:
    """The text as one shell word; as it stands where a shell leaves it alone."""
    if _SAFE.fullmatch(text):
        return text
    if quote == '"' and not any(char in text for char in '"$`\\!'):
        return f'"{text}"'
    return "'" + text.replace("'", "'\"'\"'") + "'"


def merged(old: Package, new: Entry, manager: Manager) -> str:
    """The old entry's text with the new one's version; extras, marker, channel and architecture stay unless given."""
    text = old.text
    name = text[: len(text) - len(old.rest)] if old.rest else text
    if manager in ("pip", "uv"):
        if old.rest.startswith("@") or new.rest.startswith("@") or "://" in text:
            return new.text
        before, after = _parts(old.rest), _parts(new.rest)
        return name.strip() + (after[0] or before[0]) + after[1] + (after[2] or before[2])
    if manager == "apt":
        architecture = re.match(r":[a-z0-9-]+", old.rest)
        return name + (architecture[0] if architecture and not new.rest.startswith(":") else "") + new.rest
    return name + new.rest


def _parts(rest: str) -> tuple[str, str, str]:
    """Extras, specifier and marker, each as written."""
    found = re.fullmatch(r"(\[[^\]]*\])?\s*([^;]*?)(\s*;.*)?", rest, re.DOTALL)
    return (found[1] or "", found[2] or "", found[3] or "") if found else ("", rest, "")
