"""The arguments of a script, whatever it parses them with."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from kobako.model.requirement import Argument
from kobako.scan.code import arguments
from kobako.scan.code.arguments import Parsed
from kobako.scan.code.modules import Module
from kobako.scan.tree import Tree


def read(root: Path, files: dict[str, str]) -> Parsed:
    """Of the first file."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    name = next(iter(files))
    text = textwrap.dedent(files[name])
    return arguments.read(Module(name, text, ast.parse(text)), Tree(root))


def shown(found: Parsed) -> list[str]:
    return [_shown(one) for one in found.arguments]


def _shown(one: Argument) -> str:
    default = "" if one.default is None else f"={one.default}"
    return f"{' '.join(one.flags)}{default}{' (required)' if one.required else ''}{f': {one.help}' if one.help else ''}"


ARGPARSE = """
    import argparse
    from utils import DictAction

    def parse_args():
        parser = argparse.ArgumentParser(description='Train a detector')
        parser.add_argument('config', help='train config file path')
        parser.add_argument('extra', nargs='?', default='none')
        parser.add_argument('rest', nargs=argparse.REMAINDER)
        parser.add_argument('--work-dir', help='the dir to save logs '
                            'and models')
        parser.add_argument('-b', '--batch-size', type=int, default=4 * 2, required=True)
        parser.add_argument("--no-validate", action='store_true', help=argparse.SUPPRESS)
        group = parser.add_mutually_exclusive_group()
        group.add_argument('--gpus', type=int, default=argparse.SUPPRESS, help='how many %(default)s')
        group.add_argument('--gpu-ids', type=int, nargs='+', help='ids (%s)' % 'all')
        add = parser.add_argument_group('x').add_argument
        add('--lr', default=1e-3, help=f'rate for {parser}')
        parser.add_argument('--cfg-options', nargs='+', action=DictAction)
        return parser.parse_args()
"""


def test_argparse(tmp_path: Path) -> None:
    found = read(tmp_path, {"tools/train.py": ARGPARSE})
    assert shown(found) == [
        "config (required): train config file path",
        "extra=none",
        "rest",
        "--work-dir: the dir to save logs and models",
        "-b --batch-size=4 * 2 (required)",
        "--no-validate=False",
        "--gpus: how many %(default)s",
        "--gpu-ids: ids (%s)",
        "--lr=0.001: rate for ...",
        "--cfg-options",
    ]
    assert [one.line for one in found.arguments][:4] == [7, 8, 9, 10]
    assert (found.kinds, found.notes) == (("argparse",), ())


