"""How a training is started: whole little repositories after the manner of well-known ones."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from kobako.model.requirement import EntryPoint
from kobako.scan.code import modules as code
from kobako.scan.code.entry_points import EntryPoints, mentions
from kobako.scan.tree import Tree

GUARD = "if __name__ == '__main__':\n    main()\n"
PARSER = "import argparse\ndef main():\n    p = argparse.ArgumentParser()\n    p.add_argument('--lr')\n"
LOOP = "    optimizer = torch.optim.Adam(x)\n    loss.backward()\n"
SCRIPT = f"import torch\n{PARSER}{LOOP}{GUARD}"


def found(root: Path, files: dict[str, str]) -> tuple[EntryPoint, ...]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    tree, reader = Tree(root), EntryPoints()
    for module in code.modules(tree, code.Unread()):
        reader.look(module)
    return reader.found(tree)


MMDET_TRAIN = """
    import argparse
    import os
    from mmdet.apis import train_detector
    def parse_args():
        parser = argparse.ArgumentParser()
        parser.add_argument('config')
        parser.add_argument('--local_rank', type=int, default=0)
        args = parser.parse_args()
        if 'LOCAL_RANK' not in os.environ:
            os.environ['LOCAL_RANK'] = str(args.local_rank)
        return args
    def main():
        train_detector(model, datasets)
    if __name__ == '__main__':
        main()
