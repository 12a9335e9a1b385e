"""``apt-get`` inside: nothing can be installed into a system that is read-only, but whether it is there can be told.

While an environment is built, a package that this machine lacks is noted and the build goes on; by hand it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kobako import process
from kobako.workspace import write_text

MISSING = "/opt/kobako/missing.txt"
LISTED = "/opt/kobako/debian.txt"
BUILDING = "KOBAKO_BUILDING"
NAMES = ("apt", "apt-get", "aptitude")
HAD_ALREADY = frozenset(
    ["python3", "python3-pip", "python3-venv", "python3-dev", "python-is-python3", "python3-setuptools"]
)
"""What an environment brings itself."""

_SCRIPT = r"""#!/bin/sh
# Stands in for apt: the local engine of Kobako uses this machine's own packages, and installs none.
verb= skip= missing=
for word; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case "$word" in
    -o|-c|-t|-a|--option|--config-file|--target-release|--default-release|--host-architecture) skip=1; continue;;
    -*) continue;;
  esac
  if [ -z "$verb" ]; then verb=$word; continue; fi
  [ "$verb" = install ] || continue
  name=${word%%[=:/]*}
  case "$name" in python3|python3-pip|python3-venv|python3-dev|python-is-python3|python3-setuptools) continue;; esac
  case "$name" in *.deb) ;; *) grep -qx -- "$name" /opt/kobako/debian.txt 2>/dev/null && continue;; esac
  missing="$missing $name"
done
[ -n "$missing" ] || exit 0
echo "not on this machine, and the local engine installs no system packages:$missing" >&2
[ -n "$KOBAKO_BUILDING" ] || exit 100
for name in $missing; do echo "$name"; done >> /opt/kobako/missing.txt
"""


_OWNERS = r"""#!/bin/sh
# Stands in for a program of the system: inside, everything belongs to root, and nobody else can own a file.
said=$(LC_ALL=C "/usr/bin/${0##*/}" "$@" 2>&1) && { [ -z "$said" ] || echo "$said"; exit 0; }
said=$(echo "$said" | grep -v ': Invalid argument$')
[ -n "$said" ] || exit 0
echo "$said" >&2
exit 1
"""


def write(folder: Path) -> None:
    """Make the stand-ins in a folder."""
    folder.mkdir(parents=True)
    scripts = {**dict.fromkeys(NAMES, _SCRIPT), "chown": _OWNERS, "chgrp": _OWNERS}
    for name, script in scripts.items():
        path = folder / name
        path.write_text(script, encoding="ascii")
        path.chmod(0o755)


def listing(folder: Path) -> Path:
    """A file with the packages that this machine has now."""
    path = folder / "debian.txt"
    write_text(path, "".join(f"{name}\n" for name in sorted(installed() or ())))
    return path


def installed() -> frozenset[str] | None:
    """The Debian packages of this machine; None where it is no Debian."""
    outcome = process.ask(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"])
    if not outcome.ok:
        return None
    return frozenset(re.findall(r"^(\S+) installed$", outcome.stdout, re.MULTILINE))


def absent(wanted: Iterable[str], there: frozenset[str] | None) -> list[str]:
    """Which of the packages are not there. Newer systems rename libraries: libglib2.0-0 is libglib2.0-0t64 there."""
    if there is None:
        return []
    return [name for name in wanted if not {name, f"{name}t64"} & (there | HAD_ALREADY)]


def noted(content: bytes) -> list[str]:
    """The names in the list that the stand-ins have written; what is no package's name is none."""
    words = content.decode("ascii", "replace").split()
    return [name for name in dict.fromkeys(words) if re.fullmatch(r"[a-z0-9][a-z0-9.+-]{0,80}", name)][:100]
