"""pip's own configuration, read the way pip reads it: where packages come from, and how their host is trusted.

Kobako honours it wherever it talks to an index itself or passes the task on to uv, which does not read it.
Nothing of it is ever written into an image or a file of the project: index addresses may hold credentials.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_KEYS = (
    *("index-url", "extra-index-url", "find-links", "no-index", "constraint"),
    *("trusted-host", "cert", "client-cert", "proxy"),
)
_SECTIONS = ("global", "download", "install")
_YES = frozenset({"1", "true", "yes", "on", "y", "t"})


@dataclass(frozen=True)
class PipConfig:
    """What pip would use. ``index_url`` is "" for the public default; ``cert`` is the path of a bundle or ""."""

    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    no_index: bool = False
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    cert: str = ""
    client_cert: str = ""
    proxy: str = ""
    constraints: tuple[str, ...] = ()


def read(environ: Mapping[str, str] | None = None, home: Path | None = None) -> PipConfig:
    """pip's configuration for this user, from its files and the PIP_* variables; the later one wins."""
    env = os.environ if environ is None else environ
    values: dict[str, str] = {}
    for path in files(env, home or Path.home()):
        values.update(_from_file(path))
    values.update({key: env[name] for key in _KEYS if (name := "PIP_" + key.upper().replace("-", "_")) in env})
    return _made(values)


def files(env: Mapping[str, str], home: Path) -> list[Path]:
    """The configuration files that pip looks at, in the order in which later ones override earlier ones."""
    named = env.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    system = [Path(folder) / "pip" / "pip.conf" for folder in _words(env.get("XDG_CONFIG_DIRS", "/etc/xdg"), ":")]
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    user = [home / ".pip" / "pip.conf", config / "pip" / "pip.conf"]
    site = [Path(env.get("VIRTUAL_ENV") or sys.prefix) / "pip.conf"]
    return [*reversed(system), Path("/etc/pip.conf"), *user, *site, *([Path(named)] if named else [])]


def _words(text: str, separator: str | None = None) -> list[str]:
    return [word for word in text.split(separator) if word]


def _from_file(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return {}  # pip itself reports a broken file whenever it runs; it is not Kobako's to judge
    found: dict[str, str] = {}
    for section in _SECTIONS:
        if parser.has_section(section):
            found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return {key: value for key, value in found.items() if key in _KEYS}


def _made(values: Mapping[str, str]) -> PipConfig:
    return PipConfig(
        index_url=values.get("index-url", "").strip(),
        extra_index_urls=tuple(_words(values.get("extra-index-url", ""))),
        no_index=values.get("no-index", "").strip().lower() in _YES,
        find_links=tuple(_home(link) for link in _words(values.get("find-links", ""))),
        trusted_hosts=tuple(_words(values.get("trusted-host", ""))),
        cert=_home(values.get("cert", "").strip()),
        client_cert=_home(values.get("client-cert", "").strip()),
        proxy=values.get("proxy", "").strip(),
        constraints=tuple(_home(path) for path in _words(values.get("constraint", ""))),
    )


def _home(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~") else path
