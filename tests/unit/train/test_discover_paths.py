"""PYTHONPATH, as the repository's own scripts and texts set it."""

from __future__ import annotations

import time

import pytest

from kobako.train.entry import paths
from kobako.train.entry.repository import Repository

IN_SHELL: tuple[tuple[str, list[str]], ...] = (
    ('PYTHONPATH="$(dirname $0)/..":$PYTHONPATH \\\npython x.py', ["."]),
    ('PYTHONPATH=$(dirname "$0")/..:$PYTHONPATH python x.py', ["."]),
    ('PYTHONPATH="`dirname $0`/..":$PYTHONPATH', ["."]),
    ('PYTHONPATH="$(dirname "${BASH_SOURCE[0]}")/../src:$PYTHONPATH"', ["src"]),
    ("PYTHONPATH=. python x.py", ["."]),
    ("export PYTHONPATH=$PYTHONPATH:`pwd`", ["."]),
    ("export PYTHONPATH=$PYTHONPATH:`pwd`:`pwd`/slim", [".", "slim"]),
    ('export PYTHONPATH="${PYTHONPATH}:${PWD}/src"', ["src"]),
    ("export PYTHONPATH=$(pwd)/lib:$PYTHONPATH", ["lib"]),
    ('export PYTHONPATH="$PYTHONPATH:$(realpath ./third_party)"', ["third_party"]),
    ("ROOT=$(dirname $0)/..\nexport PYTHONPATH=$ROOT/src:$PYTHONPATH", ["src"]),
    ('HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\nPYTHONPATH="$HERE/..:$PYTHONPATH"', ["."]),
    ("PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}src", ["src"]),
    ("export PYTHONPATH=/home/me/code:$PYTHONPATH", []),
    ("export PYTHONPATH=~/code:$MY_CODE:$UNKNOWN/src", []),
    ("export PYTHONPATH=$(find . -name x):$PYTHONPATH", []),
    ("export PYTHONPATH=../..:../../../etc", []),
    ("echo $PYTHONPATH", []),
    ("A=$A\nB=$A$B\nexport PYTHONPATH=$B", []),
)


@pytest.mark.parametrize(("text", "folders"), IN_SHELL, ids=[text[:50] for text, _ in IN_SHELL])
def test_what_a_shell_script_sets(text: str, folders: list[str]) -> None:
    assert list(paths.in_text(text, "tools")) == folders


def repository(files: dict[str, str]) -> Repository:
    return Repository(tuple(sorted(files)), files.get)


def test_scripts_beside_and_those_that_name_it() -> None:
    files = {
        "tools/train.py": "",
        "tools/dist_train.sh": 'PYTHONPATH="$(dirname $0)/../extra":$PYTHONPATH python train.py',
        "scripts/go.sh": "PYTHONPATH=lib python tools/train.py",
        "scripts/other.sh": "PYTHONPATH=other python eval.py",
        "README.md": "run `PYTHONPATH=$PYTHONPATH:./slim python tools/train.py`",
        "extra/a.py": "",
        "lib/b.py": "",
        "other/c.py": "",
        "slim/d.py": "",
    }
    assert paths.of(repository(files), "tools/train.py") == (".", "extra", "lib", "slim")


def test_what_is_not_there_is_left_out() -> None:
    files = {"train.py": "", "run.sh": "PYTHONPATH=gone:src python train.py", "src/a.py": ""}
    assert paths.of(repository(files), "train.py") == (".", "src")


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ({"train.py": "import pkg.data\n", "src/pkg/__init__.py": "", "src/pkg/data.py": ""}, (".", "src")),
        ({"tools/train.py": "from models import x\n", "lib/models/x.py": ""}, (".", "lib")),
        ({"train.py": "import pkg\n", "src/pkg/__init__.py": "", "pkg/__init__.py": ""}, (".",)),
        ({"src/train.py": "import pkg\n", "src/pkg/__init__.py": ""}, (".",)),
        ({"train.py": "import torch\n", "src/pkg/__init__.py": ""}, (".",)),
        ({"train.py": "def f(:\n", "src/pkg/__init__.py": ""}, (".",)),
    ],
)
def test_packages_below_the_top(files: dict[str, str], folders: tuple[str, ...]) -> None:
    assert paths.of(repository(files), next(name for name in files if name.endswith("train.py"))) == folders


@pytest.mark.parametrize("unit", ["$(", "`", "$A", "PYTHONPATH=", "${PYTHONPATH:+", "$(cd ", '"'])
def test_a_long_text_takes_no_time(unit: str) -> None:
    line = f"PYTHONPATH={unit * (1_900 // len(unit))}"
    started = time.monotonic()
    assert len(list(paths.in_text(f"A=x\nA={'$A' * 900}\nA={'$A' * 900}\n{line}\n" * 20 + unit * 100_000, ""))) < 100
    assert time.monotonic() - started < 2
