"""``kobako scan`` in a process of its own that may not use more than so much, and the trees that it is let loose on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CPU_S = 45
MEMORY = 1024**3
BLOCKED_S = 240
"""Wall-clock. No scan takes this long: one that does waits for something (a FIFO's other end)."""

_SCAN = """
import resource, runpy, sys
cpu, memory = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
sys.argv = ["kobako", "scan", *sys.argv[3:], "--json"]
runpy.run_module("kobako", run_name="__main__")
"""

_SCAN_EACH = """
import json, resource, sys
from pathlib import Path
from kobako.scan import scan
cpu, memory = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
for name in sys.argv[3:]:
    print(name, *[one.name for one in scan(Path(name)).requirements], flush=True)
"""

INNOCENT = "numpy>=1.2\n"
"""What each tree declares besides: it must be in the answer."""

EVERY_KIND = (
    *("README.md", "INSTALL.rst", "docs/install.md", ".github/workflows/ci.yml", ".gitlab-ci.yml", ".travis.yml"),
    *(".circleci/config.yml", "Dockerfile", "docker/Dockerfile", "docker-compose.yml", "environment.yml", "Pipfile"),
    *("settings.ini", "setup.cfg", "pyproject.toml", "setup.py", "train.py", "pkg/__init__.py", "look.ipynb"),
    *("requirements/runtime.txt", "requirements/mminstall.txt", "requirements/dev.txt", "tox.ini", "install.sh"),
)
"""A file of each kind that a reader reads, requirements.txt aside."""

YAMLS = tuple(name for name in EVERY_KIND if name.endswith(".yml"))


def scanned(root: Path | str, *, cpu: int = CPU_S, through: Sequence[str] = ()) -> dict[str, Any]:
    """The data of ``kobako scan --json``, which must give some: it must not crash, and not end by a limit.

    ``through`` is a program that starts it.
    """
    argv = [*through, sys.executable, "-c", _SCAN, str(cpu), str(MEMORY), str(root)]
    done = subprocess.run(argv, capture_output=True, timeout=BLOCKED_S, check=False)
    assert done.returncode >= 0, f"ended by signal {-done.returncode}"
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["status"] in {"ok", "partial"}, answer["problems"]
    data: dict[str, Any] = answer["data"]
    return data


def each_scanned(roots: Sequence[Path]) -> dict[str, set[str]]:
    """The names of the requirements of many small trees by the tree's, all read by one process."""
    argv = [sys.executable, "-c", _SCAN_EACH, str(CPU_S), str(MEMORY), *map(str, roots)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=BLOCKED_S, check=False)
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{done.returncode} after {lines[-1:]}: {done.stderr[-2000:]}"
    return {Path(line[0]).name: set(line[1:]) for line in lines}


@contextmanager
def removed(folder: Path) -> Iterator[Path]:
    """A folder that is gone afterwards: pytest would keep 300,000 files for three sessions."""
    folder.mkdir()
    yield folder
    # Programs, since what Python offers gives up on folders that are thousands deep.
    subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", folder], check=True)


def names(data: Mapping[str, Any]) -> set[str]:
    return {one["name"] for one in data["requirements"]}


def write(root: Path, name: str, text: str | bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def everywhere(root: Path, text: str | bytes) -> None:
    """One text as every kind of file that is read, and something innocent."""
    for name in EVERY_KIND:
        write(root, name, text)
    write(root, "requirements.txt", INNOCENT)
