"""Where packages come from, and how much of that a stranger's code may see while it is built. Pure, but for paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kobako.pipconfig import PipConfig

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*(?:[<>=!~;(].*)?(?:\s--hash=\S+)*$")


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


def is_plain(text: str) -> bool:
    """Whether a requirements file names packages of the index alone: no other files, no addresses, no checkouts."""
    lines = (re.sub(r"(?:^|\s)#.*", "", line).strip() for line in text.replace("\\\n", " ").splitlines())
    return all(not line or _PLAIN.match(line) for line in lines)


def _is_file(url: str) -> bool:
    return url.startswith("file:")