@pytest.mark.parametrize(
    ("files", "flags"),
    [
        pytest.param(
            {
                "main.py": "import argparse\nfrom opts import get_args_parser\n"
                "p = argparse.ArgumentParser(parents=[get_args_parser()])\np.add_argument('--mine')\n",
                "opts.py": "def get_args_parser():\n    p = P()\n    p.add_argument('--lr')\n    _more(p)\n    return p\n"
                "def _more(p):\n    p.add_argument('--epochs')\ndef other(p):\n    p.add_argument('--not')\n",
            },
            ["--lr", "--epochs", "--mine"],
            id="a helper in another module, and what it calls there",
        ),
        pytest.param(
            {
                "pkg/train.py": "from .options.train_options import TrainOptions\nopt = TrainOptions().parse()\n",
                "pkg/options/train_options.py": "from .base_options import BaseOptions\nclass TrainOptions(BaseOptions):\n"
                "    def initialize(self, parser):\n        parser.add_argument('--n_epochs')\n",
                "pkg/options/base_options.py": "class BaseOptions:\n    def initialize(self, parser):\n"
                "        parser.add_argument('--dataroot', required=True)\n",
            },
            ["--dataroot", "--n_epochs"],
            id="a class of options and its base",
        ),
        pytest.param(
            {
                "src/main.py": "import _init_paths\nfrom opts import opts\nopt = opts().parse()\n",
                "src/lib/opts.py": "class opts(object):\n    def __init__(self):\n        self.parser.add_argument('task')\n",
            },
            ["task"],
            id="a module on a path that the script extends",
        ),
        pytest.param(
            {
                "train.py": "from ppdet.utils.cli import ArgsParser\np = ArgsParser()\np.add_argument('--eval')\n",
                "ppdet/utils/cli.py": "from argparse import ArgumentParser\nclass ArgsParser(ArgumentParser):\n"
                "    def __init__(self):\n        self.add_argument('-c', '--config')\n",
            },
            ["-c", "--eval"],
            id="a parser class",
        ),
        pytest.param(
            {
                "train.py": "from config import args\nprint(args.lr)\n",
                "config.py": "p = P()\np.add_argument('--lr')\nargs = p.parse_args()\n",
            },
            ["--lr"],
            id="parsed when another module is imported",
        ),
        pytest.param(
            {
                "train.py": "import utils.cli as cli\nimport model\nfrom model import Net\np = P()\ncli.add_common_args(p)\n"
                "Net.add_model_specific_args(p)\n",
                "utils/cli.py": "def add_common_args(p):\n    p.add_argument('--seed')\n",
                "model.py": "class Net:\n    @staticmethod\n    def add_model_specific_args(p):\n        p.add_argument('--width')\n"
                "    def other(self, p):\n        p.add_argument('--not')\n",
            },
            ["--seed", "--width"],
            id="a module's attribute, a class's method",
        ),
        pytest.param(
            {"train.py": "from other import get_parser\np = get_parser()\np.add_argument('--a')\n"},
            ["--a"],
            id="not of the repository",
        ),
        pytest.param(
            {"a.py": "from b import parse_args\nparse_args()\n", "b.py": "from a import parse_args\n"},
            [],
            id="round and round",
        ),
    ],
)
def test_helpers_are_followed(files: dict[str, str], flags: list[str], tmp_path: Path) -> None:
    assert [one.flags[0] for one in read(tmp_path, files).arguments] == flags


