"""By which names a repository goes, so that instructions to install it are told from instructions to install others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from kobako.scan.declaring.spelling import normalised
from kobako.scan.tree import Tree

_DECLARED = re.compile(
    r"""(?:^|[\s(,{])["']?(?:name|lib_name|NAME|PACKAGE_NAME)"""
    r"""["']?[ \t]{0,20}[=:][ \t]{0,20}["']([A-Za-z0-9][\w.-]{0,80})["']"""
    r"""|^(?:name|lib_name)[ \t]{0,20}[=:][ \t]{0,20}([A-Za-z0-9][\w.-]{0,80})[ \t\r]*$""",
    re.MULTILINE,
)
_DECLARING = ("setup.py", "pyproject.toml", "setup.cfg", "settings.ini")
_ADDRESS = re.compile(
    r"(?:https?://|git@|ssh://git@|git://)?(?:www\.)?(?:github\.com|gitlab\.com|gitee\.com"
    r"|bitbucket\.org)[/:]([\w.-]{1,80})/([\w.-]{1,100})"
)
_TITLE = re.compile(r"\A(?:\s|<[^>]{0,400}>|!\[[^\]]{0,200}\]\([^)]{0,400}\)){0,60}#\s+([^\n]{1,200})")
_NOT_A_NAME = frozenset(
    {
        *(
            "pytorch",
            "torch",
            "python",
            "tensorflow",
            "keras",
            "jax",
            "numpy",
            "installation",
            "readme",
            "introduction",
        ),
        *(
            "tests",
            "test",
            "docs",
            "tools",
            "utils",
            "datasets",
            "models",
            "scripts",
            "examples",
            "src",
            "main",
            "self",
        ),
        *(
            "data",
            "lib",
            "configs",
            "config",
            "core",
            "ops",
            "notebooks",
            "code",
            "master",
            "repo",
            "overview",
            "setup",
        ),
    }
)
_VERSION_TAIL = re.compile(r"-v?\d[\w.]*$|-(?:master|main|develop)$")


class Own(NamedTuple):
    """Names, PEP 503 normalised, and addresses (``owner/name`` in lower case)."""

    names: frozenset[str]
    addresses: frozenset[str]

    def has_name(self, name: str) -> bool:
        return normalised(name) in self.names

    def has_address(self, url: str) -> bool:
        """Whether a URL is that of this repository, of a fork of it, or of one that goes by its name."""
        address = address_of(url)
        return address in self.addresses or self.has_name(repository_of(url))


def own_of(tree: Tree) -> Own:
    """The folder's name, the README's title, the declared name, the package's folder and the declared addresses."""
    names = {_VERSION_TAIL.sub("", tree.root.resolve().name)}
    addresses: set[str] = set()
    for file in _DECLARING:
        text = tree.read(file) or ""
        names.update(quoted or plain for quoted, plain in _DECLARED.findall(text))
        addresses.update(_addresses(text))
    readme = next((name for name in tree.names("") if name.lower() in {"readme.md", "readme.rst", "readme"}), "")
    text = tree.read(readme) or ""
    if title := _TITLE.match(text):
        names.add(
            re.sub(r"[^\w.-]+", "-", re.split(r"[:(\[|\u2013\u2014]|\s-\s", re.sub(r"[*_`]", "", title[1]))[0].strip())
        )
    if any(tree.is_file(one) for one in ("setup.py", "pyproject.toml")):
        names.update(_packages(tree))
    addresses |= _most_linked(text)
    return Own(frozenset(normalised(one) for one in names if one.lower() not in _NOT_A_NAME), frozenset(addresses))


def address_of(url: str) -> str:
    """``owner/name`` of a repository's URL, in lower case; "" for other hosts."""
    found = _ADDRESS.search(url)
    return f"{found[1]}/{_bare(found[2])}".lower() if found else ""


def repository_of(url: str) -> str:
    """The repository's own name: the last part of its URL."""
    path = url.partition("#")[0].partition("?")[0].rstrip("/")
    path = re.sub(r"(?<=[\w])@[\w./-]+$", "", path) if "://" in path else path
    return _bare(re.split(r"[/:]", path)[-1])


def _bare(name: str) -> str:
    return name.removesuffix(".git")


def _addresses(text: str) -> Iterable[str]:
    return (f"{owner}/{_bare(name)}".lower() for owner, name in _ADDRESS.findall(text))


def _most_linked(text: str) -> set[str]:
    """The repository that a README links to again and again (badges, issues, releases) is its own."""
    counts: dict[str, int] = {}
    for one in _addresses(text[:400_000]):
        counts[one] = counts.get(one, 0) + 1
    ranked = sorted(counts.values(), reverse=True)
    if not ranked or ranked[0] < 4 or (len(ranked) > 1 and ranked[0] < 2 * ranked[1]):
        return set()
    return {one for one, count in counts.items() if count == ranked[0]}


def _packages(tree: Tree) -> Iterable[str]:
    for name in tree.files:
        parts = name.split("/")
        if parts[-1] == "__init__.py" and (len(parts) == 2 or (len(parts) == 3 and parts[0] == "src")):
            yield parts[-2]
