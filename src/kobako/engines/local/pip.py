"""``pip install`` and ``uv pip install`` of a Dockerfile, as uv on this machine does it. Pure.

What has no counterpart is not translated: it is run as it stands, inside the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

from kobako import compiled, data
from kobako.dockerfile.options import PIP, UV, Part, Table, parts_of
from kobako.model.recipe import Command, Word


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PIP_DROPPED = _set(
    "--no-cache-dir --no-cache --disable-pip-version-check --no-warn-script-location --no-warn-conflicts --no-input "
    "-q -qq -qqq --quiet -v -vv -vvv --verbose --user --break-system-packages --compile --no-compile --isolated "
    "--prefer-binary --no-python-version-warning --no-color --no-clean --use-pep517 --use-deprecated --use-feature "
    "--root-user-action --progress-bar --timeout --default-timeout --retries --resume-retries --cache-dir --log "
    "--exists-action --upgrade-strategy --debug --no-require-virtualenv"
)
"""Options of pip that change nothing in what is installed here, or that uv has by nature."""

_PIP_FLAGS = {
    "--pre": "--prerelease=allow",
    "--no-deps": "--no-deps",
    "--no-dependencies": "--no-deps",
    "--no-index": "--no-index",
    "--no-build-isolation": "--no-build-isolation",
    "--force-reinstall": "--reinstall",
    "-I": "--reinstall",
    "--ignore-installed": "--reinstall",
    "--require-hashes": "--require-hashes",
}
_PIP_VALUED = {
    "-r": "--requirements",
    "--requirement": "--requirements",
    "-c": "--constraints",
    "--constraint": "--constraints",
    "-e": "--editable",
    "--editable": "--editable",
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--pypi-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "--no-binary": "--no-binary",
    "--only-binary": "--only-binary",
    "--trusted-host": "--allow-insecure-host",
    "-C": "--config-setting",
    "--config-settings": "--config-setting",
    "--config-setting": "--config-setting",
}
_UV_DROPPED = _set(
    "--system --break-system-packages -n --no-cache --no-cache-dir -q --quiet -v --verbose --link-mode --cache-dir "
    "--compile-bytecode --compile --no-compile-bytecode --no-progress --color --python -p --offline --refresh "
    "--native-tls --system-certs --no-python-downloads --no-config"
)
_UV_SAME = _set(
    "-r --requirement --requirements -c --constraint --constraints --override --overrides -e --editable --extra "
    "-b --build-constraint --build-constraints --index --default-index -i --index-url --extra-index-url -f "
    "--find-links --index-strategy --allow-insecure-host --trusted-host -U --upgrade -P --upgrade-package --reinstall "
    "--force-reinstall --reinstall-package --no-deps --no-index --no-build-isolation --no-build-isolation-package "
    "--no-build --no-build-package --no-binary --no-binary-package --only-binary --prerelease --pre --resolution "
    "--exclude-newer --exclude-newer-package --torch-backend --require-hashes --no-verify-hashes --strict --no-sources "
    "-C --config-setting --config-settings --fork-strategy --all-extras"
)
"""Options of uv that mean the same here."""

_FILES = _set(
    "-r --requirement --requirements -c --constraint --constraints --override --overrides "
    "-b --build-constraint --build-constraints -f --find-links"
)
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$")
_EXTRAS = re.compile(r"\[[^\]]*\]$")
_USUAL = frozenset({"", "/bin", "/usr/bin", "/usr/local/bin", "/opt/conda/bin", "/opt/kobako/env/bin"})
"""Folders of a pip that means the image's own environment."""

_BEFORE = _set(
    "-m -I -E -s -S -u -B -q --quiet -v --verbose --no-cache-dir --disable-pip-version-check --no-input "
    "--no-cache --no-progress --native-tls --system-certs"
)
"""Options that may stand before ``install`` and change nothing."""

_CHOOSES = _set("--no-binary --only-binary --no-build-package --no-binary-package")
_WHEELS = _set("--no-build")
_INDEXES = _set("-i --index-url --pypi-url --extra-index-url --index --default-index")