@pytest.mark.parametrize(
    ("text", "arguments", "kinds", "notes"),
    [
        pytest.param(
            """
            import click
            @click.command()
            @click.pass_context
            @click.option('--outdir', help='Where to save', metavar='DIR', required=True)
            @click.option('--cond/--no-cond', 'cond', default=False, show_default=True)
            @click.option('-v', '--verbose', is_flag=True)
            @click.option('--lr', required=True, default=0.1)
            @click.option('--name', required=True, prompt=True)
            @click.option('--key', required=True, envvar='KEY')
            @click.option('--to', required=True, default=None, prompt=False)
            @click.argument('data')
            @click.argument('more', nargs=-1)
            def main(ctx, **kwargs):
                pass
            """,
            [
                "--outdir (required): Where to save",
                "--cond --no-cond=False",
                "-v --verbose=False",
                "--lr=0.1",
                "--name",
                "--key",
                "--to (required)",
                "data (required)",
                "more",
            ],
            ("click",),
            (),
            id="click",
        ),
        pytest.param(
            """
            import click
            @click.group()
            def cli(): ...
            @cli.command()
            @click.option('--a')
            def train_it(a): ...
            @cli.command('eval')
            @click.option('--b')
            def evaluate(b): ...
            """,
            ["--a", "--b"],
            ("click",),
            ("commands: train-it, eval (the arguments of all of them are listed)",),
            id="click, several commands",
        ),
        pytest.param(
            """
            import typer
            from typing_extensions import Annotated
            app = typer.Typer()
            @app.command()
            def main(config: str, epochs: int = 10, lr: float = typer.Option(1e-3, '--lr', '-l', help='rate'),
                     out: str = typer.Argument(..., help='where'), seed: Annotated[int, typer.Option(help='of all')] = 0):
                ...
            """,
            [
                "config (required)",
                "--epochs=10",
                "--lr -l=0.001: rate",
                "out (required): where",
                "--seed=0: of all",
            ],
            ("typer",),
            (),
            id="typer",
        ),
        pytest.param(
            """
            from absl import app, flags
            FLAGS = flags.FLAGS
            flags.DEFINE_string('data_dir', None, 'where it is')
            flags.DEFINE_enum('mode', 'train', ['train', 'eval'], help='what to do')
            flags.DEFINE_integer(name='steps', default=100, help='how many', lower_bound=1)
            config_flags.DEFINE_config_file('config', 'a.py', 'the configuration')
            flags.mark_flags_as_required(['data_dir'])
            """,
            [
                "--data_dir (required): where it is",
                "--mode=train: what to do",
                "--steps=100: how many",
                "--config=a.py: the configuration",
            ],
            ("absl flags",),
            (),
            id="absl",
        ),
        pytest.param(
            "import fire\ndef main(model_dir, steps=100, *, lr=1e-4):\n    pass\nif __name__ == '__main__':\n    fire.Fire(main)\n",
            ["--model_dir (required)", "--steps=100", "--lr=0.0001"],
            ("fire",),
            (),
            id="fire",
        ),
        pytest.param(
            "import fire\nclass Jobs:\n    def train(self): ...\n    def test(self): ...\n    def _x(self): ...\nfire.Fire(Jobs)\n",
            [],
            ("fire",),
            ("commands: train, test",),
            id="fire with a class",
        ),
        pytest.param(
            """
            import tyro
            from dataclasses import dataclass, field
            @dataclass
            class Args:
                seed: int = 1
                '''seed of the experiment'''
                env_id: str = "CartPole"
                layers: list = field(default_factory=lambda: [64, 64])
            args = tyro.cli(Args)
            """,
            ["--seed=1: seed of the experiment", "--env-id=CartPole", "--layers=[64, 64]"],
            ("tyro",),
            (),
            id="tyro",
        ),
        pytest.param(
            """
            from dataclasses import dataclass, field
            from typing import ClassVar, Optional
            from transformers import HfArgumentParser, TrainingArguments
            @dataclass
            class ModelArguments:
                model_name_or_path: str = field(metadata={"help": "Path to the model"})
                cache_dir: Optional[str] = field(default=None, metadata={"help": "Where to "
                                                                                 "store it"})
                known: ClassVar[int] = 1
            parser = HfArgumentParser((ModelArguments, TrainingArguments))
            """,
            ["--model_name_or_path (required): Path to the model", "--cache_dir: Where to store it"],
            ("transformers' HfArgumentParser",),
            ("and the fields of TrainingArguments",),
            id="transformers",
        ),
        pytest.param(
            "from simple_parsing import ArgumentParser\nclass Options:\n    lr: float = 0.1\n"
            "p = ArgumentParser()\np.add_argument('--seed', default=1)\np.add_arguments(Options, dest='o')\n",
            ["--seed=1", "--lr=0.1"],
            ("simple_parsing",),
            (),
            id="simple_parsing",
        ),
        pytest.param(
            "import pyrallis\nclass Config:\n    lr: float = 0.1\n@pyrallis.wrap()\ndef main(cfg: Config):\n    pass\n",
            ["--lr=0.1"],
            ("pyrallis",),
            (),
            id="pyrallis",
        ),
        pytest.param(
            "from tap import Tap\nclass Args(Tap):\n    lr: float\n    seed: int = 0\nArgs().parse_args()\n",
            ["--lr (required)", "--seed=0"],
            ("tap",),
            (),
            id="tap",
        ),
        pytest.param(
            "from jsonargparse import CLI\ndef main(lr: float = 0.1):\n    pass\nCLI(main)\n",
            ["--lr=0.1"],
            ("jsonargparse",),
            (),
            id="jsonargparse",
        ),
        pytest.param(
            "from pytorch_lightning.cli import LightningCLI\ncli = LightningCLI(Model, Data)\n",
            [],
            ("LightningCLI",),
            ("a command (fit), --config FILE, --trainer.*, --model.* and --data.*",),
            id="LightningCLI",
        ),
        pytest.param(
            "from detectron2.engine import default_argument_parser, launch\nargs = default_argument_parser().parse_args()\n",
            [],
            ("detectron2's default_argument_parser",),
            (
                "--config-file, --resume, --eval-only, --num-gpus, --num-machines, --machine-rank, --dist-url, KEY VALUE pairs",
            ),
            id="detectron2",
        ),
        pytest.param(
            "import argparse\nfrom pytorch_lightning import Trainer\np = argparse.ArgumentParser()\np = Trainer.add_argparse_args(p)\n",
            [],
            (),
            ("and the arguments of Lightning's Trainer",),
            id="Lightning's Trainer",
        ),
        pytest.param(
            "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers()\nt = s.add_parser('train')\n"
            "t.add_argument('--lr')\ns.add_parser('test').add_argument('--ckpt')\nfor n in names:\n    t.add_argument('--' + n)\n",
            ["--lr", "--ckpt"],
            ("argparse",),
            ("commands: train, test (the arguments of all of them are listed)", "some of its arguments are computed"),
            id="subparsers",
        ),
        pytest.param(
            '"""Train.\n\nUsage:\n  train.py [options]\n\nOptions:\n  -h --help            Show this.\n'
            '  --lr=<rate>          Rate [default: 0.1]\n  -o DIR, --out DIR    Where to\n"""\n'
            "from docopt import docopt\nargs = docopt(__doc__)\n",
            ["-h --help: Show this.", "--lr=0.1: Rate [default: 0.1]", "-o --out: Where to"],
            ("docopt",),
            (),
            id="docopt",
        ),
        pytest.param(
            "from omegaconf import OmegaConf\ncfg = OmegaConf.from_cli()\n",
            [],
            ("OmegaConf",),
            ("key=value overrides",),
            id="OmegaConf",
        ),
        pytest.param("import sys\nrate = float(sys.argv[1])\n", [], (), ("reads sys.argv itself",), id="by itself"),
        pytest.param("rate = 0.1\n", [], (), (), id="nothing"),
    ],
)
def test_each_parser(
    text: str, arguments: list[str], kinds: tuple[str, ...], notes: tuple[str, ...], tmp_path: Path
) -> None:
    found = read(tmp_path, {"train.py": text})
    assert (shown(found), found.kinds, found.notes) == (arguments, kinds, notes)


