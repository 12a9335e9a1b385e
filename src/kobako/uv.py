"""uv, the program that resolves and installs: where it is, and pip's configuration in its words."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kobako import process

if TYPE_CHECKING:
    from kobako.pipconfig import PipConfig


def program() -> str | None:
    """uv beside Kobako's own Python, or on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else process.which("uv")


def flags(pip: PipConfig) -> list[str]:
    """What pip's configuration says and everybody may see."""
    said = [f"--find-links={link}" for link in pip.find_links]
    if pip.extra_index_urls:
        said.append("--index-strategy=unsafe-best-match")  # as pip does it: the best of all indexes
    if pip.no_index:
        said.append("--no-index")
    said += [f"--allow-insecure-host={host}" for host in pip.trusted_hosts]
    return said + [f"--constraint={path}" for path in pip.constraints if os.path.exists(path)]


def indexes(pip: PipConfig) -> dict[str, str]:
    """The indexes, as variables: an address may hold credentials, and a list of processes shows arguments."""
    said = {"UV_EXTRA_INDEX_URL": " ".join(pip.extra_index_urls)} if pip.extra_index_urls else {}
    if pip.index_url and not pip.no_index:
        said["UV_INDEX_URL"] = pip.index_url
    return said


def environment(pip: PipConfig) -> dict[str, str]:
    """The certificate bundle and the proxy that pip uses, for uv."""
    env = {"SSL_CERT_FILE": pip.cert} if pip.cert else {}
    if pip.proxy:
        env.update({"HTTPS_PROXY": pip.proxy, "HTTP_PROXY": pip.proxy})
    return env
