"""What programs do that costs nothing bare must cost nothing through the entry script."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from entry.repository import NEWEST, OLDEST, PARSER, SETTINGS, Repository, option, python

CONFIG = "--config=configs/c.py"

LONG = {
    "one long line": "print('x' * 2_000_000)",
    "a long list": "print([0.123456] * 200_000)",
    "dots": "for _ in range(100_000):\n    print('.', end='', flush=True)\nprint()",
    "a bar": "for n in range(100_000):\n    print('\\r%6d/100000' % n, end='')\nprint()",
    "a bar the other way": "for n in range(100_000):\n    print('%6d/100000' % n, end='\\r')\nprint()",
    "long and never ended": "print('password=' * 100_000, end='')",
}


@pytest.mark.parametrize("how", LONG)
def test_long_lines_hold_nothing_up(tmp_path: Path, how: str) -> None:
    """Linear: a minute is a hundred times what it takes, and what was quadratic took many minutes."""
    repository = Repository(tmp_path, PARSER + LONG[how])
    outcome = repository.train(CONFIG, timeout=60)
    assert outcome.code == 0, outcome.stderr[-500:]
    log = repository.log
    if how == "dots":
        assert log.count(".") >= 100_000, "nothing of a line that was written in pieces is lost"
    if "bar" in how:
        assert len(log) < 1000, "of a bar the last state"
        assert "99999/100000" in log


POOLS = """\
import multiprocessing, os, time
def work(number):
    return number
if __name__ == "__main__":
    begin = time.monotonic()
    count = 0
    while time.monotonic() - begin < 8:
        with multiprocessing.get_context("fork").Pool(4) as pool:
            pool.map(work, range(8))
        count += 1
    print("pools:", count)
"""


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_pools_of_processes_end(tmp_path: Path, version: str) -> None:
    """They end their workers by SIGTERM, while these wait for locks."""
    repository = Repository(tmp_path, PARSER + POOLS, python=python(version))
    outcome = repository.train(CONFIG, timeout=90)
    assert outcome.code == 0, outcome.stderr[-500:]


FORKED = """\
import os, signal, sys, time
child = os.fork()
if child == 0:
    time.sleep(30)
    os._exit(0)
print(signal.getsignal(signal.SIGTERM) != signal.SIG_DFL)
os.kill(child, signal.SIGTERM)
print(os.waitpid(child, 0)[1] & 0x7F)
"""


def test_a_forked_child_is_ended_by_a_signal(tmp_path: Path) -> None:
    outcome = Repository(tmp_path, PARSER + FORKED).train(CONFIG)
    assert outcome.stdout.splitlines()[-2:] == ["True", str(int(signal.SIGTERM))]


OWN = SETTINGS._replace(options=(*SETTINGS.options, option("dataset_path", "--dataset_path", required=True)))


@pytest.mark.parametrize("words", [("--dataset_path=data",), ("--", "--dataset_path=data")])
def test_what_is_required_may_be_given_in_any_way(tmp_path: Path, words: tuple[str, ...]) -> None:
    code = "import sys\nprint(sys.argv[1:])\n"
    repository = Repository(tmp_path, code, OWN)
    repository.write("data/a.txt", "x")
    outcome = repository.train(CONFIG, *words)
    assert outcome.code == 0, outcome
    assert "--dataset_path=data" in outcome.stdout


def test_quotes_that_do_not_match(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    outcome = repository.train(CONFIG, "--cfg_options=a=it's")
    assert outcome.code == 2
    assert outcome.stderr.startswith("error: the quotes in --cfg_options do not match\n")
    assert repository.trace["status"] == "failed"
