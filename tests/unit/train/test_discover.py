"""What is found out about training scripts of many kinds; their parsers as the real ones have them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from kobako import scan
from kobako.scan.tree import Tree
from kobako.train.entry import discover
from kobako.train.entry.repository import Repository
from kobako.train.entry.settings import Settings

Files = dict[str, str]
GUARD = "if __name__ == '__main__':\n    args = parse_args()\n    optimizer.step()\n    loss.backward()\n"


def argparse(*lines: str, more: str = "", guard: str = GUARD) -> str:
    """A script with these ``add_argument`` calls, without their opening."""
    calls = "".join(f"    parser.add_argument({line})\n" for line in lines)
    return (
        "import argparse\nimport torch\ndef parse_args():\n    parser = argparse.ArgumentParser()\n"
        f"{calls}    return parser.parse_args()\n{more}{guard}"
    )


def write(root: Path, files: Files) -> Repository:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    tree = Tree(root)
    return Repository(tree.files, tree.read)


def found(root: Path, files: Files) -> discover.Found:
    repository = write(root, files)
    return discover.look("Repo", scan.scan(root).entry_points, repository)


def settings(root: Path, files: Files) -> Settings:
    made = found(root, files).settings
    assert made is not None
    return made


def taken(made: Settings) -> dict[str, tuple[str, str]]:
    return {one.name: (one.flag, one.takes) for one in made.options}


LAUNCHER = "'--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher'"
DIST = 'PYTHONPATH="$(dirname $0)/..":$PYTHONPATH \\\npython -m torch.distributed.launch --nproc_per_node=$GPUS \\\n    $(dirname "$0")/train.py $CONFIG --launcher pytorch ${@:3}\n'
MMDET2 = {
    "tools/train.py": argparse(
        "'config', help='train config file path'",
        "'--work-dir', help='the dir to save logs and models'",
        "'--resume-from', help='the checkpoint file to resume from'",
        "'--auto-resume', action='store_true', help='resume from the latest checkpoint automatically'",
        "'--no-validate', action='store_true', help='whether not to evaluate the checkpoint during training'",
        "'--gpus', type=int, help='(Deprecated, please use --gpu-id) number of gpus to use'",
        "'--gpu-ids', type=int, nargs='+', help='ids of gpus to use'",
        "'--cfg-options', nargs='+', action=DictAction, help='override some settings in the used config'",
        LAUNCHER,
        "'--local_rank', type=int, default=0",
        more="init_dist(args.launcher)\n",
    ),
    "tools/dist_train.sh": DIST,
}
MMDET3 = {
    "tools/train.py": argparse(
        "'config', help='train config file path'",
        "'--work-dir', help='the dir to save logs and models'",
        "'--amp', action='store_true', default=False",
        "'--resume', nargs='?', type=str, const='auto', help='If specify checkpoint path, resume from it, while if not '"
        " 'specify, try to auto resume from the latest checkpoint in the work directory.'",
        "'--cfg-options', nargs='+', action=DictAction",
        LAUNCHER,
        "'--local_rank', '--local-rank', type=int, default=0",
    ),
    "tools/dist_train.sh": DIST,
}
YOLOX = {
    "tools/train.py": argparse(
        "'-expn', '--experiment-name', type=str, default=None",
        "'-n', '--name', type=str, default=None, help='model name'",
        "'-d', '--devices', default=None, type=int, help='device for training'",
        "'-f', '--exp_file', default=None, type=str, help='plz input your experiment description file'",
        "'--resume', default=False, action='store_true', help='resume training'",
        "'-c', '--ckpt', default=None, type=str, help='checkpoint file'",
        "'-e', '--start_epoch', default=None, type=int, help='resume training start epoch'",
        "'opts', help='Modify config options using the command-line', default=None, nargs=argparse.REMAINDER",
        more="from yolox.core import launch\nlaunch(main, 1, args=(1,))\n",
    ),
    "yolox/core/__init__.py": "from .launch import launch\n",
    "yolox/core/launch.py": "import torch.multiprocessing as mp\ndef launch(f, n, args=()):\n    mp.start_processes(f, n)\n",
    "yolox/exp/base_exp.py": "class BaseExp:\n    def __init__(self):\n        self.output_dir = './YOLOX_outputs'\n",
}
DETECTRON2 = {
    "tools/train_net.py": "from detectron2.engine import DefaultTrainer, default_argument_parser, launch\n"
    "def main(args):\n    return DefaultTrainer(cfg).train()\nif __name__ == '__main__':\n"
    "    args = default_argument_parser().parse_args()\n    launch(main, args.num_gpus, args=(args,))\n"
}
YOLOV5 = {
    "train.py": argparse(
        "'--weights', type=str, default=ROOT / 'yolov5s.pt', help='initial weights path'",
        "'--cfg', type=str, default='', help='model.yaml path'",
        "'--data', type=str, default=ROOT / 'data/coco128.yaml', help='dataset.yaml path'",
        "'--hyp', type=str, default=ROOT / 'data/hyps/hyp.scratch-low.yaml', help='hyperparameters path'",
        "'--resume', nargs='?', const=True, default=False, help='resume most recent training'",
        "'--project', default=ROOT / 'runs/train', help='save to project/name'",
        "'--name', default='exp', help='save to project/name'",
        "'--exist-ok', action='store_true', help='existing project/name ok, do not increment'",
        "'--device', default='', help='cuda device, i.e. 0 or 0,1,2,3 or cpu'",
        "'--local_rank', type=int, default=-1, help='Automatic DDP Multi-GPU argument, do not modify'",
    )
}
TIMM = {
    "train.py": "import argparse\n"
    "config_parser = argparse.ArgumentParser(description='Config', add_help=False)\n"
    "config_parser.add_argument('-c', '--config', default='', type=str, metavar='FILE', help='YAML config file')\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('data', nargs='?', metavar='DIR', const=None, help='path to dataset (positional is *deprecated*)')\n"
    "parser.add_argument('--data-dir', metavar='DIR', help='path to dataset (root dir)')\n"
    "parser.add_argument('--img-size', type=int, default=None)\n"
    "parser.add_argument('--mean', type=float, nargs='+', default=None)\n"
    "parser.add_argument('--resume', default='', type=str, help='Resume full model and optimizer state from checkpoint')\n"
    "parser.add_argument('--no-resume-opt', action='store_true', default=False)\n"
    "parser.add_argument('--no-prefetcher', action='store_true')\n"
    "parser.add_argument('--output', default='', type=str, help='path to output folder (default: none, current dir)')\n"
    "parser.add_argument('--log-wandb', action='store_true')\n"
    "parser.add_argument('--local-rank', '--local_rank', default=0, type=int)\n"
    "def main():\n    optimizer = create_optimizer_v2(model)\n    loss.backward()\n    args, left = config_parser.parse_known_args()\n"
    "if __name__ == '__main__':\n    main()\n"
}
RUN_GLUE = {
    "run_glue.py": "from dataclasses import dataclass, field\nfrom typing import Optional\n"
    "from transformers import HfArgumentParser, Trainer, TrainingArguments\n"
    "@dataclass\nclass ModelArguments:\n"
    "    model_name_or_path: str = field(metadata={'help': 'Path to pretrained model'})\n"
    "    config_name: Optional[str] = field(default=None, metadata={'help': 'Pretrained config name or path'})\n"
    "    use_fast_tokenizer: bool = field(default=True, metadata={'help': 'fast'})\n"
    "    label_names: list[str] = field(default_factory=list)\n"
    "def main():\n    parser = HfArgumentParser((ModelArguments, TrainingArguments))\n"
    "    trainer = Trainer(model=model)\n    trainer.train()\nif __name__ == '__main__':\n    main()\n"
}
LIGHTNING = {
    "main.py": "from lightning.pytorch.cli import LightningCLI\ndef cli_main():\n    LightningCLI(Model, Data)\n"
    "if __name__ == '__main__':\n    cli_main()\n"
}
HYDRA = {
    "src/train.py": "import hydra\nfrom lightning import Trainer\nfrom src.utils import extras\n"
    "@hydra.main(version_base='1.3', config_path='../configs', config_name='train.yaml')\n"
    "def main(cfg):\n    trainer = Trainer()\n    trainer.fit(model, data)\nif __name__ == '__main__':\n    main()\n",
    "src/utils.py": "def extras(): ...\n",
    "configs/train.yaml": "",
}
ABSL = {
    "main.py": "from absl import app, flags\nfrom ml_collections import config_flags\nFLAGS = flags.FLAGS\n"
    "flags.DEFINE_string('workdir', None, 'Directory to store model data.')\n"
    "flags.DEFINE_bool('profile', False, 'Whether to profile')\nflags.DEFINE_enum('mode', 'train', ['train', 'eval'], 'what')\n"
    "config_flags.DEFINE_config_file('config', None, 'File path to the training hyperparameter configuration.')\n"
    "flags.mark_flags_as_required(['config', 'workdir'])\ndef main(argv):\n    train.train_and_evaluate(FLAGS.config)\n"
    "    optimizer.minimize(loss)\nif __name__ == '__main__':\n    app.run(main)\n"
}
FIRE = {
    "finetune.py": "import fire\nimport transformers\ndef train(base_model: str = '', output_dir: str = './lora-alpaca',"
    " batch_size: int = 128, train_on_inputs: bool = True, resume_from_checkpoint: str = None):\n"
    "    trainer = transformers.Trainer(model=model)\n    trainer.train()\nif __name__ == '__main__':\n    fire.Fire(train)\n"
}
CLICK = {
    "train.py": "import click\nimport torch\n@click.command()\n"
    "@click.option('--outdir', help='Where to save the results', metavar='DIR', required=True)\n"
    "@click.option('--cfg', help='Base configuration', type=click.Choice(['stylegan3-t', 'stylegan2']), required=True)\n"
    "@click.option('--gpus', help='Number of GPUs to use', type=int, required=True)\n"
    "@click.option('--cond/--no-cond', help='Train conditional model', default=False)\n"
    "@click.option('--resume', help='Resume from given network pickle', type=str)\n"
    "@click.option('--nobench', help='Disable cuDNN benchmarking', is_flag=True)\n"
    "def main(**kwargs):\n    torch.multiprocessing.spawn(fn=subprocess_fn, nprocs=1)\n    optimizer.step()\n    loss.backward()\n"
    "if __name__ == '__main__':\n    main()\n"
}
NANOGPT = {
    "train.py": "import os\nimport torch\nout_dir = 'out'\ninit_from = 'scratch' # 'scratch' or 'resume' or 'gpt2*'\ncompile = True\n"
    "exec(open('configurator.py').read()) # overrides from command line or config file\n"
    "ddp = int(os.environ.get('RANK', -1)) != -1\nif ddp:\n    init_process_group(backend='nccl')\n"
    "if init_from == 'resume':\n    pass\nwhile True:\n    loss.backward()\n    optimizer.step()\n",
    "configurator.py": "import sys\nfor arg in sys.argv[1:]:\n    pass\n",
}
SWIN = {
    "main.py": argparse(
        "'--cfg', type=str, required=True, metavar='FILE', help='path to config file'",
        "'--opts', help=\"Modify config options by adding 'KEY VALUE' pairs.\", default=None, nargs='+'",
        "'--resume', help='resume from checkpoint'",
        "'--pretrained', help='pretrained weight from checkpoint, could be imagenet22k'",
        "'--output', default='output', type=str, metavar='PATH', help='root of output folder'",
        "'--local_rank', type=int, required=True, help='local rank for DistributedDataParallel'",
    )
}
MAE = {
    "main_pretrain.py": argparse(
        "'--output_dir', default='./output_dir', help='path where to save, empty for no saving'",
        "'--log_dir', default='./output_dir', help='path where to tensorboard log'",
        "'--resume', default='', help='resume from checkpoint'",
        "'--no_pin_mem', action='store_false', dest='pin_mem'",
        "'--world_size', default=1, type=int, help='number of distributed processes'",
        "'--local_rank', default=-1, type=int",
        "'--dist_on_itp', action='store_true'",
    )
}
CYCLEGAN = {
    "train.py": "from options.train_options import TrainOptions\nif __name__ == '__main__':\n"
    "    opt = TrainOptions().parse()\n    model.optimize_parameters()\n    loss.backward()\n",
    "options/__init__.py": "",
    "options/train_options.py": "class TrainOptions:\n    def initialize(self, parser):\n"
    "        parser.add_argument('--dataroot', required=True, help='path to images')\n"
    "        parser.add_argument('--gpu_ids', type=str, default='0', help='gpu ids: e.g. 0  0,1,2, 0,2')\n"
    "        parser.add_argument('--checkpoints_dir', type=str, default='./checkpoints', help='models are saved here')\n"
    "        parser.add_argument('--continue_train', action='store_true', help='continue training: load the latest model')\n"
    "    def parse(self):\n        return torch.nn.DataParallel(x)\n",
}
BASICSR = {
    "basicsr/train.py": "from basicsr.utils.options import parse_options\ndef train_pipeline(root):\n    opt, args = parse_options(root)\n"
    "    model.optimize_parameters()\n    loss.backward()\nif __name__ == '__main__':\n    train_pipeline('.')\n",
    "basicsr/utils/options.py": "import argparse\ndef parse_options(root):\n    parser = argparse.ArgumentParser()\n"
    "    parser.add_argument('-opt', type=str, required=True, help='Path to option YAML file.')\n"
    "    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none', help='job launcher')\n"
    "    parser.add_argument('--auto_resume', action='store_true')\n    parser.add_argument('--local_rank', type=int, default=0)\n"
    "    parser.add_argument('--force_yml', nargs='+', default=None, help='Force to update yml files.')\n",
}


class Case(NamedTuple):
    files: Files
    script: str
    style: str
    config: str
    work_dir: tuple[str, ...]
    resume: tuple[str, ...]
    resume_auto: tuple[str, ...]
    launcher: str
    words: tuple[str, ...] = ()  # for torchrun: distributed; for a launcher of its own: devices
    complete: bool = True
    local_rank: str = ""


REAL = {
    "mmdet 2.24": Case(
        MMDET2, "tools/train.py", "argparse", "config", ("--work-dir", "{}"), ("--resume-from", "{}"), ("--auto-resume",),
        "torchrun", ("--launcher", "pytorch"), local_rank="--local_rank",
    ),
    "mmdet 3": Case(
        MMDET3, "tools/train.py", "argparse", "config", ("--work-dir", "{}"), ("--resume", "{}"), ("--resume",),
        "torchrun", ("--launcher", "pytorch"), local_rank="--local_rank",
    ),
    "YOLOX": Case(
        YOLOX, "tools/train.py", "argparse", "exp_file", ("output_dir", "{}"), ("--resume", "--ckpt", "{}"), ("--resume",),
        "own", ("--devices", "{}"),
    ),
    "detectron2": Case(
        DETECTRON2, "tools/train_net.py", "argparse", "config_file", ("OUTPUT_DIR", "{}"), (), ("--resume",),
        "own", ("--num-gpus", "{}"), complete=False,
    ),
    "yolov5": Case(
        YOLOV5, "train.py", "argparse", "", ("--project", "{}"), ("--resume", "{}"), ("--resume",), "torchrun",
        local_rank="--local_rank",
    ),
    "timm": Case(
        TIMM, "train.py", "argparse", "config", ("--output", "{}"), ("--resume", "{}"), (), "torchrun",
        complete=False, local_rank="--local_rank",
    ),
    "transformers' run_glue": Case(
        RUN_GLUE, "run_glue.py", "argparse", "", ("--output_dir", "{}"), ("--resume_from_checkpoint", "{}"), (), "torchrun",
        complete=False,
    ),
    "Lightning's CLI": Case(
        LIGHTNING, "main.py", "argparse", "config", ("--trainer.default_root_dir", "{}"), ("--ckpt_path", "{}"), (),
        "own", ("--trainer.devices", "{}"), complete=False,
    ),
    "hydra": Case(
        HYDRA, "src/train.py", "hydra", "config_name", ("hydra.run.dir={}",), (), (), "own", complete=False
    ),
    "absl": Case(ABSL, "main.py", "absl", "config", ("--workdir", "{}"), (), (), "none"),
    "fire": Case(
        FIRE, "finetune.py", "argparse", "", ("--output_dir", "{}"), ("--resume_from_checkpoint", "{}"), (), "torchrun"
    ),
    "click (StyleGAN)": Case(
        CLICK, "train.py", "click", "cfg", ("--outdir", "{}"), ("--resume", "{}"), (), "own", ("--gpus", "{}")
    ),
    "nanoGPT": Case(
        NANOGPT, "train.py", "free", "config", ("--out_dir={}",), (), ("--init_from=resume",), "torchrun"
    ),
    "Swin Transformer": Case(
        SWIN, "main.py", "argparse", "cfg", ("--output", "{}"), ("--resume", "{}"), (), "torchrun", local_rank="--local_rank"
    ),
    "MAE": Case(
        MAE, "main_pretrain.py", "argparse", "", ("--output_dir", "{}", "--log_dir", "{}"), ("--resume", "{}"), (),
        "torchrun", local_rank="--local_rank",
    ),
    "CycleGAN": Case(
        CYCLEGAN, "train.py", "argparse", "", ("--checkpoints_dir", "{}"), (), ("--continue_train",), "none"
    ),
    "BasicSR": Case(
        BASICSR, "basicsr/train.py", "argparse", "opt", (), (), ("--auto_resume",), "torchrun", ("--launcher", "pytorch"),
        local_rank="--local_rank",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in REAL.items()])
def test_real_scripts(case: Case, tmp_path: Path) -> None:
    made = settings(tmp_path, case.files)
    seen = Case(
        case.files,
        made.script,
        made.style,
        made.config,
        made.work_dir,
        made.resume,
        made.resume_auto,
        made.launcher,
        made.distributed or made.devices,
        made.complete,
        made.local_rank,
    )
    assert seen == case


@pytest.mark.parametrize(
    ("files", "options"),
    [
        pytest.param(
            MMDET2,
            {
                "config": ("", "value"),
                "work_dir": ("--work-dir", "value"),
                "resume_from": ("--resume-from", "value"),
                "auto_resume": ("--auto-resume", "flag"),
                "no_validate": ("--no-validate", "flag"),
                "gpus": ("--gpus", "value"),
                "gpu_ids": ("--gpu-ids", "values"),
                "cfg_options": ("--cfg-options", "values"),
                "launcher": ("--launcher", "value"),
            },
            id="mmdet",
        ),
        pytest.param(
            RUN_GLUE,
            {
                "model_name_or_path": ("--model_name_or_path", "value"),
                "config_name": ("--config_name", "value"),
                "use_fast_tokenizer": ("--use_fast_tokenizer", "maybe"),
                "label_names": ("--label_names", "values"),
                "output_dir": ("--output_dir", "value"),
            },
            id="transformers",
        ),
        pytest.param(
            CLICK,
            {
                "outdir": ("--outdir", "value"),
                "cfg": ("--cfg", "value"),
                "gpus": ("--gpus", "value"),
                "cond": ("--cond", "switch"),
                "resume": ("--resume", "value"),
                "nobench": ("--nobench", "flag"),
            },
            id="click",
        ),
        pytest.param(
            ABSL,
            {
                "workdir": ("--workdir", "value"),
                "profile": ("--profile", "switch"),
                "mode": ("--mode", "value"),
                "config": ("--config", "value"),
            },
            id="absl",
        ),
        pytest.param(
            {
                "train.py": argparse(
                    "'-c', dest='config'",
                    "'--slow', '--no-fast', action='store_false'",
                    "'--amp', action=argparse.BooleanOptionalAction",
                    "'-v', '--verbose', action='count'",
                    "'--tag', action='append'",
                    "'--size', nargs=2",
                    "'--one', nargs=1",
                    "'--none', nargs=0, action=Set",
                    "'--set', nargs=argparse.REMAINDER",
                    "'more', nargs='*'",
                    "'--last', type=str2bool",
                )
            },
            {
                "config": ("-c", "value"),
                "slow": ("--slow", "off"),
                "amp": ("--amp", "switch"),
                "verbose": ("--verbose", "flag"),
                "tag": ("--tag", "value"),
                "size": ("--size", "values"),
                "one": ("--one", "value"),
                "none": ("--none", "flag"),
                "last": ("--last", "value"),
                "set": ("--set", "rest"),
                "more": ("", "rest"),
            },
            id="argparse: what stands behind; what takes the rest comes last",
        ),
        pytest.param(
            {
                "train.py": "import click\nimport torch\n@click.command()\n@click.option('--shout/--whisper', default=True)\n"
                "@click.option('--size', nargs=2)\n@click.option('--tag', multiple=True)\n@click.option('-v', '--loud', count=True)\n"
                "@click.argument('files', nargs=-1)\ndef main():\n    loss.backward()\nif __name__ == '__main__':\n    main()\n"
            },
            {
                "shout": ("--shout", "flag"),
                "whisper": ("--whisper", "flag"),
                "size": ("--size", "values"),
                "tag": ("--tag", "value"),
                "loud": ("--loud", "flag"),
                "files": ("", "rest"),
            },
            id="click: two words of one switch",
        ),
        pytest.param(
            {
                "train.py": "import tyro\nfrom dataclasses import dataclass\n@dataclass\nclass Args:\n    seed: int = 1\n"
                "    track: bool = False\n    sizes: tuple[int, ...] = (1, 2)\n    note: 'str | None' = None\n"
                "if __name__ == '__main__':\n    args = tyro.cli(Args)\n    loss.backward()\n"
            },
            {
                "seed": ("--seed", "value"),
                "track": ("--track", "switch"),
                "sizes": ("--sizes", "values"),
                "note": ("--note", "value"),
            },
            id="tyro",
        ),
        pytest.param(
            {
                "train.py": "from tap import Tap\nfrom typing import List\nclass Args(Tap):\n    lr: float\n    fast: bool = False\n"
                "    slow: bool = True\n    sizes: List[int] = [1]\nif __name__ == '__main__':\n    Args().parse_args()\n    loss.backward()\n"
            },
            {
                "lr": ("--lr", "value"),
                "fast": ("--fast", "flag"),
                "slow": ("--slow", "off"),
                "sizes": ("--sizes", "values"),
            },
            id="tap",
        ),
        pytest.param(
            {
                "train.py": "import typer\ndef main(data: str, lr: float = 0.1, amp: bool = False,\n"
                "         quiet: bool = typer.Option(False, '--quiet', '-q')):\n    loss.backward()\n"
                "if __name__ == '__main__':\n    typer.run(main)\n"
            },
            {
                "data": ("", "value"),
                "lr": ("--lr", "value"),
                "amp": ("--amp", "switch"),
                "quiet": ("--quiet", "flag"),
            },
            id="typer",
        ),
    ],
)
def test_what_stands_behind_each_argument(files: Files, options: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    assert taken(settings(tmp_path, files)) == options


@pytest.mark.parametrize(
    ("lines", "config"),
    [
        pytest.param(["'--config', help='the configuration'", "'--cfg'"], "config", id="the clearest name"),
        pytest.param(["'--cfg'", "'config_file'"], "config_file", id="a positional one comes first"),
        pytest.param(["'--conf', type=float, default=0.25"], "", id="a number is none"),
        pytest.param(["'--conf', help='confidence threshold'"], "", id="a threshold is none"),
        pytest.param(["'--config', action='store_true'"], "", id="a flag is none"),
        pytest.param(["'-opt', required=True, help='Path to option YAML file.'"], "opt", id="by what is told of it"),
        pytest.param(["'--opt', default='adamw', help='optimizer'"], "", id="an optimizer is none"),
        pytest.param(["'--exp', help='experiment name'"], "", id="a name is none"),
        pytest.param(["'configuration', help='Configuration that should be trained'"], "", id="a word is no file"),
        pytest.param(["'--params', default='params.json'"], "params", id="by its default"),
    ],
)
def test_which_is_the_configuration(lines: list[str], config: str, tmp_path: Path) -> None:
    assert settings(tmp_path, {"train.py": argparse(*lines)}).config == config


@pytest.mark.parametrize(
    ("lines", "work_dir"),
    [
        pytest.param(["'--save_path', default='best.pth'"], (), id="a file is no folder"),
        pytest.param(["'--output', default='y', help='name of the output column'"], (), id="a name"),
        pytest.param(["'--output', help='folder of the results'"], ("--output", "{}"), id="a folder"),
        pytest.param(["'--project', default='my-runs', help='wandb project name'"], (), id="a tracker's project"),
        pytest.param(["'--model_dir', help='folder of the pretrained model to load'"], (), id="what is read"),
        pytest.param(
            ["'--model_dir', help='where checkpoints are saved'"], ("--model_dir", "{}"), id="what is written"
        ),
        pytest.param(["'--log_dir', default='./log'"], ("--log_dir", "{}"), id="logs alone"),
        pytest.param(["'--save-dir'", "'--log_dir'"], ("--save-dir", "{}"), id="logs that nobody asked for"),
        pytest.param(["'output_dir'"], (), id="a positional one is the user's to give"),
        pytest.param(["'--output_dir', action='store_true'"], (), id="a flag"),
    ],
)
def test_where_it_writes(lines: list[str], work_dir: tuple[str, ...], tmp_path: Path) -> None:
    assert settings(tmp_path, {"train.py": argparse(*lines)}).work_dir == work_dir


@pytest.mark.parametrize(
    ("lines", "resume"),
    [
        pytest.param(["'--load-from'"], ((), ()), id="weights alone"),
        pytest.param(["'--checkpoint', help='pretrained weights'"], ((), ()), id="weights, too"),
        pytest.param(["'--ckpt', help='resume from it'"], (("--ckpt", "{}"), ()), id="by what is told of it"),
        pytest.param(
            ["'--resume', action='store_true'", "'--checkpoint', help='pretrained weights for finetuning'"],
            ((), ("--resume",)),
            id="a flag, and weights",
        ),
        pytest.param(["'--resume', type=int, help='epoch to resume'"], ((), ()), id="an epoch is no file"),
        pytest.param(
            ["'--restore', help='continue from this file'", "'--resume', action='store_true'"],
            (("--resume", "--restore", "{}"), ("--resume",)),
            id="a flag that goes with the file",
        ),
        pytest.param(
            ["'--c', action='store_true', help='Continue training from latest checkpoint'"],
            ((), ("--c",)),
            id="a flag by what is told of it",
        ),
    ],
)
def test_what_it_goes_on_from(lines: list[str], resume: tuple[tuple[str, ...], ...], tmp_path: Path) -> None:
    made = settings(tmp_path, {"train.py": argparse(*lines)})
    assert (made.resume, made.resume_auto) == resume


def test_the_folder_s_key_of_a_configuration(tmp_path: Path) -> None:
    script = argparse("'--config-file'", "'opts', nargs=argparse.REMAINDER")
    files = {"train_net.py": script, "fcos/config/defaults.py": "_C = CN()\n_C.OUTPUT_DIR = '.'\n"}
    assert settings(tmp_path, files).work_dir == ("OUTPUT_DIR", "{}")


def test_commands(tmp_path: Path) -> None:
    text = (
        "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers()\n"
        "t = s.add_parser('train')\nt.add_argument('--lr')\ns.add_parser('export').add_argument('--to')\n"
        "if __name__ == '__main__':\n    p.parse_args()\n    loss.backward()\n"
    )
    assert settings(tmp_path, {"main.py": text}).first == ("train",)
    made = found(tmp_path, {"main.py": text.replace("'train'", "'learn'")})
    assert made.settings is not None
    assert made.settings.first == ()
    assert "does one of its commands (learn, export) have to come first? FIRST in" in str(made.questions[0])


def test_names_that_nobody_writes(tmp_path: Path) -> None:
    lines = ["'--lr'", "'--a b'", "'--x\\x1b[31m'", "'--'", "'--größe'", "'--model.depth'"]
    made = settings(tmp_path, {"train.py": argparse(*lines)})
    assert [one.name for one in made.options] == ["lr", "größe", "model.depth"]
    assert not made.complete


def test_help_says_choices_and_default(tmp_path: Path) -> None:
    lines = ["'--mode', choices=['a', 'b'], default='a'", "'--lr', default=0.1, help='rate (%(default)s, 5%% off)'"]
    made = settings(tmp_path, {"train.py": argparse(*lines)})
    assert [one.help for one in made.options] == ["(one of a, b) (default: a)", "rate (0.1, 5% off) (default: 0.1)"]


def test_options_that_the_entry_script_has_as_well_are_told(tmp_path: Path) -> None:
    made = found(tmp_path, {"train.py": argparse("'--config'", "'--work-dir'", "'--dry-run'", "'--dataset_id'")})
    (question,) = made.questions
    assert "same name as its --dry-run, --dataset_id: the script's own are given after --" in question.what
    assert found(tmp_path, {"train.py": argparse("'--config'", "'--work-dir'", "'--resume'")}).questions == ()


def test_other_scripts_are_asked_about(tmp_path: Path) -> None:
    script = argparse("'--config'", "'--work-dir'")
    made = found(tmp_path, {"train_a.py": script, "train_b.py": script})
    assert made.settings is not None
    assert made.settings.script == "train_a.py"
    (question,) = made.questions
    assert question.what == (
        "train_a.py is taken for the script that trains; train_b.py may be meant as well "
        "(kobako entry Repo --force --script FILE)"
    )


def test_a_repository_without_a_script(tmp_path: Path) -> None:
    made = found(tmp_path, {"repo/__init__.py": "import torch\n"})
    assert made.settings is None
    assert "no script that trains was found: name the script that trains: kobako entry Repo --script FILE" in str(
        made.questions[0]
    )


@pytest.mark.parametrize(
    ("file", "relative", "module", "path"),
    [
        ("pkg/train.py", ".data", "pkg.train", "."),
        ("src/pkg/train.py", ".data", "pkg.train", "src"),
        ("pkg/tools/train.py", "..data", "pkg.tools.train", "."),
        ("pkg/tools/train.py", ".", "pkg.tools.train", "."),
    ],
)
def test_a_script_that_imports_relatively_is_started_as_a_module(
    tmp_path: Path, file: str, relative: str, module: str, path: str
) -> None:
    text = f"from {relative} import load\n" + argparse("'--config'")
    packages = {f"{file[:at]}/__init__.py": "" for at, one in enumerate(file) if one == "/" and file[:at] != "src"}
    made = settings(tmp_path, {file: text, **packages})
    assert (made.script, made.module) == (file, module)
    assert path in made.pythonpath


def test_a_relative_import_without_a_package_cannot_be_started(tmp_path: Path) -> None:
    made = found(tmp_path, {"train.py": "from .data import load\n" + argparse("'--config'")})
    assert made.settings is None
    assert "train.py cannot be started by its path" in str(made.questions[0])


def test_the_entry_script_itself_is_no_training_script(tmp_path: Path) -> None:
    made = found(tmp_path, {"tools/clearml_train.py": argparse("'--config'"), "tools/train.py": argparse("'--cfg'")})
    assert made.settings is not None
    assert made.settings.script == "tools/train.py"


@pytest.mark.parametrize(
    ("text", "launcher"),
    [
        pytest.param("", "none", id="nothing"),
        pytest.param("model = torch.nn.DataParallel(model)\n", "none", id="one process for all"),
        pytest.param("rank = os.environ['LOCAL_RANK']\n", "torchrun", id="torchrun's variables"),
        pytest.param("import torch.multiprocessing as mp\nmp.spawn(main, nprocs=2)\n", "own", id="spawn"),
        pytest.param("from accelerate import Accelerator\na = Accelerator()\n", "torchrun", id="accelerate"),
        pytest.param("import pytorch_lightning as pl\nt = pl.Trainer()\n", "own", id="Lightning"),
        pytest.param(
            "import torch.multiprocessing as mp\nc = mp.get_context('spawn')\nc.Process(target=main, args=(gpu,)).start()\n",
            "own",
            id="processes of its own",
        ),
        pytest.param("from engine import setup\nsetup()\n", "torchrun", id="in a module of the repository"),
    ],
)
def test_who_starts_the_processes(text: str, launcher: str, tmp_path: Path) -> None:
    files = {
        "train.py": argparse("'--x'", more=text),
        "engine.py": "def setup():\n    torch.distributed.init_process_group('nccl')\n",
    }
    assert settings(tmp_path, files).launcher == launcher
