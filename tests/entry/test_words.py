"""What the training script is given for what a person or a queue writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from entry.repository import PARSER, SETTINGS, Repository, option
from kobako.train.entry.settings import Settings

HEAD = "python demo/tools/train.py "
FREE = SETTINGS._replace(style="free", options=(option("config"),), complete=False, work_dir=("--out_dir={}",))
HYDRA = SETTINGS._replace(
    style="hydra",
    config="config_name",
    options=(option("config_name", "--config-name"),),
    work_dir=("hydra.run.dir={}",),
    resume=("ckpt={}",),
)
YOLOX = Settings(
    name="demo",
    script="tools/train.py",
    style="argparse",
    options=(
        option("exp_file", "-f"),
        option("devices", "-d"),
        option("resume", "--resume", "flag"),
        option("ckpt", "-c"),
        option("opts", "", "rest"),
    ),
    complete=True,
    pythonpath=(".",),
    config="exp_file",
    work_dir=("output_dir", "{}"),
    resume=("--resume", "-c", "{}"),
    launcher="own",
    devices=("-d", "{}"),
)
AUTO = SETTINGS._replace(resume_auto=("--auto-resume",))
BOTH = SETTINGS._replace(
    options=(
        *SETTINGS.options,
        option("dry_run", "--dry-run", "flag"),
        option("dataset_id", "--dataset_id"),
        option("nnodes", "--nnodes"),
    )
)
OUT = "demo/work_dirs/c"


@pytest.mark.parametrize(
    ("settings", "words", "passed"),
    [
        (SETTINGS, "--config=configs/c.py", f"configs/c.py --work-dir {OUT}"),
        (SETTINGS, "--config configs/c.py --how x", f"configs/c.py --how=x --work-dir {OUT}"),
        (SETTINGS, "configs/c.py", f"configs/c.py --work-dir {OUT}"),
        (SETTINGS, "--config=configs/c.py --work-dir=o", "configs/c.py --work-dir o"),
        (SETTINGS, "--config=configs/c.py --work_dir o", "configs/c.py --work-dir o"),
        (SETTINGS, "--config=configs/c.py --amp", f"configs/c.py --amp --work-dir {OUT}"),
        (SETTINGS, "--config=configs/c.py --amp=true", f"configs/c.py --amp --work-dir {OUT}"),
        (SETTINGS, "--config=configs/c.py --amp=False", f"configs/c.py --work-dir {OUT}"),
        (SETTINGS, "--config=configs/c.py --cfg_options=a=1", f"configs/c.py --cfg-options=a=1 --work-dir {OUT}"),
        (
            SETTINGS,
            "--config=configs/c.py --cfg-options a=1 b=-2",
            f"configs/c.py --cfg-options a=1 b=-2 --work-dir {OUT}",
        ),
        (SETTINGS, "--config=configs/c.py -- --x y", f"configs/c.py --work-dir {OUT} --x y"),
        (
            SETTINGS,
            "--config=configs/c.py --resume=configs/c.py",
            f"configs/c.py --work-dir {OUT} --resume-from configs/c.py",
        ),
        (
            SETTINGS,
            "--config=configs/c.py --resume_from=configs/c.py",
            f"configs/c.py --work-dir {OUT} --resume-from configs/c.py",
        ),
        (SETTINGS._replace(first=("fit",)), "--config=configs/c.py", f"fit configs/c.py --work-dir {OUT}"),
        (
            SETTINGS._replace(options=(*SETTINGS.options, option("val", "--val", "switch"))),
            "--config=configs/c.py --no_val",
            f"configs/c.py --no-val --work-dir {OUT}",
        ),
        (
            SETTINGS._replace(options=(*SETTINGS.options, option("gpu_ids", "--gpu-ids", "values"))),
            "--config=configs/c.py --gpu_ids=0\\ 1",
            f"configs/c.py --gpu-ids 0 1 --work-dir {OUT}",
        ),
        (SETTINGS._replace(complete=False), "--config=configs/c.py --new=1", f"configs/c.py --work-dir {OUT} --new=1"),
        (SETTINGS._replace(complete=False), "--config=configs/c.py --new 1", f"configs/c.py --work-dir {OUT} --new 1"),
        (FREE, "--config=configs/c.py --batch_size=8 x=1", f"configs/c.py --out_dir={OUT} --batch_size=8 x=1"),
        (
            HYDRA,
            "--config=small --model.lr=1 +a=2",
            f"--config-name=small hydra.run.dir={OUT[:-1]}small model.lr=1 +a=2",
        ),
        (HYDRA, "--config=configs/c.py", f"--config-path WS/configs --config-name c hydra.run.dir={OUT}"),
        (
            HYDRA,
            "-m lr=1,2 --config=small",
            f"--config-name=small -m hydra.sweep.dir={OUT[:-1]}small hydra.run.dir={OUT[:-1]}small lr=1,2",
        ),
        (
            HYDRA,
            "lr=1 --config-dir more ~x --config=configs/c.py -- --info y=2",
            f"--config-path WS/configs --config-name c --config-dir more --info y=2 hydra.run.dir={OUT} lr=1 '~x'",
        ),
        (HYDRA, "--config=config.yaml", f"--config-name=config.yaml hydra.run.dir={OUT[:-1]}config"),
        (AUTO, "--config=configs/c.py --resume=auto", f"configs/c.py --work-dir {OUT} --auto-resume"),
        (
            SETTINGS,
            "--config=configs/c.py --resume=https://host/a.pth",
            f"configs/c.py --work-dir {OUT} --resume-from https://host/a.pth",
        ),
        (BOTH, "--config=configs/c.py -- --dry-run", f"configs/c.py --work-dir {OUT} --dry-run"),
        (BOTH, "--config=configs/c.py --dataset_id=7", f"configs/c.py --dataset_id=7 --work-dir {OUT}"),
        (YOLOX, "--config=configs/c.py --nproc_per_node=2", f"-d 2 -f configs/c.py output_dir {OUT}"),
        (YOLOX, "-f configs/c.py -d 1 max_epoch 3", f"-f configs/c.py -d 1 output_dir {OUT} max_epoch 3"),
        (YOLOX, "--config=configs/c.py --opts=max_epoch\\ 3", f"-f configs/c.py max_epoch 3 output_dir {OUT}"),
    ],
)
def test_words(tmp_path: Path, settings: Settings, words: str, passed: str) -> None:
    repository = Repository(tmp_path, PARSER, settings)
    given = [word.replace("\0", " ") for word in words.replace("\\ ", "\0").split()]
    assert repository.dry(*given) == HEAD + passed


def test_resume_alone_takes_the_newest_whole_checkpoint(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER)
    for number, (name, text) in enumerate([("a.pth", "old pickle"), ("b.pth", "older"), ("half.pth", "PK\x03\x04...")]):
        path = repository.write(f"{OUT}/{name}", text)
        times = (1000.0 + (0, -5, 9)[number],) * 2
        os.utime(path, times)
    assert repository.dry("--config=configs/c.py", "--resume").endswith(f"--resume-from {OUT}/a.pth")
    own = Repository(tmp_path, PARSER, SETTINGS._replace(resume_auto=("--auto-resume",)))
    assert own.dry("--config=configs/c.py", "--resume").endswith(" --auto-resume")


def test_a_script_that_cannot_be_told_where_to_write_runs_in_its_folder(tmp_path: Path) -> None:
    repository = Repository(tmp_path, PARSER, SETTINGS._replace(work_dir=()))
    outcome = repository.train("--dry_run", "--config=configs/c.py", "--how=nowhere")
    assert outcome.stdout.replace(str(tmp_path), "WS").splitlines() == [
        "cd WS/demo",
        "export PYTHONPATH=WS/demo",
        "python demo/tools/train.py WS/configs/c.py --how=nowhere",
    ]


def test_help_lists_both(tmp_path: Path) -> None:
    outcome = Repository(tmp_path, PARSER).train("--help")
    assert outcome.code == 0
    assert "--nproc_per_node=..." in outcome.stdout
    assert "  --amp " in outcome.stdout
    assert not (tmp_path / "demo/work_dirs").exists()


def test_help_lists_what_both_have_once_or_says_how_to_give_it(tmp_path: Path) -> None:
    lines = Repository(tmp_path, PARSER, BOTH).train("--help").stdout.splitlines()
    ours, theirs = lines[: lines.index("of tools/train.py:")], lines[lines.index("of tools/train.py:") :]

    def rows(name: str, lines: list[str]) -> list[bool]:
        return [
            "(give it after --)" in line for line in lines if line.split() and line.split()[0] in (name, f"{name}=...")
        ]

    both = ("--config", "--work_dir", "--dry_run", "--dataset_id", "--nnodes", "--resume_from")
    assert {name: (rows(name, ours), rows(name, theirs)) for name in both} == {
        "--config": ([False], []),
        "--work_dir": ([False], []),
        "--dry_run": ([False], [True]),
        "--dataset_id": ([False], [True]),
        "--nnodes": ([], [False]),
        "--resume_from": ([], [False]),
    }
