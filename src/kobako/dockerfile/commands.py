"""What a command of a RUN is: an install with its list, the time zone's link, cache cleaning, or something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from kobako.dockerfile.options import APT, CONDA, MICROMAMBA, PIP, UV, Part, Table, parts_of
from kobako.dockerfile.packages import package_of
from kobako.model.recipe import Command, Manager, Package, Word

_WRAPPERS = {"sudo": ["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T"], "env": ["-u", "-C"]}
_TRANSPARENT = frozenset({"command", "eatmydata", "exec", "keep-wheels", "nohup", "time"})
"""Programs that run another one. ``keep-wheels`` is Kobako's own (``kobako.compiled``)."""
_APT = frozenset({"apt", "apt-get", "aptitude"})
_CONDA = frozenset({"conda", "mamba", "micromamba"})
_PIP = re.compile(r"pip(\d+(\.\d+)?)?")
_PYTHON = re.compile(r"(python|pypy)(\d+(\.\d+)?)?")
_REQUIREMENT_OPTIONS = frozenset({"-r", "--requirement", "--requirements", "-e", "--editable", "--group", "--file"})
_ZONES = "/usr/share/zoneinfo/"
_CACHES = (
    "/var/lib/apt/lists",
    "/var/cache/apt",
    "/var/cache/debconf",
    "/tmp/",  # noqa: S108 - inside the image
    "/var/tmp/",  # noqa: S108
    "/root/.cache",
    "~/.cache",
)


def classified(command: Command) -> Command:
    """The command with its kind, and for an install all its parts."""
    words = _unwrapped(command.words)
    if not words:
        return command
    name = _program(words[0])
    if found := _manager(words):
        return _install(command, *found)
    if name in _APT and _subcommand(words, APT) == "update":
        return replace(command, kind="apt-update")
    if name in ("ln", "cp"):
        return _timezone(command, words)
    return replace(command, kind="clean") if _cleans(name, words) else command


def _unwrapped(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Without sudo, env and the like in front."""
    while words and (name := _program(words[0])):
        if name in _TRANSPARENT:
            words = words[1:]
        elif name in _WRAPPERS:
            words = _past_options(words[1:], _WRAPPERS[name])
        else:
            break
    return words


def _past_options(words: tuple[Word, ...], valued: Sequence[str]) -> tuple[Word, ...]:
    while words and (words[0].text.startswith("-") or re.match(r"\w+=", words[0].text)):
        words = words[2 if words[0].text in valued else 1 :]
    return words


def _program(word: Word) -> str:
    """The program's own name; ``$VENV/bin/pip`` is pip, whatever the variable says."""
    text = word.text.strip("\"'") if word.value is None else word.value
    name = PurePosixPath(text).name
    return "" if "$" in name or "`" in name or name.endswith(")") else name


def _manager(words: tuple[Word, ...]) -> tuple[Manager, Table, int, tuple[Word, ...]] | None:
    """Manager, its options, how many words lead to and include ``install``, and all the words."""
    name, at = _program(words[0]), 1
    if _PYTHON.fullmatch(name) or (words[0].value is None and [word.value for word in words[1:2]] == ["-m"]):
        at = next((n + 2 for n, word in enumerate(words) if word.value == "-m"), len(words) + 1)
        if any(not word.text.startswith("-") for word in words[1 : at - 2]) or at > len(words):
            return None
        name = _program(words[at - 1])
    manager: Manager
    if _PIP.fullmatch(name):
        manager, table = "pip", PIP
    elif name == "uv":
        manager, table = "uv", UV
        at = _position(words, at, UV, "pip")
    elif name in _APT:
        manager, table = "apt", APT
    elif name in _CONDA:
        manager, table = "conda", MICROMAMBA if name == "micromamba" else CONDA
    else:
        return None
    end = _position(words, at, table, "install") if at else 0
    return (manager, table, end, words) if end else None


def _position(words: tuple[Word, ...], at: int, table: Table, wanted: str) -> int:
    """How many words there are up to this subcommand; 0 when another one comes first."""
    first = next((part for part in parts_of(words[at:], table) if not part.option), None)
    return words.index(first.word) + 1 if first and first.word.value == wanted else 0


def _subcommand(words: tuple[Word, ...], table: Table) -> str | None:
    first = next((part for part in parts_of(words[1:], table) if not part.option), None)
    return first.word.value if first else None


def _install(command: Command, manager: Manager, table: Table, end: int, words: tuple[Word, ...]) -> Command:
    options: list[Word] = []
    packages: list[Package] = []
    sources: list[Word] = []
    dynamic: list[Word] = []
    for part in parts_of(words[end:], table):
        if part.option:
            options += _words(part)
            if part.option in _REQUIREMENT_OPTIONS and part.value:
                sources.append(part.value)
        elif package := package_of(part.word, manager):
            packages.append(package)
        else:
            (dynamic if part.word.value is None else sources).append(part.word)
    return replace(
        command,
        kind="pip-install" if manager in ("pip", "uv") else "apt-install" if manager == "apt" else "conda-install",
        manager=manager,
        program=words[:end],
        options=tuple(options),
        packages=tuple(packages),
        sources=tuple(sources),
        dynamic=tuple(dynamic),
    )


def _words(part: Part) -> Iterator[Word]:
    yield part.word
    if part.value and part.value is not part.word:
        yield part.value


def _timezone(command: Command, words: tuple[Word, ...]) -> Command:
    plain = [word for word in words[1:] if not word.text.startswith("-")]
    flags = "".join(word.text for word in words[1:] if word.text.startswith("-"))
    linked = _program(words[0]) == "cp" or "s" in flags
    if len(plain) != 2 or not linked or plain[1].value != "/etc/localtime":
        return command
    shown = plain[0].text.strip("\"'") if plain[0].value is None else plain[0].value
    if not shown.startswith(_ZONES):
        return command
    return replace(command, kind="timezone", zone=shown[len(_ZONES) :] if plain[0].value else "")


def _cleans(name: str, words: tuple[Word, ...]) -> bool:
    values = [word.value or "" for word in words[1:]]
    plain = [value for value in values if not value.startswith("-")]
    if name in _APT:
        return plain in (["clean"], ["autoclean"], ["distclean"])
    if name in _CONDA:
        return plain[:1] == ["clean"]
    if _PIP.fullmatch(name) or name == "uv":
        return plain[:2] == ["cache", "purge"] or (name == "uv" and plain[:2] == ["cache", "clean"])
    if name != "rm" or not plain or not all(plain):
        return False
    return all(value.startswith(_CACHES) and ".." not in value for value in plain)
