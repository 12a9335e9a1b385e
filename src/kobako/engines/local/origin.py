"""Where packages come from, and how much of that a stranger's code may see while it is built. Pure, but for paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kobako.engines.local.paths import within
from kobako.pipconfig import PipConfig


def proxies(env: Mapping[str, str]) -> dict[str, str]:
    wanted = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
    return {name: value for name, value in env.items() if name.lower() in wanted}


def folders(settings: PipConfig, env: Mapping[str, str]) -> tuple[str, ...]:
    """What uv inside has to see of this machine: folders with packages, certificates, constraints."""
    indexes = [unquote(urlsplit(one).path) for one in (*settings.extra_index_urls, settings.index_url) if _is_file(one)]
    # an index's pages may point to files beside its folder
    home = os.path.realpath(env.get("HOME") or Path.home())
    beside = [os.path.dirname(os.path.realpath(one)) for one in indexes]
    indexes += [one for one in beside if one.count("/") > 1 and not f"{home}/".startswith(f"{one}/")]
    links = [unquote(urlsplit(one).path) if _is_file(one) else one for one in settings.find_links]
    paths = [*indexes, *(one for one in links if one.startswith("/")), settings.cert, *settings.constraints]
    return tuple(path for path in dict.fromkeys(sorted(paths)) if path and os.path.exists(path))


def without_secrets(settings: PipConfig) -> PipConfig:
    """The configuration without the indexes that have credentials in their address."""
    extra = tuple(url for url in settings.extra_index_urls if not urlsplit(url).password and not urlsplit(url).username)
    main = urlsplit(settings.index_url)
    return replace(
        settings,
        index_url="" if main.username or main.password else settings.index_url,
        extra_index_urls=extra,
        proxy="" if "@" in settings.proxy else settings.proxy,
    )


def names_index(variable: str, arguments: Sequence[str]) -> bool:
    """Whether the line itself says where its packages come from."""
    return variable == "UV_INDEX_URL" and bool({"--index-url", "-i", "--default-index"} & set(arguments))


LISTS = frozenset({"-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints"})
"""Options whose value is a requirements file."""

_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*(?:[<>=!~;(].*)?$")
_HASHES = re.compile(r"\s--hash[= ]\S+")
_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)(?:[= ]\s*|(?<=^-[rcif]))?(.*)$")
_ADDRESSES = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links"})
_HARMLESS = frozenset({"--pre", "--trusted-host", "--require-hashes", "--prefer-binary", "--no-index"})
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_DEEP = 10


def is_plain(root: Path, inside: str, depth: int = 0) -> bool:
    """Whether a requirements file, and those that it names, name packages of an index alone: no other files of the
    machine that it is read on, no checkouts, nothing to be built.
    """
    path = within(root, inside)
    # a link may mean something else outside
    expected = os.path.join(os.path.realpath(root), os.path.relpath(path, root))
    if depth > _DEEP or os.path.realpath(path) != expected or not path.is_file():
        return False
    text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    lines = (re.sub(r"(?:^|\s)#.*", "", line).strip() for line in text.splitlines())
    return all(_is_plain_line(root, inside, line, depth) for line in lines if line)


def _is_plain_line(root: Path, inside: str, line: str, depth: int) -> bool:
    if not line.startswith("-"):
        named = _HASHES.sub("", line).strip()
        return _NAMED.match(named) is not None and not named.lower().endswith(_ARCHIVES)
    found = _OPTION.match(line)
    option, value = (found[1], found[2].strip()) if found else ("", "")
    if option in LISTS:
        nested = os.path.join(os.path.dirname(inside), value)
        outside = os.path.join(os.path.dirname(within(root, inside)), value)
        same = not os.path.isabs(value) and os.path.normpath(outside) == str(within(root, nested))
        return same and is_plain(root, nested, depth + 1)
    if option in _ADDRESSES:
        return value.startswith(("https://", "http://"))
    return option in _HARMLESS


def _is_file(url: str) -> bool:
    return url.startswith("file:")


def variables(settings: PipConfig) -> dict[str, str]:
    """pip's configuration for pip inside, in its own variables: what a stranger's code may see of it."""
    shown = without_secrets(settings)
    said = {
        "PIP_INDEX_URL": shown.index_url,
        "PIP_EXTRA_INDEX_URL": " ".join(shown.extra_index_urls),
        "PIP_FIND_LINKS": " ".join(shown.find_links),
        "PIP_TRUSTED_HOST": " ".join(shown.trusted_hosts),
        "PIP_NO_INDEX": "1" if shown.no_index else "",
        "PIP_PROXY": shown.proxy,
        **dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), shown.cert),
    }
    return {name: value for name, value in said.items() if value}