class Install(NamedTuple):
    """One install. ``arguments`` are those of ``uv pip install``; ``files`` which of them are paths inside.

    ``names`` are the distributions named. ``environment`` stands before the command. ``needs_code`` says that it
    surely runs somebody's code: a checkout, an editable install; ``wheels_only`` that it may not. For
    ``of_pip`` pip's own variables count; ``words`` are those after ``install``, as written.
    """

    arguments: tuple[str, ...]
    files: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    needs_code: bool = False
    wheels_only: bool = False
    of_pip: bool = False
    words: tuple[str, ...] = ()

    @property
    def options(self) -> frozenset[str]:
        """The long options that it has."""
        return frozenset(one.partition("=")[0] for one in self.arguments if one.startswith("--"))

    @property
    def wants_torch(self) -> bool:
        return "torch" in self.names


def install(command: Command) -> Install | None:
    """The install that a command is; None where uv could not do the same."""
    argv, environment = command.argv, _assignments(command.assignments)
    if argv is None or environment is None or command.manager not in {"pip", "uv"} or command.redirects:
        return None
    after = _after_install(command)
    table = PIP if command.manager == "pip" else UV
    reading = _Reading(command.manager or "")
    parts = parts_of(tuple(_apart(command.words[after:], table)), table)
    if not _is_usual(command.words[:after]) or not all(reading.take(part) for part in parts):
        return None
    names = tuple(package.name for package in command.packages)
    return reading.install(names, environment)._replace(words=argv[after:])


@dataclass
class _Reading:
    """What was read of an install so far."""

    manager: str
    arguments: list[str] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    needs_code: bool = False
    wheels_only: bool = False
    upgrade: bool = False

    def take(self, part: Part) -> bool:
        """The next part; False where it has no counterpart."""
        if self.manager == "pip" and part.option in {"-U", "--upgrade"}:
            self.upgrade = True
            return True
        made = (_from_pip if self.manager == "pip" else _from_uv)(part)
        if made is None:
            return False
        shown = made[-1] if made else ""
        if shown.startswith("~") or (is_path(shown) and re.search(r"[*?]|\[.*\]/", shown)):
            return False  # a shell would look for files
        if made == ["--only-binary", ":all:"] or (made and made[0] in _WHEELS):
            self.wheels_only = True
            return True
        self._look(part, made, shown)
        self.arguments += made
        return True

    def _look(self, part: Part, made: list[str], shown: str) -> None:
        if "file:" in shown:  # an address of this machine to uv outside
            self.needs_code = True
        elif made and (part.option in _FILES or (not part.option and is_path(shown))):
            self.files.append(len(self.arguments) + len(made) - 1)
        code = part.option in {"-e", "--editable"} or part.option in _CHOOSES or _is_checkout(part)
        code = code or (part.option in _INDEXES and "://" not in shown)  # a folder inside
        self.needs_code = self.needs_code or code

    def install(self, names: tuple[str, ...], environment: Mapping[str, str]) -> Install:
        # pip upgrades what is named, and of what that needs only what has to be; uv's --upgrade upgrades all of it
        whole = bool(self.files) or not names
        first = ["--upgrade"] if whole else [f"--upgrade-package={name}" for name in names]
        first = first if self.upgrade else []
        first += self._shared(names)
        files = tuple(at + len(first) for at in self.files)
        arguments = (*first, *self.arguments)
        of_pip = self.manager == "pip"
        return Install(arguments, files, names, environment, self.needs_code, self.wheels_only, of_pip)

    def _shared(self, names: Iterable[str]) -> list[str]:
        """pip builds a source without a pyproject.toml in the environment itself, where its setup.py finds PyTorch.
        For what is known to look for that, uv has to be told: it would build such a package without its operators.
        """
        if self.manager != "pip" or "--no-build-isolation" in self.arguments:
            return []
        return [f"--no-build-isolation-package={name}" for name in names if name in data.build_needs()]


def _after_install(command: Command) -> int:
    last = command.program[-1]
    return next(at for at, word in enumerate(command.words) if word.span == last.span and word.text == last.text) + 1


