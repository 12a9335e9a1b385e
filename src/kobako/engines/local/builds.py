"""Where PyTorch comes from on a machine without a GPU: a CPU build, rather than gigabytes of CUDA libraries."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kobako.engines.local.interpreters import Interpreter
from kobako.pipconfig import PipConfig

if TYPE_CHECKING:
    from packaging.version import Version


def has_gpu() -> bool:
    """Whether NVIDIA's driver is loaded here."""
    return os.path.exists("/proc/driver/nvidia/version") or os.path.exists("/dev/nvidiactl")


def offered(pip: PipConfig, interpreter: Interpreter) -> list[str]:
    """The versions of torch of which pip's find-links folders hold a CPU build for this interpreter, newest first."""
    found = {version for path in _wheels(pip.find_links) if (version := _fits(path, interpreter))}
    return sorted(found, key=_order, reverse=True)


def unpaired(packages: Mapping[str, str], interpreter: Interpreter) -> tuple[str, ...]:
    """Which packages are compiled for CUDA while torch is built for the CPU: importing one of them fails.

    ``packages`` are versions by name. For other machines the index has builds for the CPU, under plain versions.
    """
    if interpreter.machine != "x86_64" or not _is_cpu(packages.get("torch", "")):
        return ()
    return tuple(name for name in _COMPILED if name in packages and not _is_cpu(packages[name]))


_COMPILED = ("torchvision", "torchaudio")
"""Of torch's family, what the index has for CUDA alone. Tried with torchvision 0.28.0 to 0.29.2, the last of which is
said to fit every torch: its library wants CUDA's, and then "operator torchvision::nms does not exist".
"""


def _is_cpu(version: str) -> bool:
    return version.partition("+")[2].startswith("cpu")


def _wheels(links: Iterable[str]) -> Iterator[Path]:
    for link in links:
        folder = Path(unquote(urlsplit(link).path)) if link.startswith("file:") else Path(link)
        if folder.is_dir():
            yield from folder.glob("torch-*.whl")


def _fits(path: Path, interpreter: Interpreter) -> str:
    """The wheel's version where it runs on this interpreter without a GPU; "" elsewhere."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 - heavy

    try:
        _, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return ""
    short = interpreter.short.replace(".", "")
    runs = any(
        tag.interpreter == f"cp{short}"
        and tag.abi in {f"cp{short}", "abi3"}
        and "linux" in tag.platform
        and tag.platform.endswith(interpreter.machine)
        for tag in tags
    )
    cpu = version.local is not None and version.local.startswith("cpu")
    return str(version) if runs and (cpu or (version.local is None and not _wants_cuda(path))) else ""


def _wants_cuda(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as wheel:
            name = next(one for one in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
            return re.search(rb"^Requires-Dist: *nvidia", wheel.read(name), re.MULTILINE) is not None
    except (OSError, zipfile.BadZipFile, StopIteration):
        return True


def _order(version: str) -> Version:
    from packaging.version import Version  # noqa: PLC0415 - heavy

    return Version(version)
