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

_OUTSIDE = re.compile(
    r"(?i)(?:path|home|user|logname|tmpdir|lang|lc_\w+|xdg_\w+|ssl_cert_\w+|(?:http|https|no|all)_proxy)$"
)


def outside(env: Mapping[str, str]) -> dict[str, str]:
    """What uv outside needs of the caller's variables. It puts variables into addresses that a stranger wrote."""
    return {name: value for name, value in env.items() if _OUTSIDE.match(name)}


def proxies(env: Mapping[str, str]) -> dict[str, str]:
    """The proxies that a stranger's code may know of: not one with a password."""
    wanted = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
    return {name: value for name, value in env.items() if name.lower() in wanted and "@" not in value}


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
    """The configuration without the addresses that have credentials in them."""
    return replace(
        settings,
        index_url="" if _is_secret(settings.index_url) else settings.index_url,
        extra_index_urls=tuple(url for url in settings.extra_index_urls if not _is_secret(url)),
        find_links=tuple(link for link in settings.find_links if not _is_secret(link)),
        proxy="" if "@" in settings.proxy else settings.proxy,
    )


def _is_secret(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.username or parts.password)


def names_index(variable: str, arguments: Sequence[str]) -> bool:
    """Whether the line itself says where its packages come from."""
    return variable == "UV_INDEX_URL" and bool({"--index-url", "-i", "--default-index"} & set(arguments))


def _is_file(url: str) -> bool:
    return url.startswith("file:")


_FILES = ("/etc/pip.conf", "/root/.config/pip/pip.conf", "/root/.pip/pip.conf", "/etc/xdg/pip/pip.conf")


def configures_pip(root: Path) -> bool:
    """Whether an image has a configuration of its own for pip."""
    return any(within(root, path).exists() for path in _FILES)


def variables(settings: PipConfig, root: Path) -> dict[str, str]:
    """pip's configuration for pip inside, in its own variables: what a stranger's code may see of it. They would go
    before a configuration of the image's own: then only the certificate is told.
    """
    shown = without_secrets(settings)
    certificates = {name: shown.cert for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if shown.cert}
    if configures_pip(root):
        return certificates
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
