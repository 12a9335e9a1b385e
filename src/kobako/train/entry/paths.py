"""What has to stand on PYTHONPATH: as the repository's own scripts and texts set it, and where its packages lie."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence

from kobako.train.entry.repository import Repository

_MOST_FILES, _MOST_FOUND = 120, 6
_LONGEST, _LONGEST_TEXT = 2000, 512 * 1024
_SET = re.compile(
    r"PYTHONPATH\s{0,9}:?=\s{0,9}(\"[^\"]*\"[^\s;&|]*|'[^']*'|(?:\$\([^)]{0,300}\)|`[^`]{0,300}`|[^\s;&|`])+)"
)
_VARIABLE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.+)")
_OF_SCRIPT = r"(?:dirname[ \t]+(?:--[ \t]+)?\"?\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?\"?)"
_HERE = re.compile(rf"\$\(\s*{_OF_SCRIPT}\s*\)|`\s*{_OF_SCRIPT}\s*`")
_ENTERED = re.compile(
    r"\$\(\s*cd\s+\"?([^\"&;)]*?)\"?\s*(?:>\s*/dev/null\s*(?:2>&1)?\s*)?(?:&&|;)\s*pwd(?:\s+-P)?\s*\)"
)
_REAL = re.compile(r"\$\(\s*(?:realpath|readlink\s+-f)\s+\"?([^\"()]*)\"?\s*\)")
_NOW = re.compile(r"\$\(\s*pwd\s*\)|`\s*pwd\s*`|\$\{?PWD\}?")
_OWN = re.compile(r"\$\{?PYTHONPATH(?::[-+][^}]*)?\}?")
_USED = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
_TEXTS = ("readme", "getting_started", "get_started", "getstarted", "install", "training", "makefile")


def of(repository: Repository, script: str) -> tuple[str, ...]:
    """Folders relative to the repository; ``.`` is the first."""
    found: dict[str, None] = {".": None}
    folders = (*_told(repository, script), *_packages(repository, script))
    for folder in folders:
        if len(found) <= _MOST_FOUND and repository.has_folder(folder):
            found[folder] = None
    return tuple(found)


def _told(repository: Repository, script: str) -> Iterator[str]:
    for name in _sources(repository, script):
        text = repository.read(name) or ""
        if "PYTHONPATH" not in text:
            continue
        yield from in_text(text, name.rpartition("/")[0] if name.endswith(".sh") else None)


def _sources(repository: Repository, script: str) -> Sequence[str]:
    """The shell scripts beside the script, those elsewhere that name it, and what tells people."""
    folder, _, stem = script.rpartition("/")
    shells = [name for name in repository.files if name.endswith(".sh")][:_MOST_FILES]
    beside = [name for name in shells if name.rpartition("/")[0] == folder]
    naming = [name for name in shells if name not in beside and stem in (repository.read(name) or "")]
    texts = [
        name
        for name in repository.files
        if name.count("/") <= 1 and name.rpartition("/")[2].lower().startswith(_TEXTS) and not name.endswith(".py")
    ]
    return [*beside, *naming, *sorted(texts, key=lambda one: one.count("/"))][:_MOST_FILES]


def in_text(text: str, folder: str | None) -> Iterator[str]:
    """The folders that a text puts on PYTHONPATH. ``folder`` is a shell script's own; None for other texts."""
    variables: dict[str, str] = {}
    for line in text[:_LONGEST_TEXT].splitlines():
        if "=" not in line or len(line) > _LONGEST:
            continue
        for match in _SET.finditer(line):
            value = _evaluated(_OWN.sub("", match[1]), variables, folder)
            yield from filter(None, map(_clean, value.split(":")))
        told = _VARIABLE.match(line)
        if told and told[1] != "PYTHONPATH":
            variables[told[1]] = _evaluated(told[2].strip(), variables, folder)


def _evaluated(value: str, variables: dict[str, str], folder: str | None) -> str:
    """With what is known of the shell's substitutions; ``?`` stands for what is not."""
    value = value.replace('"', "").replace("'", "")
    if folder is not None:
        value = _HERE.sub(folder or ".", value)
    value = _NOW.sub(".", value)
    value = _REAL.sub(lambda one: one[1].strip(), value)
    value = _ENTERED.sub(lambda one: one[1].strip() or ".", value)
    value = _USED.sub(lambda one: "" if one[1] == "PYTHONPATH" else variables.get(one[1], "?"), value)
    return value if len(value) <= _LONGEST else "?"


def _clean(path: str) -> str:
    """Inside the repository and known, else ""."""
    path = path.strip()
    if not path:
        return ""
    if path.startswith(("/", "~")) or any(mark in path for mark in "?$`(){}*<>[]\\,"):
        return ""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) or "."


def _packages(repository: Repository, script: str) -> Iterator[str]:
    """Folders like ``src`` in which the packages lie that the script imports, where they are not at the top."""
    own = script.rpartition("/")[0]
    tops = [name for name in ("src", "lib", "python") if repository.has_folder(name)]
    if not tops:
        return
    files = frozenset(repository.files)
    for root in _imported(repository.read(script) or ""):
        folders = ("", own) if own else ("",)
        if any(_holds(files, folder, root) for folder in folders):
            continue
        yield from (top for top in tops if _holds(files, top, root))


def _holds(files: frozenset[str], folder: str, root: str) -> bool:
    base = f"{folder}/{root}".strip("/")
    return f"{base}.py" in files or f"{base}/__init__.py" in files or any(one.startswith(f"{base}/") for one in files)


def _imported(text: str) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            syntax = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: dict[str, None] = {}
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            found.update(dict.fromkeys(one.name.partition(".")[0] for one in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found[node.module.partition(".")[0]] = None
    return list(found)
