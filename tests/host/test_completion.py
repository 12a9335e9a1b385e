"""Completion as bash asks for it: its own function, started by its own `complete`."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from infra import run

COMPOSE = "services:\n  web_box:\n    image: x\n    container_name: WebBox\n  db:\n    image: y\n"

# what bash sets before it calls the function that `complete -p` names
SCRIPT = """\
kobako() { %s -m kobako "$@"; }
eval "$(kobako completion bash)" || exit
set -- $(complete -p kobako)
while [[ $1 != -F ]]; do shift; done
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9
$2 kobako 2>/dev/null
printf '%%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return tmp_path


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("kobako doc", ["doctor "]),
        ("kobako build ", ["WebBox", "db", "web_box"]),
        ("kobako -v train w", ["web_box "]),
        ("kobako rm --fo", ["--force "]),
        ("kobako --engine l", ["local "]),
    ],
)
def test_bash(workspace: Path, line: str, wanted: list[str]) -> None:
    script = SCRIPT % shlex.quote(sys.executable)
    env = run.kobako_environment() | {"LINE": line}
    outcome = run.run(["bash", "--norc", "-c", script], cwd=workspace, env=env)
    assert outcome.code == 0, outcome
    assert outcome.stdout.splitlines() == wanted
    assert outcome.stderr == ""


def test_without_a_workspace_nothing_is_said(tmp_path: Path) -> None:
    env = run.kobako_environment() | {"_ARGCOMPLETE": "1", "COMP_LINE": "kobako build ", "COMP_POINT": "13"}
    told = tmp_path / "told"
    outcome = run.run(run.kobako_argv(), cwd=tmp_path, env=env | {"_ARGCOMPLETE_STDOUT_FILENAME": str(told)})
    assert (outcome.code, outcome.stdout, outcome.stderr, told.read_text()) == (0, "", "", "")
