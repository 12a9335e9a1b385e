"""What kind of source did the user name? The order of ``_READERS`` is the policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from kobako.errors import UsageError
from kobako.sources.model import Source

SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar", ".zip")
"""Archives that can be unpacked."""

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*===?\s*(?P<version>[A-Za-z0-9.!+_-]+)")
_SCP = re.compile(r"(?:[A-Za-z0-9_.-]+@)[A-Za-z0-9.-]+:(?!//)[^\s]+")
_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})


def resolve(spec: str, *, ref: str | None = None, cwd: Path | None = None) -> Source:
    """Understand the source without fetching it. ``ref`` is a branch, tag or commit for a git URL.

    Raises ``UsageError`` with code ``bad-source`` when nothing fits.
    """
    text = spec.strip()
    if not text or text.startswith("-") or "\0" in text or "\n" in text:
        raise _nothing(spec)
    base = cwd or Path.cwd()
    for reader in _READERS:
        found = reader(text, base)
        if found is not None:
            break
    else:
        raise _nothing(spec)
    if not ref:
        return found
    if found.kind != "git":
        raise UsageError("bad-source", f"--ref {ref} needs a git URL", why=f"{hide(spec)} is not one")
    if found.ref and found.ref != ref:
        raise UsageError("bad-source", f"{hide(spec)} names {found.ref}, and --ref names {ref}", fix="give only one")
    return Source("git", found.spec, found.location, found.name, checked_ref(ref))


def hide(url: str) -> str:
    """The URL without user name, password and query (a query may carry a token)."""
    without = re.sub(r"(?<=://)[^/\s]*@", "", url)
    return re.sub(r"\?[^#\s]*", "", without) if "://" in without else without


def name_of_archive(filename: str) -> str:
    """``mmdetection-2.24.1.zip`` -> ``mmdetection``: the file's name without suffix, version and branch."""
    stem = strip_suffix(filename)
    return re.sub(r"-(?:v?\d[\w.+!]*|main|master|HEAD|[0-9a-f]{40})$", "", stem) or stem


def strip_suffix(filename: str) -> str:
    """The name without its archive suffix."""
    suffix = next((one for one in SUFFIXES if filename.lower().endswith(one)), "")
    return filename[: len(filename) - len(suffix)]


def checked_ref(ref: str) -> str:
    """A ref that git cannot mistake for an option or a range."""
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]*", ref) and ".." not in ref:
        return ref
    raise UsageError("bad-source", f"{ref!r} is not a branch, tag or commit", fix="give one that git rev-parse accepts")


def _pinned(text: str, _cwd: Path) -> Source | None:
    found = _PINNED.fullmatch(text)
    return Source("index", text, f"{found['name']}=={found['version']}", found["name"]) if found else None


def _git(text: str, _cwd: Path) -> Source | None:
    explicit = text.startswith("git+")
    url = text.removeprefix("git+")
    url, _, fragment = url.partition("#")
    if _SCP.fullmatch(url):
        host, _, path = url.partition(":")
        path, ref = _split_ref(path)
        url = f"{host}:{path}"
    elif "://" in url:
        if urlsplit(url).scheme.lower() not in _SCHEMES:
            raise UsageError(
                "bad-source",
                f"{hide(text)} has a scheme that Kobako does not fetch",
                fix="use https, http, ssh, git or file",
            )
        url, ref = _split_ref(url)
    else:
        return None
    if not explicit and strip_suffix(url) != url:
        raise UsageError(
            "bad-source",
            f"{hide(text)} is an archive on another machine",
            why="Kobako unpacks archives that lie here",
            fix="download it, then: kobako add FILE",
        )
    wanted = ref or _ref_of(fragment)
    return Source("git", text, url, _last_part(url), checked_ref(wanted) if wanted else "")


def _ref_of(fragment: str) -> str:
    """pip's fragments (egg=, subdirectory=) are no refs."""
    return "" if re.match(r"(?:egg|subdirectory)=", fragment) else fragment


def _split_ref(url: str) -> tuple[str, str]:
    """An ``@`` in the last part of the path introduces a ref; one in the host part is a user name."""
    head, slash, last = url.rpartition("/")
    if not slash and ":" not in url and "@" not in url:
        return url, ""
    kept, at, ref = last.partition("@")
    if at and kept:
        return f"{head}{slash}{kept}", ref
    # A branch may hold slashes: x.git@feature/y
    found = re.match(r"(.*\.git)@(.+)$", url)
    return (found[1], found[2]) if found else (url, "")


def _last_part(url: str) -> str:
    path = url.split("?", 1)[0].rstrip("/")
    return re.split(r"[/:]", path)[-1].removesuffix(".git")


def _local(text: str, cwd: Path) -> Source | None:
    path = Path(text).expanduser()
    path = path if path.is_absolute() else cwd / path
    try:
        if path.is_dir():
            real = path.resolve()
            return Source("folder", text, str(real), path.name if path.name not in {"", ".", ".."} else real.name)
        if path.is_file():
            return _archive(text, path)
    except OSError as error:
        raise UsageError("bad-source", f"{text} cannot be read", why=error.strerror or str(error)) from error
    if strip_suffix(text) != text or "/" in text:
        raise UsageError("bad-source", f"{text} does not exist")
    return None


def _archive(text: str, path: Path) -> Source:
    if strip_suffix(path.name) == path.name:
        raise UsageError(
            "bad-source",
            f"{text} is a file, but no archive that can be unpacked",
            fix=f"these can: {', '.join(SUFFIXES)}",
        )
    return Source("archive", text, str(path.absolute()), name_of_archive(path.name))


_READERS: tuple[Callable[[str, Path], Source | None], ...] = (_pinned, _git, _local)


def _nothing(spec: str) -> UsageError:
    name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*$", spec.strip())
    fix = f"name a version: kobako add {name[0]}==VERSION" if name else ""
    return UsageError(
        "bad-source",
        f"{hide(spec)!r} is not a source that can be had",
        why="it is neither a git URL, a folder, an archive nor NAME==VERSION",
        fix=fix,
    )