"""
MMDET_TEST = MMDET_TRAIN.replace("train_detector", "multi_gpu_test")
DIST = '#!/usr/bin/env bash\nPYTHONPATH="$(dirname $0)/..":$PYTHONPATH \\\npython -m torch.distributed.launch --nproc_per_node=$GPUS \\\n    $(dirname "$0")/train.py $CONFIG --launcher pytorch ${@:3}\n'


REPOSITORIES = [
    pytest.param(
        {
            "tools/train.py": MMDET_TRAIN,
            "tools/test.py": MMDET_TEST,
            "tools/dist_train.sh": DIST,
            "tools/analysis_tools/benchmark.py": SCRIPT,
            "tools/deployment/train_onnx.py": SCRIPT,
            "mmdet/apis/train.py": "def train_detector(model):\n    runner = Runner(model)\n    runner.run()\n",
            "mmdet/.mim/tools/train.py": MMDET_TRAIN,
            "tests/test_train.py": SCRIPT,
            "README.md": "# x\n```\nbash tools/dist_train.sh configs/x.py 8\n```\n",
        },
        [
            (
                "tools/train.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (argparse); trains (train_detector()); "
                    "README.md:3 starts it through tools/dist_train.sh; tools/dist_train.sh:2 starts it; "
                    "for a distributed launcher such as torchrun (local_rank)"
                ),
            )
        ],
        id="mmdetection, from git",
    ),
    pytest.param(
        {
            "mmdet/.mim/tools/train.py": MMDET_TRAIN,
            "mmdet/.mim/tools/test.py": MMDET_TEST,
            "mmdet/.mim/tools/dist_train.sh": DIST,
        },
        [
            (
                "mmdet/.mim/tools/train.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (argparse); trains (train_detector()); "
                    "mmdet/.mim/tools/dist_train.sh:2 starts it; for a distributed launcher such as torchrun (local_rank)"
                ),
            )
        ],
        id="mmdetection, its sdist",
    ),
    pytest.param(
        {
            "tools/train.py": """
                import argparse
                from yolox.core import launch
                from yolox.exp import get_exp
                def make_parser():
                    parser = argparse.ArgumentParser("YOLOX train parser")
                    parser.add_argument("-f", "--exp_file", default=None, type=str, help="plz input your expriment file")
                    return parser
                def main(exp, args):
                    trainer = exp.get_trainer(args)
                    trainer.train()
                if __name__ == "__main__":
                    args = make_parser().parse_args()
                    launch(main, 8, args=(exp, args))
            """,
            "tools/eval.py": SCRIPT,
            "tools/demo.py": SCRIPT,
            "tools/export_onnx.py": SCRIPT,
            "yolox/core/trainer.py": "class Trainer:\n    def train(self):\n        self.loss.backward()\n",
        },
        [
            (
                "tools/train.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (argparse); trains (get_trainer, trainer.train()); "
                    "starts a process per GPU itself"
                ),
            )
        ],
        id="YOLOX",
    ),
    pytest.param(
        {
            "main.py": """
                import argparse
                from engine import evaluate, train_one_epoch
                import util.misc as utils
                def get_args_parser():
                    parser = argparse.ArgumentParser('Set transformer detector', add_help=False)
                    parser.add_argument('--lr', default=1e-4, type=float)
                    return parser
                def main(args):
                    utils.init_distributed_mode(args)
                    optimizer = torch.optim.AdamW(param_dicts, lr=args.lr)
                    train_one_epoch(model, criterion)
                if __name__ == '__main__':
                    parser = argparse.ArgumentParser('DETR', parents=[get_args_parser()])
                    main(parser.parse_args())
            """,
            "engine.py": "def train_one_epoch(model):\n    losses.backward()\n    optimizer.step()\n",
            "README.md": "```\npython -m torch.distributed.launch --nproc_per_node=8 --use_env main.py --coco_path /x\n```\n",
        },
        [
            (
                "main.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (argparse); trains (optimizer, train_one_epoch()); "
                    "README.md:2 starts it; for a distributed launcher such as torchrun (torch.distributed)"
                ),
            )
        ],
        id="DETR",
    ),
    pytest.param(
        {
            "train.py": """
                import os, torch
                batch_size = 12
                exec(open('configurator.py').read())
                ddp = int(os.environ.get('RANK', -1)) != -1
                ddp_local_rank = int(os.environ['LOCAL_RANK'])
                optimizer = model.configure_optimizers(1)
                while True:
                    loss.backward()
            """,
            "configurator.py": "import sys\nfor arg in sys.argv[1:]:\n    pass\n",
            "sample.py": "import torch\nexec(open('configurator.py').read())\nfor k in range(3):\n    model.generate()\n",
            "model.py": "class GPT:\n    def configure_optimizers(self):\n        return torch.optim.AdamW(x)\n",
            "README.md": "```sh\n$ torchrun --standalone --nproc_per_node=8 train.py config/train_gpt2.py\n```\n",
        },
        [
            (
                "train.py",
                (
                    "runs when it is read (no main guard); parses arguments (configurator.py); trains (optimizer, backward); "
                    "README.md:2 starts it; for a distributed launcher such as torchrun (local_rank); "
                    "--name=value, and files with such assignments"
                ),
            )
        ],
        id="nanoGPT",
    ),
    pytest.param(
        {
            "run_glue.py": """
                from transformers import HfArgumentParser, Trainer, TrainingArguments
                def main():
                    parser = HfArgumentParser((TrainingArguments,))
                    trainer = Trainer(model=model)
                    trainer.train(resume_from_checkpoint=checkpoint)
                if __name__ == "__main__":
                    main()
            """,
        },
        [
            (
                "run_glue.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (transformers' HfArgumentParser); "
                    "trains (Trainer, trainer.train()); can use several GPUs by itself; and the fields of TrainingArguments"
                ),
            )
        ],
        id="a Hugging Face script",
    ),
    pytest.param(
        {
            "main.py": "from pytorch_lightning.cli import LightningCLI\ndef cli_main():\n    cli = LightningCLI(Model, Data)\nif __name__ == '__main__':\n    cli_main()\n"
        },
        [
            (
                "main.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (LightningCLI); trains (LightningCLI); "
                    "can use several GPUs by itself; a command (fit), --config FILE, --trainer.*, --model.* and --data.*"
                ),
            )
        ],
        id="Lightning's command line",
    ),
    pytest.param(
        {
            "src/train.py": """
                import hydra
                def train(cfg):
                    trainer = hydra.utils.instantiate(cfg.trainer)
                    trainer.fit(model=model, datamodule=datamodule)
                @hydra.main(version_base="1.3", config_path="../configs", config_name="train.yaml")
                def main(cfg):
                    train(cfg)
                if __name__ == "__main__":
                    main()
            """,
            "src/eval.py": "import hydra\ndef main():\n    trainer.test(model)\nif __name__ == '__main__':\n    main()\n",
            "configs/train.yaml": "",
            "setup.py": 'setup(entry_points={"console_scripts": ["train_command = src.train:main", "eval_command = src.eval:main"]})\n',
        },
        [
            (
                "src/train.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (hydra); trains (fit, train()); "
                    "setup.py:1 installs it as `train_command`; key=value overrides of configs/train.yaml"
                ),
            )
        ],
        id="a Hydra template",
    ),
    pytest.param(
        {
            "train.py": """
                import click
                from training import training_loop
                def subprocess_fn(rank, c):
                    training_loop.training_loop(rank=rank, **c)
                @click.command()
                @click.option('--outdir', required=True)
                def main(**kwargs):
                    torch.multiprocessing.spawn(fn=subprocess_fn)
                if __name__ == "__main__":
                    main()
            """,
            "training/training_loop.py": "def training_loop(rank):\n    loss.backward()\n",
            "gen_images.py": "import click\n@click.command()\ndef main(): ...\nif __name__ == '__main__':\n    main()\n",
            "calc_metrics.py": "import click\n@click.command()\ndef calc(): ...\nif __name__ == '__main__':\n    calc()\n",
        },
        [
            (
                "train.py",
                "has `if __name__ == '__main__'`; parses arguments (click); trains (training_loop()); starts a process per GPU itself",
            )
        ],
        id="StyleGAN",
    ),
    pytest.param(
        {
            "train_net.py": """
                from detectron2.engine import DefaultTrainer, default_argument_parser, launch
                class Trainer(DefaultTrainer): ...
                def main(args):
                    trainer = Trainer(cfg)
                    return trainer.train()
                if __name__ == "__main__":
                    args = default_argument_parser().parse_args()
                    launch(main, args.num_gpus, args=(args,))
            """,
            "demo/demo.py": SCRIPT,
        },
        [
            (
                "train_net.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (detectron2's default_argument_parser); "
                    "trains (Trainer, trainer.train()); starts a process per GPU itself; --config-file, --resume, --eval-only, "
                    "--num-gpus, --num-machines, --machine-rank, --dist-url, KEY VALUE pairs"
                ),
            )
        ],
        id="a detectron2 project",
    ),
    pytest.param(
        {
            "python/train.py": SCRIPT.replace(
                "import torch", "import torch\nimport torch.multiprocessing as mp"
            ).replace("    main()", "    mp.spawn(main)"),
            "python/export_model.py": SCRIPT,
            "python/selfplay/train.sh": 'cd "$GITROOTDIR"/python\npython3 ./train.py -traindir x\n',
        },
        [
            (
                "python/train.py",
                (
                    "has `if __name__ == '__main__'`; parses arguments (argparse); trains (optimizer, backward); "
                    "python/selfplay/train.sh:2 starts it; starts a process per GPU itself"
                ),
            )
        ],
        id="KataGo",
    ),
    pytest.param(
        {
            "allennlp/__main__.py": "def run():\n    main()\nif __name__ == '__main__':\n    run()\n",
            "allennlp/commands/train.py": "class Train:\n    def add_subparser(self, parser):\n"
            "        s = parser.add_parser('train')\n        s.add_argument('param_path')\n"
            "def train_model(p):\n    trainer = Trainer()\n    trainer.train()\n",
            "setup.py": 'setup(entry_points={"console_scripts": ["allennlp=allennlp.__main__:run"]})\n',
        },
        [
            (
                "allennlp/commands/train.py",
                (
                    "parses arguments (argparse); trains (Trainer, trainer.train()); setup.py:1 installs it as `allennlp train`; "
                    "can use several GPUs by itself; commands: train (the arguments of all of them are listed)"
                ),
            )
        ],
        id="a program with commands",
    ),
    pytest.param(
        {
            "src/main.py": "from solver import Solver\nif __name__ == '__main__':\n    Solver(config).go()\n",
            "src/solver.py": "class Solver:\n    def go(self):\n        loss.backward()\n",
        },
        [("src/main.py", "has `if __name__ == '__main__'`; trains (Solver of src/solver.py)")],
        id="another module trains",
    ),
]


@pytest.mark.parametrize(("files", "entries"), REPOSITORIES)
def test_a_repository_is_started_so(files: dict[str, str], entries: list[tuple[str, str]], tmp_path: Path) -> None:
    assert [(one.file, one.why) for one in found(tmp_path, files)] == entries


def test_arguments_come_along(tmp_path: Path) -> None:
    (entry,) = found(tmp_path, {"tools/train.py": MMDET_TRAIN})
    assert [(one.flags, one.required, one.default) for one in entry.arguments] == [
        (("config",), True, None),
        (("--local_rank",), False, "0"),
    ]


@pytest.mark.parametrize(
    ("files", "order"),
    [
        ({"train.py": SCRIPT, "main.py": SCRIPT, "finetune.py": SCRIPT}, ["train.py", "finetune.py", "main.py"]),
        ({"tools/train.py": SCRIPT, "projects/x/train.py": SCRIPT}, ["tools/train.py", "projects/x/train.py"]),
        ({"examples/train.py": SCRIPT, "train_it.py": SCRIPT}, ["train_it.py", "examples/train.py"]),
        ({"examples/train.py": SCRIPT}, ["examples/train.py"]),
        (
            {"main.py": SCRIPT, "d2/train_net.py": SCRIPT, "README.md": "python main.py --x\n"},
            ["main.py", "d2/train_net.py"],
        ),
        ({"dqn.py": SCRIPT, "README.md": "`python dqn.py`\n", "ppo.py": SCRIPT}, ["dqn.py", "ppo.py"]),
        ({f"train_{n}.py": SCRIPT for n in range(9)}, [f"train_{n}.py" for n in range(5)]),
        ({"eval.py": SCRIPT, "export_train.py": SCRIPT, "prepare_train_data.py": SCRIPT}, []),
        ({"train_val.py": SCRIPT}, ["train_val.py"]),
        ({"pkg/models/deep/net.py": SCRIPT}, []),
        ({"third_party/x/train.py": SCRIPT, "docs/train.py": SCRIPT, "tests/train.py": SCRIPT}, []),
        ({"pkg/train.py": "def train(model):\n    loss.backward()\n"}, []),
        (
            {"pkg/train.py": "def train(model):\n    loss.backward()\n", "README.md": "python -m pkg.train --lr 1\n"},
            ["pkg/train.py"],
        ),
        ({"app.py": PARSER + GUARD, "main.py": PARSER + GUARD}, []),
        ({"main.py": f"{PARSER}    model.train()\n    net.train(True)\n{GUARD}"}, []),
        ({"main.py": f"{PARSER}    a, b = train_test_split(x)\n    y = train_loader()\n{GUARD}"}, []),
        ({}, []),
    ],
)
def test_which_come_first_and_which_not_at_all(files: dict[str, str], order: list[str], tmp_path: Path) -> None:
    assert [one.file for one in found(tmp_path, files)] == order


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("for `accelerate launch`", "accelerator = Accelerator()"),
        ("for the deepspeed launcher", "import deepspeed; deepspeed.initialize(model)"),
        ("for a distributed launcher such as torchrun (local_rank)", "p.add_argument('--local-rank')"),
        ("for a distributed launcher such as torchrun (torch.distributed)", "dist.init_process_group('nccl')"),
        ("starts a process per GPU itself", "mp.spawn(worker)"),
        ("can use several GPUs by itself", "model = nn.DataParallel(model)"),
        ("trains (optimizer, backward)", "pass"),
    ],
)
def test_who_launches_it(word: str, line: str, tmp_path: Path) -> None:
    (entry,) = found(tmp_path, {"train.py": f"import torch\n{PARSER}{LOOP}    {line}\n{GUARD}"})
    assert entry.why.endswith(word)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("python tools/train.py --x", "tools/train.py"),
        ("$ CUDA_VISIBLE_DEVICES=0,1 python3.8 -u ./tools/train.py", "tools/train.py"),
        ("cd tools && python train.py", "tools/train.py"),
        ("torchrun --nproc_per_node 8 tools/train.py", "tools/train.py"),
        ("accelerate launch --num_processes 2 tools/train.py", "tools/train.py"),
        ("deepspeed tools/train.py --deepspeed", "tools/train.py"),
        ("python -m torch.distributed.launch --nproc_per_node=8 \\\n  tools/train.py", "tools/train.py"),
        ("python -m torch.distributed.run -m pkg.cli", "pkg/cli.py"),
        ("python -m pkg.cli --x", "pkg/cli.py"),
        ("srun -p gpu python -u tools/train.py", "tools/train.py"),
        ("Run `python tools/train.py` to train.", "tools/train.py"),
        ("bash tools/go.sh 8", "tools/train.py"),
        ("./tools/go.sh 8", "tools/train.py"),
        ("see tools/train.py", ""),
        ("# python tools/train.py", ""),
        ("python ../../etc/train2.py", ""),
        ("python /root/tools/train2.py", ""),
        ("pip install x.py", ""),
    ],
)
def test_how_a_text_starts_a_script(text: str, script: str, tmp_path: Path) -> None:
    for name, content in (
        ("tools/train.py", ""),
        ("pkg/cli.py", ""),
        ("tools/go.sh", "python $(dirname $0)/train.py\n"),
        ("README.md", text),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    told = [name for name, places in mentions.read(Tree(tmp_path)).items() if any(one.kind == "text" for one in places)]
    assert told == ([script] if script else [])


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("setup.py", "setup(entry_points={'console_scripts': ['go = pkg.cli:main']})"),
        ("setup.py", "setup(entry_points='''\n[console_scripts]\ngo=pkg.cli:main\n''')"),
        ("setup.cfg", "[options.entry_points]\nconsole_scripts =\n    go = pkg.cli:main\n"),
        ("pyproject.toml", '[project.scripts]\ngo = "pkg.cli:main"\n'),
        ("pyproject.toml", '[tool.poetry.scripts]\n"go" = "pkg.cli:main"\n'),
    ],
)
@pytest.mark.parametrize("folder", ["", "src/"])
def test_commands_that_are_installed(file: str, text: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / folder / "pkg").mkdir(parents=True)
    (tmp_path / folder / "pkg/cli.py").write_text("", encoding="utf-8")
    (tmp_path / file).write_text(text, encoding="utf-8")
    ((script, (place,)),) = mentions.read(Tree(tmp_path)).items()
    assert (script, place.kind, place.through) == (f"{folder}pkg/cli.py", "command", "go")


def notebook(*lines: str) -> str:
    return json.dumps(
        {"cells": [{"cell_type": "markdown", "source": "model.fit("}, {"cell_type": "code", "source": list(lines)}]}
    )


def test_notebooks_where_nothing_else_trains(tmp_path: Path) -> None:
    files = {
        "explore.ipynb": notebook("df.plot()\n"),
        "mode.ipynb": notebook("model.train()\n"),
        "b.ipynb": notebook("learn.fit_one_cycle(3)\n", "# x.backward()"),
        "train_it.ipynb": notebook("loss.backward()\n"),
        "test_it.ipynb": notebook("model.fit(x, y)\n"),
        "broken.ipynb": '{"cells": [ .fit( ',
        "nested.ipynb": '".fit("' + "[" * 100_000,
        "utils.py": "def f(): ...\n",
    }
    assert [(one.file, one.why, one.arguments) for one in found(tmp_path, files)] == [
        ("train_it.ipynb", "a notebook that trains (backward)", ()),
        ("b.ipynb", "a notebook that trains (fit_one_cycle)", ()),
        ("test_it.ipynb", "a notebook that trains (fit)", ()),
    ]
    assert [one.file for one in found(tmp_path, {"train.py": SCRIPT})] == ["train.py"]


def test_code_that_nobody_writes(tmp_path: Path) -> None:
    deep = "x = a" + ".b" * 900 + "()\n"
    assert len(found(tmp_path, {"train.py": deep + SCRIPT, "README.md": "python " * 3000 + "train.py\n"})) <= 1
