"""What scripts take that leave their arguments to a library. Each is as that library's own source has it."""

from __future__ import annotations

from typing import NamedTuple

from kobako.model.requirement import EntryPoint
from kobako.train.entry.settings import Option


class Known(NamedTuple):
    """``options`` that are certain, and words as :class:`Settings` has them."""

    options: tuple[Option, ...] = ()
    config: str = ""
    work_dir: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    resume_auto: tuple[str, ...] = ()
    launcher: str = ""
    distributed: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


def _value(name: str, flag: str, text: str = "") -> Option:
    return Option(name, flag, "value", required=False, help=text)


def _flag(name: str, flag: str, text: str = "") -> Option:
    return Option(name, flag, "flag", required=False, help=text)


_DETECTRON2 = Known(  # detectron2/engine/defaults.py, default_argument_parser
    (
        _value("config_file", "--config-file", "path to config file"),
        _flag("eval_only", "--eval-only", "perform evaluation only"),
        _value("num_gpus", "--num-gpus", "number of gpus *per machine*"),
        _value("num_machines", "--num-machines", "total number of machines"),
        _value("machine_rank", "--machine-rank", "the rank of this machine (unique per machine)"),
        _value("dist_url", "--dist-url", "where the processes meet"),
        Option("opts", "", "rest", required=False, help="KEY VALUE pairs that change the configuration"),
    ),
    config="config_file",
    work_dir=("OUTPUT_DIR", "{}"),
    resume_auto=("--resume",),
    launcher="own",
    devices=("--num-gpus", "{}"),
)
_BASICSR = Known(  # basicsr/utils/options.py, parse_options
    (
        Option("opt", "-opt", "value", required=True, help="path to the option YAML file"),
        _value("launcher", "--launcher", "job launcher: none, pytorch, slurm"),
        _flag("auto_resume", "--auto_resume"),
        _flag("debug", "--debug"),
        Option("force_yml", "--force_yml", "values", required=False, help="changes of the option file: a:b=c"),
    ),
    config="opt",
    resume_auto=("--auto_resume",),
    launcher="torchrun",
    distributed=("--launcher", "pytorch"),
)
_LIGHTNING_CLI = Known(
    (
        _value("config", "--config", "a configuration file"),
        _value("ckpt_path", "--ckpt_path", "the checkpoint to go on from"),
    ),
    config="config",
    work_dir=("--trainer.default_root_dir", "{}"),
    resume=("--ckpt_path", "{}"),
    launcher="own",
    devices=("--trainer.devices", "{}"),
    first=("fit",),
)
_LIGHTNING_TRAINER = Known(  # pytorch_lightning 1.x, Trainer.add_argparse_args
    work_dir=("--default_root_dir", "{}"), launcher="own", devices=("--devices", "{}")
)
_TRANSFORMERS = Known(  # transformers/training_args.py, TrainingArguments
    (_value("output_dir", "--output_dir", "where the model and the checkpoints are written"),),
    work_dir=("--output_dir", "{}"),
    resume=("--resume_from_checkpoint", "{}"),
    launcher="torchrun",
)
_HYDRA = Known(  # hydra/_internal/utils.py, get_args_parser
    (
        _value("config_name", "--config-name", "the configuration that is composed first"),
        _value("config_path", "--config-path", "the folder of configurations, instead of the script's own"),
        _value("config_dir", "--config-dir", "one more folder of configurations"),
    ),
    config="config_name",
    work_dir=("hydra.run.dir={}",),
)

_BY_KIND = {
    "detectron2's default_argument_parser": _DETECTRON2,
    "basicsr's train_pipeline": _BASICSR,
    "LightningCLI": _LIGHTNING_CLI,
    "hydra": _HYDRA,
    "sacred": Known(first=("with",)),
}


def of(entry: EntryPoint) -> Known:
    """What is known of the libraries that an entry point's script leaves its arguments to."""
    for kind in entry.kinds:
        if kind in _BY_KIND:
            return _BY_KIND[kind]
    if any("TrainingArguments" in note for note in entry.notes):
        return _TRANSFORMERS
    if any("Lightning's Trainer" in note for note in entry.notes):
        return _LIGHTNING_TRAINER
    return Known()
