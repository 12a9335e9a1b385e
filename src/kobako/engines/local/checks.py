"""What ``kobako doctor`` looks at for the local engine: one check for each thing that can be wrong by itself."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from kobako import pipconfig
from kobako.engines.local.sandbox import TRIAL, Tools
from kobako.masking import mask
from kobako.model.check import Check, CheckStatus
from kobako.pipconfig import PipConfig
from kobako.probe import GIB, Probe, size

NEEDED = frozenset({"uv"})
"""The checks without which the engine is of no use."""

ROOM = 10 * GIB
"""PyTorch with its CUDA libraries takes about 5 GiB, and the download as much again for a while."""

_TOOLS = tuple(name for name in Tools._fields if name != "bwrap")

_MEANS = {
    "uv": "uv makes the environments",
    "interpreters": "an environment has the Python of its base image: uv downloads one that is not here",
    "bubblewrap": "without it only installs in a Dockerfile work, packages that exist as source only are not built, "
    "and programs run straight on this machine",
    "util-linux": "its programs bring a command into the sandbox that bubblewrap made",
    "pip-index": "packages come from where pip's own configuration says",
    "uv-cache": "environments are linked from it: what is there costs neither time nor room again",
    "local-limits": "what is beyond that needs the docker engine",
}

_LIMITS = (
    "Dockerfiles of one stage; no networks, ports or other services; apt-get checks that this machine has the "
    "packages and installs none; the base image is a stand-in (the same Python and torch); "
    "GPUs as this machine has them"
)

# what may forbid an ordinary user's namespaces: the file, the value that does so, and the one that does not
_SWITCHES = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)

_BUBBLEWRAP = "https://github.com/containers/bubblewrap#installation"
_UTIL_LINUX = "https://github.com/util-linux/util-linux"
_OLDEST_PYTHON = (3, 6)
"""What uv makes environments for."""


def look(probe: Probe, place: Path) -> list[Check]:
    """All checks. ``place`` is the workspace, or where Kobako was started."""
    home = Path(probe.env.get("HOME") or Path.home())
    return LocalChecks(probe, place, home, pipconfig.read(probe.env, home)).all()


class LocalChecks:
    """All checks of this machine. ``python`` is the one that Kobako runs on."""

    def __init__(self, probe: Probe, place: Path, home: Path, pip: PipConfig, python: Path | None = None) -> None:
        self._probe = probe
        self._place = place
        self._home = home
        self._pip = pip
        self._python = python or Path(sys.executable)

    def all(self) -> list[Check]:
        bubblewrap = self._bubblewrap()
        return [
            self._uv(),
            self._interpreters(),
            bubblewrap,
            self._tools(bubblewrap),
            self._index(),
            self._cache(),
            _check("local-limits", "ok", _LIMITS),
        ]

    def _uv(self) -> Check:
        fix = f"{shlex.quote(str(self._python))} -m pip install uv"
        beside = self._python.with_name("uv")
        program = str(beside) if self._probe.device(str(beside)) is not None else self._probe.which("uv")
        if program is None:
            return _check("uv", "missing", "there is no uv beside Kobako's Python or on the PATH", fix)
        outcome = self._probe.run(program, "--version")
        version = _version(outcome.stdout)
        if not outcome.ok or not version:
            return _check("uv", "broken", f"{program}: {outcome.last_lines(3) or 'it does not answer'}", fix)
        return _check("uv", "ok", f"{version} ({program})")

    def _interpreters(self) -> Check:
        known = {version for version in self._pythons() if version >= _OLDEST_PYTHON}
        listed = " ".join(f"{major}.{minor}" for major, minor in sorted(known))
        return _check("interpreters", "ok", f"Python {listed}; any other is downloaded by uv")

    def _pythons(self) -> Iterator[tuple[int, int]]:
        yield sys.version_info[:2]
        for folder in ("/usr/bin", "/usr/local/bin"):
            yield from _versions(self._probe.names(folder), r"python(\d+)\.(\d+)")
        pyenv = f"{self._probe.env.get('PYENV_ROOT') or self._home / '.pyenv'}/versions"
        made = [name for name in self._probe.names(pyenv) if "python" in self._probe.names(f"{pyenv}/{name}/bin")]
        yield from _versions(made, r"(\d+)\.(\d+)\.\d+")
        data = self._probe.env.get("XDG_DATA_HOME") or self._home / ".local" / "share"
        managed = self._probe.env.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python"
        yield from _versions(self._probe.names(managed), r"cpython-(\d+)\.(\d+)\.\d+-.*")

    def _bubblewrap(self) -> Check:
        if self._probe.which("bwrap") is None:
            return _check("bubblewrap", "missing", "there is no bwrap on the PATH", self._install("bubblewrap"))
        version = _version(self._probe.run("bwrap", "--version").stdout)
        if any(self._probe.which(program) is None for program in _TOOLS):
            return _check("bubblewrap", "unchecked", f"{version}, of use only together with util-linux")
        outcome = self._probe.run(*TRIAL)
        if outcome.ok:
            return _check("bubblewrap", "ok", version or "it works")
        for name, forbidding, allowing in _SWITCHES:
            said = self._probe.text(f"/proc/sys/{name.replace('.', '/')}")
            if said is not None and said.strip() == forbidding:
                found = f"{version} may not make a sandbox: {name} is {forbidding}"
                return _check("bubblewrap", "broken", found, f"sudo sysctl -w {name}={allowing}")
        said = " ".join(outcome.last_lines(2).split()) or f"exit code {outcome.code}"
        return _check("bubblewrap", "broken", f"{version} may not make a sandbox: {said}")

    def _tools(self, bubblewrap: Check) -> Check:
        missing = [program for program in _TOOLS if self._probe.which(program) is None]
        if not missing:
            return _check("util-linux", "ok", ", ".join(_TOOLS))
        if bubblewrap.status == "missing":
            return _check("util-linux", "unchecked", "of use only together with bubblewrap")
        found = f"there is no {' and no '.join(missing)} on the PATH"
        return _check("util-linux", "missing", found, self._install("util-linux"))

    def _install(self, package: str) -> str:
        for program in ("apt-get", "dnf", "zypper"):
            if self._probe.which(program) is not None:
                return f"sudo {program} install {package}"
        return _BUBBLEWRAP if package == "bubblewrap" else _UTIL_LINUX

    def _index(self) -> Check:
        gone = [path for path in self._local_places() if self._probe.device(path) is None]
        if gone:
            found = f"pip is told to use what is not there: {', '.join(gone)}"
            return _check("pip-index", "broken", mask(found), "pip config debug")
        return _check("pip-index", "ok", mask(", ".join(self._sources())))

    def _sources(self) -> Iterator[str]:
        pip = self._pip
        if pip.no_index:
            yield "no index"
        else:
            yield _shown(pip.index_url) if pip.index_url else "pip's default index"
            yield from (_shown(url) for url in pip.extra_index_urls)
        yield from (f"find-links {_shown(link)}" for link in pip.find_links)
        if pip.cert:
            yield f"certificate {pip.cert}"

    def _local_places(self) -> list[str]:
        pip = self._pip
        indexes = () if pip.no_index else (pip.index_url, *pip.extra_index_urls)
        places = [path for url in (*indexes, *pip.find_links) if (path := _path(url))]
        return [*places, *(path for path in (pip.cert, pip.client_cert) if path)]

    def _cache(self) -> Check:
        env = self._probe.env
        cache = env.get("XDG_CACHE_HOME") or str(self._home / ".cache")
        folder = Path(env.get("UV_CACHE_DIR") or f"{cache}/uv").absolute()
        standing, device = self._standing(folder)
        move = f"export UV_CACHE_DIR={shlex.quote(str(self._place / '.kobako' / 'uv'))}"
        if not self._probe.writable(str(standing)):
            return _check("uv-cache", "broken", f"{standing} cannot be written by this user", move)
        if device != self._standing(self._place)[1]:
            found = f"{folder} lies on another file system than {self._place}: copies instead of hard links"
            return _check("uv-cache", "missing", found, move)
        try:
            free = self._probe.disk(str(standing)).free
        except OSError as error:
            return _check("uv-cache", "unchecked", f"{standing}: {error.strerror}")
        enough = free >= ROOM
        return _check(
            "uv-cache",
            "ok" if enough else "missing",
            f"{size(free)} free in {folder}",
            "" if enough else "uv cache prune",
        )

    def _standing(self, folder: Path) -> tuple[Path, int | None]:
        """The nearest folder that is there, and its file system: the others are made below it."""
        for one in (folder, *folder.parents):
            device = self._probe.device(str(one))
            if device is not None:
                return one, device
        return folder, None


def _check(name: str, status: CheckStatus, found: str, fix: str = "") -> Check:
    return Check(name, status, found, _MEANS[name], fix)


def _version(text: str) -> str:
    match = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    return match[0] if match else ""


def _versions(names: Iterable[str], pattern: str) -> Iterator[tuple[int, int]]:
    for name in names:
        if match := re.fullmatch(pattern, name):
            yield int(match[1]), int(match[2])


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:  # pip itself says so when it is used
        return SplitResult("?", "?", "", "", "")
    return parts


def _path(place: str) -> str:
    """The file or folder that an index or find-links names; "" for an address."""
    parts = _parts(place)
    if parts.scheme == "file":
        return unquote(parts.path)
    return "" if parts.scheme else place


def _shown(place: str) -> str:
    """A folder, or an address's host: the rest of it may hold a token."""
    parts = _parts(place)
    return _path(place) or f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"
