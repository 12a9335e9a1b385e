"""What can be known before training is said at once, with what to do, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from entry.repository import NEWEST, OLDEST, PARSER, SETTINGS, Repository, python

CONFIG = "--config=configs/c.py"


def refused(repository: Repository, *words: str) -> str:
    outcome = repository.train(*words)
    assert (outcome.code, outcome.stdout) == (2, ""), outcome
    return outcome.stderr.replace(str(repository.folder), "WS")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_everything_at_once(tmp_path: Path, version: str) -> None:
    repository = Repository(tmp_path, PARSER, python=python(version))
    words = ("--config=configs/b.py", "--hwo=1", "--clearml=maybe", "--resume=x.pth", "--dataset_path=data")
    assert refused(repository, *words) == (
        "error: no option --hwo\n"
        "  why: tools/train.py does not take it\n"
        "  fix: did you mean --how?\n"
        "error: --clearml=maybe\n"
        "  why: it is auto, on, off or offline\n"
        "error: no configuration configs/b.py\n"
        "  why: looked for it from WS\n"
        "  fix: did you mean configs/c.py?\n"
        "error: no checkpoint x.pth\n"
        "error: --dataset_path=data does not exist\n"
        "  fix: put the data there, or name another folder\n"
    )
    trace = repository.trace
    assert (trace["status"], trace["exit_code"], len(trace["problems"])) == ("failed", 2, 5)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "error: --config is missing\n  why: tools/train.py needs it\n  fix: --config=...  \n"),
        (("--config",), "error: --config needs a value\n  fix: --config=VALUE\n"),
        ((CONFIG, "--nproc_per_node=two"), "error: --nproc_per_node=two is not a number\n"),
        ((CONFIG, "more"), "error: cannot place: more\n  why: options are written --name=value\n"),
        (
            (CONFIG, "--resume"),
            (
                "error: nothing to resume\n  why: no checkpoint in demo/work_dirs/c\n"
                "  fix: --resume=FILE, or leave --resume out\n"
            ),
        ),
        (
            (CONFIG, "--dataset_id=abc", "--clearml=off"),
            (
                "error: --dataset_id needs ClearML\n  why: it is off, or not installed or configured here\n"
                "  fix: --clearml=on, or give the data with --dataset_path\n"
            ),
        ),
    ],
)
def test_one_at_a_time(tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    assert refused(Repository(tmp_path, PARSER), *words).startswith(error)


def test_the_configuration_of_the_repository_itself_is_found(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("demo/configs/rcnn.py", "")
    assert "  fix: --config=demo/configs/rcnn.py\n" in refused(repository, "--config=configs/rcnn.py")


def test_several_processes_need_a_launcher(tmp_path: Path) -> None:
    settings = SETTINGS._replace(launcher="none")
    text = refused(Repository(tmp_path, PARSER, settings), CONFIG, "--nproc_per_node=2")
    assert text.startswith("error: several processes cannot be started by this command\n")


def test_several_processes_need_torch(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER, python=python(OLDEST))
    assert refused(repository, CONFIG, "--nproc_per_node=2").startswith("error: several processes need torch\n")


DATA = "data_root = 'data/coco/'\nann = 'data/coco/annotations/a.json'\n# data/not/this\n"


@pytest.mark.parametrize("state", ["absent", "empty"])
def test_data_that_is_not_there(tmp_path: Path, state: str) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("configs/base/coco.py", DATA)
    repository.write("configs/c.py", "_base_ = ['base/coco.py']\n")
    if state == "empty":
        (tmp_path / "data/coco").mkdir(parents=True)
    assert refused(repository, CONFIG) == (
        f"error: the data folder data/coco/ {'is empty' if state == 'empty' else 'does not exist'}\n"
        "  why: configs/base/coco.py:1 names it, and nothing that the configuration names below data/ is there\n"
        "  fix: put the data there: WS/data/coco/\n"
    )


def test_data_that_may_be_there_is_the_trainings_to_judge(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("configs/c.py", DATA)
    assert repository.train(CONFIG, "--cfg_options=data_root=/elsewhere").code == 0
    repository.write("configs/d.py", DATA + "type = 'CIFAR10'\n")
    assert repository.train("--config=configs/d.py").code == 0
    repository.write("data/coco/annotations/a.json", "{}")
    assert repository.train(CONFIG).code == 0


@pytest.mark.parametrize("words", [("--hidden-one=1",), ("--hidden_one=1",), ("--hidden_one", "1")])
def test_an_option_that_the_script_mentions_is_passed_on_as_it_is_spelled_there(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    code = PARSER.replace("args = parser", "parser.add_argument('--hidden-one')\nargs = parser")
    outcome = Repository(tmp_path, code + "print(args.hidden_one)\n").train(CONFIG, *words)
    assert (outcome.code, outcome.stdout) == (0, "1\n"), outcome


def test_clearml_that_is_not_installed(tmp_path: Path) -> None:
    text = refused(Repository(tmp_path, PARSER, python=python(OLDEST)), CONFIG, "--clearml=offline")
    assert (
        text == "error: --clearml=offline needs clearml\n  why: it is not installed here\n  fix: pip install clearml\n"
    )
