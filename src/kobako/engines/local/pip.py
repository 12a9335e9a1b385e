"""``pip install`` and ``uv pip install`` of a Dockerfile, as uv on this machine does it. Pure.

What has no counterpart is not translated: it is run as it stands, inside the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kobako.dockerfile.options import PIP, UV, Part, parts_of
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
    "-U": "--upgrade",
    "--upgrade": "--upgrade",
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
    "--group": "--group",
}
_UV_DROPPED = _set(
    "--system --break-system-packages -n --no-cache --no-cache-dir -q --quiet -v --verbose --link-mode --cache-dir "
    "--compile-bytecode --compile --no-compile-bytecode --no-progress --color --python -p --offline --refresh "
    "--native-tls --system-certs --no-python-downloads"
)
_UV_ELSEWHERE = _set("--target -t --prefix --python-platform --python-version --directory --project")
_FILES = _set(
    "-r --requirement --requirements -c --constraint --constraints --override --overrides "
    "-b --build-constraint --build-constraints -f --find-links"
)
_LOCAL = re.compile(r"\.{0,2}/|\.$|\.\.$|file:|[^:]*\.(whl|zip|tar\.gz|tgz|tar\.bz2)$")


class Install(NamedTuple):
    """One install. ``arguments`` are those of ``uv pip install``; ``files`` which of them are paths inside.

    ``names`` are the distributions named. ``environment`` stands before the command. ``needs_code`` says that it
    surely runs somebody's code: a checkout, an editable install.
    """

    arguments: tuple[str, ...]
    files: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    needs_code: bool = False

    @property
    def wants_torch(self) -> bool:
        return "torch" in self.names


def install(command: Command) -> Install | None:
    """The install that a command is; None where uv could not do the same."""
    argv, environment = command.argv, _assignments(command.assignments)
    if argv is None or environment is None or command.manager not in {"pip", "uv"} or command.redirects:
        return None
    words = command.words[_after_install(command) :]
    translate = _from_pip if command.manager == "pip" else _from_uv
    table = PIP if command.manager == "pip" else UV
    arguments: list[str] = []
    files: list[int] = []
    needs_code = False
    for part in parts_of(words, table):
        made = translate(part)
        if made is None:
            return None
        if made and (part.option in _FILES or (not part.option and _LOCAL.match(made[-1]))):
            files.append(len(arguments) + len(made) - 1)
        needs_code = needs_code or part.option in {"-e", "--editable"} or _is_checkout(part)
        arguments += made
    names = tuple(package.name for package in command.packages)
    return Install(tuple(arguments), tuple(files), names, environment, needs_code)


def _after_install(command: Command) -> int:
    last = command.program[-1]
    return next(at for at, word in enumerate(command.words) if word.span == last.span and word.text == last.text) + 1


def _is_checkout(part: Part) -> bool:
    shown = part.word.value or ""
    if part.option:
        return False
    return "git+" in shown or (bool(_LOCAL.match(shown)) and not shown.endswith(".whl"))


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
    if part.option in _UV_ELSEWHERE:
        return None
    if part.option in _UV_DROPPED or part.option == "--":
        return []
    if not part.option:
        return [part.word.value or ""]
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


def inside(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables that still mean something to uv when it works from outside: not where to install, and how."""
    dropped = {"UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "UV_LINK_MODE", "UV_CACHE_DIR", "UV_PYTHON"}
    return ((name, value) for name, value in environment.items() if name not in dropped)
