"""uv, the program that resolves and installs: where it is, and pip's configuration in its words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kobako import process
from kobako.pipconfig import PipConfig


def program() -> str | None:
    """uv beside Kobako's own Python, or on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else process.which("uv")


def options(pip: PipConfig) -> list[str]:
    """Where pip looks for packages, as options of uv. They may hold credentials: never show or write them."""
    said = [f"--find-links={link}" for link in pip.find_links]
    said += [f"--extra-index-url={url}" for url in pip.extra_index_urls]
    if pip.extra_index_urls:
        said.append("--index-strategy=unsafe-best-match")  # as pip does it: the best of all indexes
    if pip.no_index:
        said.append("--no-index")
    elif pip.index_url:
        said.append(f"--index-url={pip.index_url}")
    said += [f"--allow-insecure-host={host}" for host in pip.trusted_hosts]
    return said + [f"--constraint={path}" for path in pip.constraints if os.path.exists(path)]


def environment(pip: PipConfig) -> dict[str, str]:
    """The certificate bundle and the proxy that pip uses, for uv."""
    env = {"SSL_CERT_FILE": pip.cert} if pip.cert else {}
    if pip.proxy:
        env.update({"HTTPS_PROXY": pip.proxy, "HTTP_PROXY": pip.proxy})
    return env