def _is_usual(words: Sequence[Word]) -> bool:
    """Whether the words up to ``install`` mean the image's own pip, with nothing special about it."""
    rest = [word.value or "" for word in words]
    if rest[0] == compiled.PROGRAM:  # this engine keeps what is compiled by itself
        rest = rest[1:]
    if rest[0] == "sudo":
        rest = rest[1:]
        while rest[0] in {"-H", "-E", "-n"}:
            rest = rest[1:]
    first = PurePosixPath(rest[0])
    folder = "" if str(first.parent) == "." else str(first.parent)
    options = [word for word in rest[1:] if word.startswith("-")]
    usual = folder in _USUAL and re.fullmatch(r"(?:pip|python|uv)[\d.]*", first.name) is not None
    return usual and all(option in _BEFORE for option in options)


def _apart(words: Iterable[Word], table: Table) -> Iterator[Word]:
    """``-Ur reqs.txt`` as ``-U -r reqs.txt``: the last of short options that stand together may have a value."""
    for word in words:
        shown = word.value or ""
        if not re.match(r"-[A-Za-z]{2,}", shown):
            yield word
            continue
        at = 1
        while at < len(shown) and f"-{shown[at]}" not in table.valued:
            yield word._replace(value=f"-{shown[at]}")
            at += 1
        if at < len(shown):
            yield word._replace(value=f"-{shown[at:]}")


def is_path(shown: str) -> bool:
    """Whether a requirement is a file or a folder, as pip judges it."""
    bare = _EXTRAS.sub("", shown)
    if "://" in shown or " @ " in shown or "@git" in shown or bare.startswith("git+"):
        return False
    return bare in {".", ".."} or "/" in bare or _ARCHIVE.search(bare) is not None


def _is_checkout(part: Part) -> bool:
    shown = part.word.value or ""
    if part.option:
        return False
    return "git+" in shown or (is_path(shown) and not _EXTRAS.sub("", shown).endswith(".whl"))


def _value(part: Part) -> str:
    """The option's value, whichever way it was written."""
    if part.value is None:
        return ""
    shown = part.value.value or ""
    if part.value is not part.word:
        return shown
    if part.option.startswith("--"):
        return shown.partition("=")[2]
    at = shown.find(part.option[1], 1) + 1
    return shown[at:].removeprefix("=")


def _from_pip(part: Part) -> list[str] | None:
    if part.option in {"", "--"}:
        return [part.word.value or ""] if not part.option else []
    if part.option in _PIP_DROPPED:
        return []
    if part.option in _PIP_FLAGS and part.value is None:
        return [_PIP_FLAGS[part.option]]
    if part.option in _PIP_VALUED and part.value is not None:
        return [_PIP_VALUED[part.option], _value(part)]
    return None


def _from_uv(part: Part) -> list[str] | None:
    if part.option in _UV_DROPPED or part.option == "--":
        return []
    if not part.option:
        return [part.word.value or ""]
    if part.option not in _UV_SAME:
        return None
    return [part.option] if part.value is None else [part.option, _value(part)]


def _assignments(words: Iterable[Word]) -> dict[str, str] | None:
    """``MMCV_WITH_OPS=1 FORCE_CUDA=1`` in front of a command; None where only a shell could tell a value."""
    found: dict[str, str] = {}
    for word in words:
        if word.value is None:
            return None
        name, equals, value = word.value.partition("=")
        if not equals or name.endswith("+"):
            return None
        found[name] = value
    return found


_MEANT = _set(
    "UV_OVERRIDE UV_CONSTRAINT UV_BUILD_CONSTRAINT UV_INDEX UV_DEFAULT_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL "
    "UV_INDEX_STRATEGY UV_EXCLUDE_NEWER UV_PRERELEASE UV_RESOLUTION UV_NO_BUILD_ISOLATION UV_TORCH_BACKEND "
    "UV_HTTP_TIMEOUT UV_HTTP_RETRIES UV_HTTP_CONNECT_TIMEOUT UV_INSECURE_HOST UV_NO_BINARY UV_REQUIRE_HASHES"
)


def meant_outside(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables of a recipe that still mean something to uv outside. Others say where to install, or run code."""
    return ((name, value) for name, value in environment.items() if name in _MEANT)


PIP_MEANT = _set("PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_NO_INDEX")
"""What a recipe may say of pip's configuration: none of it names a file of this machine."""
