"""What a training is trusted with is read in none of its files, however the program prints it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from entry.repository import NEWEST, OLDEST, PARSER, Repository, python
from infra.run import run

PRINTS = PARSER.replace(
    "args = parser",
    "parser.add_argument('--api-key')\nparser.add_argument('--hf-token')\nparser.add_argument('--pad_token')\nargs = parser",
) + (
    "print(vars(args), os.environ['WANDB_API_KEY'], os.environ['SHORT_TOKEN'], flush=True)\n"
    "print('token acc: 0.5 at https://me:address-secret@host/x', file=sys.stderr)\n"
    "raise ValueError('no login with ' + args.api_key)\n"
)
WORDS = ("--config=configs/c.py", "--api-key=option-secret", "--hf-token", "word-secret", "--pad_token=<padding>")
SECRETS = ("option-secret", "word-secret", "variable-secret", "address-secret", "written-secret", "coded-secret")
VARIABLES = {"WANDB_API_KEY": "variable-secret", "SHORT_TOKEN": "abc"}


def everything(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_no_file_of_a_run_holds_a_credential(tmp_path: Path, version: str) -> None:
    repository = Repository(tmp_path, PRINTS, python=python(version))
    repository.write("configs/c.py", "wandb = dict(api_key='written-secret', pad_token='<padding>')\n")
    git = ["git", "-C", str(tmp_path / "demo"), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / "demo/tools/train.py").write_text(PRINTS + "# API_KEY = 'coded-secret', token = next(words)\n")
    outcome = repository.train(*WORDS, env=VARIABLES)
    assert outcome.code == 1
    assert "option-secret" in outcome.stdout  # what the program says to its caller is the program's
    found = everything(repository.trace_folder)
    assert {"run.json", "log.txt", "c.py", "error-rank0.txt", "source.patch"} <= set(found)
    assert [(name, one) for name, text in found.items() for one in SECRETS if one in text] == []
    assert "'pad_token': '<padding>'} *** abc\ntoken acc: 0.5 at https://***@host/x\n" in repository.log
    assert found["c.py"] == "wandb = dict(api_key='***', pad_token='<padding>')\n"
    assert "+# API_KEY = '***', token = next(words)\n" in found["source.patch"]
    assert repository.trace["error"]["message"] == "no login with ***"


def test_workers_know_them_too(tmp_path: Path) -> None:
    """A process of torchrun gets its words from the first one, and has the same list."""
    repository = Repository(tmp_path, PRINTS)
    loads = (
        "import json, os, sys; sys.argv = ['x']; import importlib.util as u;"
        "spec = u.spec_from_file_location('entry', 'demo/tools/clearml_train.py'); m = u.module_from_spec(spec);"
        "spec.loader.exec_module(m); folder = os.path.join('demo/work_dirs/.runs/r'); os.makedirs(folder + '/ranks');"
        "given = m.Given(json.loads(os.environ['WORDS'])); job = dict(m.prepare(given), folder=folder, several=True);"
        "os.environ[m.JOB] = json.dumps(job); sys.exit(m.work())"
    )
    env = {**VARIABLES, "WORDS": json.dumps(WORDS)}
    done = run([repository.python, "-c", loads], cwd=tmp_path, env=repository.environment(env))
    assert done.code == 1, done
    found = everything(repository.trace_folder)
    assert {"log.txt", "0.json"} <= set(found)
    assert [(name, one) for name, text in found.items() for one in SECRETS if one in text] == []