def test_hydra_names_its_configuration(tmp_path: Path) -> None:
    text = "import hydra\n@hydra.main(version_base='1.3', config_path='../configs', config_name='train.yaml')\ndef main(cfg):\n    pass\n"
    known = read(tmp_path, {"src/train.py": text, "configs/train.yaml": ""})
    assert (known.kinds, known.notes) == (("hydra",), ("key=value overrides of configs/train.yaml",))
    unknown = read(tmp_path, {"train.py": text.replace("train.yaml", "other")})
    assert unknown.notes == ("key=value overrides of the configuration other",)


def test_a_configurator_overrides_what_stands_above_it(tmp_path: Path) -> None:
    text = """
        import os
        out_dir = 'out'
        lr = 6e-4 # max learning rate
        device, x = 'cuda', 1
        decay = -1
        _private = 1
        config_keys = [k for k in globals()]
        exec(open('configurator.py').read()) # overrides from command line or config file
        after = 1
    """
    found = read(tmp_path, {"train.py": text, "configurator.py": "import sys\nfor arg in sys.argv[1:]:\n    pass\n"})
    assert shown(found) == ["--out_dir=out", "--lr=0.0006", "--decay=-1"]
    assert found.kinds == ("configurator.py",)
    assert read(tmp_path, {"train.py": text, "configurator.py": "x = 1\n"}) == Parsed()


def test_what_is_huge_is_cut(tmp_path: Path) -> None:
    many = "\n".join(
        f"p.add_argument('--a{number}', default='{'x' * 500}', help='{'y ' * 500}')" for number in range(500)
    )
    found = read(tmp_path, {"train.py": f"import argparse\np = argparse.ArgumentParser()\n{many}\n"})
    assert len(found.arguments) == 400
    assert found.notes == ("and 100 more arguments",)
    assert found.arguments[0].default == f"{'x' * 100}..."
    assert len(found.arguments[0].help) < 310


def test_code_that_nobody_writes(tmp_path: Path) -> None:
    text = (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--a', help="
        + "+".join(["'x'"] * 900)
        + ")\np"
        + ".a" * 900
        + "()\n"
    )
    found = read(tmp_path, {"train.py": text})
    assert found.notes in {(), ("some of its arguments could not be read",)}
