"""Direct references: addresses and paths that stand where a package's name usually does. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
"""What pip replaces from its environment."""

_VCS = re.compile(r"(?:git|hg|svn|bzr)\+")
_URL = re.compile(r"(?:https?|file|ssh|git)://|(?:git|hg|svn|bzr)\+|file:|git@[\w.-]+:")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_SCP = re.compile(r"(?:git\+)?(?:ssh://)?([\w.-]+@[\w.-]+):(?!\d+/)/?(?=\w)")
_REPOSITORY = re.compile(
    r"https?://(?:www\.)?(?:github|gitlab)\.com/[\w.-]+/[\w.-]+/?(?=$|[@#])|https?://[^#?]+\.git(?=$|[@#])"
)
_SNAPSHOT = re.compile(r"//(?:www\.)?(?:github|gitlab)\.com/[\w.-]+/([\w.-]+)/(?:-/)?(?:archive|tarball|zipball)/")


class Target(NamedTuple):
    """A direct reference taken apart. ``url`` keeps the subdirectory, and nothing else, as its fragment."""

    url: str
    name: str
    extras: tuple[str, ...] = ()


def is_direct(text: str) -> bool:
    return _URL.match(text) is not None


def is_path(text: str) -> bool:
    """Whether it is a file or a folder, on whatever system."""
    if text.startswith((".", "/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", text):
        return True
    if text.lower().endswith(_ARCHIVES) and "@" not in text:
        return True
    return re.fullmatch(r"[^\s@:;<>=]+[/\\][^\s@:;<>=]*", text) is not None


def address(url: str) -> str:
    """As pip takes it: a repository with ``git+``, never in the form that only ssh knows (``git@host:path``)."""
    url = _SCP.sub(r"git+ssh://\1/", url, count=1) if _SCP.match(url) else url
    if url.startswith("git://github.com/"):
        return f"git+https{url.removeprefix('git')}"  # GitHub ended the other protocol in 2022
    if url.startswith(("git://", "ssh://")) or _REPOSITORY.match(url):
        return f"git+{url}"
    return url


def target(text: str) -> Target:
    url, _, fragment = address(text.strip()).partition("#")
    options = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    name, bracket, rest = unquote(options.get("egg", "")).partition("[")
    extras = tuple(sorted(filter(None, (one.strip() for one in rest.rstrip("]").split(","))))) if bracket else ()
    name = re.split(r"[=<>!~]", name, maxsplit=1)[0].strip() or _name_of(url)
    if "subdirectory" in options:
        url = f"{url}#subdirectory={options['subdirectory']}"
    return Target(url, name, extras)


def is_broken(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return True
    return False


def file_name(url: str) -> str:
    """The last piece of an address."""
    return unquote(url.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2])


def without_credentials(url: str) -> str:
    """Without user name and password. The user name of ssh is kept: it is no secret, and it is needed."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return re.sub(r"(?<=://)[^/@\s]*@", "", url)
    user, at, host = parts.netloc.rpartition("@")
    if not at or (parts.scheme.endswith("ssh") and ":" not in user):
        return url
    return parts._replace(netloc=host).geturl()


def _name_of(url: str) -> str:
    """A reference that names no package: its file's or repository's name."""
    if match := _SNAPSHOT.search(url):
        return match[1]
    path = unquote(url.partition("://")[2] or url).partition("?")[0].partition("/")[2]
    if _VCS.match(url):
        return path.partition("@")[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
    last = file_name(url)
    if last.endswith(".whl"):
        return last.split("-", 1)[0]
    for suffix in _ARCHIVES:
        last = last.removesuffix(suffix)
    return re.sub(r"-v?\d.*$", "", last)
