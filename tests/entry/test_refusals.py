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


@pytest.mark.parametrize(
    ("config", "fix"),
    [
        ("configs/unlike_all.py", "configs holds a1.py, a2.py, a3.py, a4.py, a5.py and 2 more"),
        ("unlike_all.py", None),
        ("confgis/c.py", "did you mean configs?"),
    ],
)
def test_a_configuration_with_no_name_like_it(tmp_path: Path, config: str, fix: str | None) -> None:
    repository = Repository(tmp_path, PARSER)
    for number in range(1, 7):
        repository.write(f"configs/a{number}.py", "")
    repository.write("configs/a.yaml", "")
    why = f"error: no configuration {config}\n  why: looked for it from WS\n"
    assert refused(repository, f"--config={config}") == why + (f"  fix: {fix}\n" if fix else "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of an archive"])
def test_a_checkpoint_that_was_not_written_to_its_end(tmp_path: Path, content: bytes) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("half.pth", "").write_bytes(content)
    text = refused(repository, CONFIG, "--resume=half.pth")
    assert text.startswith("error: half.pth is no whole checkpoint\n  why: it was not written to its end\n")


@pytest.mark.parametrize(("content", "taken"), [(b"<html>not found", False), (b"\x80\x02}q\x00.", True)])
def test_a_file_that_pytorch_has_not_written(tmp_path: Path, content: bytes, taken: bool) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("some.pth", "").write_bytes(content)
    if taken:
        assert repository.train(CONFIG, "--resume=some.pth").code == 0
    else:
        text = refused(repository, CONFIG, "--resume=some.pth")
        assert text.startswith("error: some.pth is no checkpoint\n  why: it does not begin as a file of PyTorch does\n")


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
        "  fix: put the data there: WS/data/coco/; or, if it is elsewhere, go on with --dataset_path=FOLDER\n"
    )
    elsewhere = repository.write("elsewhere/a.json", "{}").parent
    assert repository.train(CONFIG, f"--dataset_path={elsewhere}").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "cfg.out = 'data/out/x'\n",
        "work_dir = 'data/runs'\n",
        "model = dict(checkpoint='data/pretrained/a.pth')\n",
        "out_data_dir = 'data/made'\n",
        "save_path: data/results\n",
    ],
)
def test_what_a_configuration_writes_below_data_need_not_be_there(tmp_path: Path, text: str) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("configs/c.py", text)
    assert repository.train(CONFIG).code == 0


@pytest.mark.parametrize(
    "text",
    [
        "cfg.data_root = 'data/x/'\n",
        "  data_root: data/x\n",
        "train = dict(type='A', ann_file='data/x/a.json', img_prefix='data/x/b')\n",
        "img_prefix = ['data/x/b', 'data/x/c']\n",
        '"data_dir": "data/x",\n',
    ],
)
def test_data_by_the_many_names_that_it_has(tmp_path: Path, text: str) -> None:
    repository = Repository(tmp_path, PARSER)
    repository.write("configs/c.py", text)
    assert refused(repository, CONFIG).startswith("error: the data folder data/x")


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


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("--nosuch=1",), "--help lists all; words after -- are passed on"),
        (("--hwo=1",), "did you mean --how?"),
        (("-x",), "--help lists all; words after -- are passed on"),
        (
            ("-e", "X=1"),
            "--help lists all; words after -- are passed on; an option of kobako train stands before the service",
        ),
    ],
)
def test_an_option_that_is_like_no_other_is_not_guessed(tmp_path: Path, words: tuple[str, ...], fix: str) -> None:
    text = refused(Repository(tmp_path, PARSER), CONFIG, *words)
    told = f"error: no option {words[0].split('=')[0]}\n  why: tools/train.py does not take it\n  fix: {fix}\n"
    assert text.startswith(told)
