"""Which of a script's arguments is the configuration, where it writes, from what it goes on: by name and by evidence.

What is not certain stays empty, and is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kobako.model.requirement import Argument
from kobako.train.entry.options import flag_of, name_of

_CONFIG = (
    *(
        "config",
        "config_file",
        "cfg",
        "cfg_file",
        "exp_file",
        "config_path",
        "cfg_path",
        "conf",
        "conf_file",
        "config_yaml",
    ),
    *("yaml_config", "yaml_file", "yaml_path", "config_filename", "train_config"),
    *("training_config", "exp_config", "exp_cfg", "experiment_config", "param_path", "params_file", "hparams_file"),
    *("config_fn", "conf_path", "config_fp", "cfg_filename", "config_filepath"),
)
_MAYBE_CONFIG = (
    *("opt", "option", "options", "exp", "yaml", "hyp", "params", "param_file", "recipe", "settings", "configuration"),
    *("configs", "cfgs", "experiment", "c", "f"),
)
_SAYS_CONFIG = re.compile(r"\.(?:ya?ml|json|toml|cfg|conf)\b|\byaml\b|\bfiles?\b|\bpath\b", re.IGNORECASE)
_NO_CONFIG = re.compile(
    r"confidence|threshold|model\.ya?ml|model config|(?:config\w*|cfg) (?:of|for) the (?:model|dataset|data)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e-?\d+)?")

_FOLDERS = (
    *("work_dir", "workdir", "work_directory", "output_dir", "output_directory", "outputs_dir", "out_dir", "outdir"),
    *("output_path", "output_folder", "output_root", "out_folder", "out_path", "exp_dir", "expdir", "experiment_dir"),
    *("run_dir", "rundir", "runs_dir", "results_dir", "result_dir", "result_path", "results_path", "train_dir"),
    *("save_dir", "savedir", "save_folder", "save_root", "save_directory", "training_dir", "checkpoint_dir"),
    *("checkpoints_dir", "ckpt_dir", "checkpoints", "save_path", "snapshot_dir", "default_root_dir", "dir_checkpoint"),
)
_MAYBE_FOLDERS = (
    "output",
    "outputs",
    "out",
    "save",
    "logs",
    "model_dir",
    "results",
    "project",
    "exp_root",
    "saved_models",
)
_LOGS = ("log_dir", "logdir", "logs_dir", "log_path", "tensorboard_dir", "tb_dir", "summary_dir")
_SAYS_FOLDER = re.compile(r"\bdir|folder|director|\bpath\b|\bwhere\b|\bsave|\bstore|\bwrite|checkpoint", re.IGNORECASE)
_NO_FOLDER = re.compile(
    r"\binput\b|\bpre-?trained|\bload(?:ed|ing)?\b|data ?set|evaluat\w+ (?:from|of)|wandb|weights (?:and|&) biases"
    r"|comet|to (?:read|resume)",
    re.IGNORECASE,
)
_FILE = re.compile(r"\.(?:pth?|pt|ckpt|h5|pkl|json|txt|csv|bin|safetensors|onnx|log)$")

_RESUME = (
    *("resume_from", "resume_from_checkpoint", "resume_checkpoint", "resume_path", "resume_ckpt", "resume_file"),
    *("resume", "resume_from_ckpt", "resume_model", "resume_training", "checkpoint_resume", "resume_training_from"),
)
_MAYBE_RESUME = (
    "ckpt",
    "checkpoint",
    "ckpt_path",
    "checkpoint_path",
    "restore",
    "restore_from",
    "load_checkpoint",
    "snapshot",
)
_AUTO = ("auto_resume", "resume", "autoresume", "continue_train", "continue_training", "resume_training", "continue")
_SAYS_RESUME = re.compile(r"\bresum|\bcontinu|go on", re.IGNORECASE)
_GOES_ON = re.compile(r"\b(?:continue|resume)\b.{0,60}\b(?:training|checkpoint|latest)\b", re.IGNORECASE)
_NO_FILE = re.compile(r"\bepoch\b(?!.*(?:checkpoint|path|file))|\bstep\b(?!.*(?:checkpoint|path|file))", re.IGNORECASE)

_DEVICES = (
    "devices",
    "num_gpus",
    "num_gpu",
    "ngpus",
    "ngpu",
    "n_gpus",
    "n_gpu",
    "num_devices",
    "nprocs",
    "nproc",
    "num_processes",
)
_MAYBE_DEVICES = ("gpus", "gpu", "world_size", "nproc_per_node")
_SAYS_NUMBER = re.compile(r"\bnumber of|\bhow many|\bnum\b|\bcount", re.IGNORECASE)
_DISTRIBUTED = ("distributed", "ddp", "use_ddp", "dist", "distributed_training", "is_distributed", "use_distributed")


def config(arguments: Sequence[Argument]) -> tuple[str, tuple[str, ...]]:
    """The name of the configuration's argument, and the candidates where none is certain."""
    named = _valued(arguments, positional=True)
    sure = [name for name in _CONFIG if name in named and _may_be_config(named[name])]
    positional = [name for name in sure if named[name].positional]
    if positional or sure:
        return (positional or sure)[0], ()
    possible = [name for name in _MAYBE_CONFIG if name in named and _SAYS_CONFIG.search(_said(named[name]))]
    refused = [name for name in _CONFIG if name in named and not _NUMBER.fullmatch(named[name].default or "")]
    refused = [name for name in refused if not re.search(r"confidence|threshold", named[name].help, re.IGNORECASE)]
    if len(possible) == 1 and not refused:
        return possible[0], ()
    return "", (*refused, *possible)


def _may_be_config(argument: Argument) -> bool:
    return not _NO_CONFIG.search(argument.help) and not _NUMBER.fullmatch(argument.default or "")


def work_dir(arguments: Sequence[Argument]) -> tuple[str, ...]:
    """The words that tell the script where to write: its folder, and the one of its logs where it has a default."""
    named = _valued(arguments)
    folder = next((name for name in _FOLDERS if name in named and _may_be_folder(named[name])), "")
    if not folder:
        folder = next((name for name in _MAYBE_FOLDERS if name in named and _is_folder(named[name], named)), "")
    logs = [name for name in _LOGS if name in named and _may_be_folder(named[name])]
    if not folder:
        return _words(named[logs[0]]) if logs else ()
    more = [name for name in logs[:1] if named[name].default not in {None, ""}]
    return tuple(word for name in (folder, *more) for word in _words(named[name]))


def _may_be_folder(argument: Argument) -> bool:
    return not (_NO_FOLDER.search(argument.help) or _FILE.search(argument.default or ""))


def _is_folder(argument: Argument, named: dict[str, Argument]) -> bool:
    if not _may_be_folder(argument):
        return False
    if name_of(argument) == "project":  # ultralytics: project/name; elsewhere it is a tracker's
        return "name" in named and ("runs" in (argument.default or "") or "save" in argument.help)
    return bool(_SAYS_FOLDER.search(argument.help)) or "/" in (argument.default or "")


def resume(arguments: Sequence[Argument]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words for a checkpoint's file, and those for going on by itself."""
    named = _valued(arguments)
    file = next((name for name in _RESUME if name in named and not _NO_FILE.search(named[name].help)), "")
    flags = {name_of(one): flag_of(one) for one in arguments if one.takes in {"flag", "switch"} and not one.positional}
    auto = next((name for name in _AUTO if name in flags), "") or _told_auto(arguments)
    if not file:
        file = next((name for name in _MAYBE_RESUME if name in named and _SAYS_RESUME.search(named[name].help)), "")
    bare = (flags[auto],) if auto else ()
    if file:
        given = _words(named[file])
        # a flag that only says that the file is to be gone on from
        given = (*bare, *given) if auto and name_of(named[file]) in _MAYBE_RESUME else given
        return given, bare or ((flag_of(named[file]),) if named[file].takes == "maybe" else ())
    with_flag = next((name for name in ("ckpt", "checkpoint", "ckpt_path", "checkpoint_path") if name in named), "")
    if auto == "resume" and with_flag and not re.search(r"pre-?train|fine-?tun", named[with_flag].help, re.IGNORECASE):
        return (*bare, *_words(named[with_flag])), bare
    return (), bare


def _told_auto(arguments: Sequence[Argument]) -> str:
    """The only flag of which is told that training goes on with it."""
    told = [one for one in arguments if one.takes == "flag" and not one.positional and _GOES_ON.search(one.help)]
    return name_of(told[0]) if len(told) == 1 else ""


def devices(arguments: Sequence[Argument]) -> tuple[str, ...]:
    """How a script that starts its own processes is told how many."""
    named = _valued(arguments)
    for name in (*_DEVICES, *_MAYBE_DEVICES):
        if name not in named or named[name].takes != "value" or "," in (named[name].default or ""):
            continue
        if name in _DEVICES or _SAYS_NUMBER.search(named[name].help):
            return _words(named[name])
    return ()


def distributed(arguments: Sequence[Argument]) -> tuple[str, ...]:
    """What a script has to be told when a launcher such as torchrun has started it."""
    for one in arguments:
        name = name_of(one)
        if is_launcher(one):
            return (flag_of(one), "pytorch")
        if name in _DISTRIBUTED and one.takes in {"flag", "switch"}:
            return (flag_of(one),)
    return ()


def is_launcher(argument: Argument) -> bool:
    """``--launcher`` with OpenMMLab's choices."""
    said = argument.choices or (argument.help,)
    return name_of(argument) == "launcher" and not argument.positional and any("pytorch" in one for one in said)


def local_rank(arguments: Iterable[Argument]) -> str:
    for one in arguments:
        if name_of(one) == "local_rank" and not one.positional:
            return next((flag for flag in one.flags if flag == "--local_rank"), flag_of(one))
    return ""


def _valued(arguments: Iterable[Argument], *, positional: bool = False) -> dict[str, Argument]:
    """By name, those that a value can be given to."""
    found: dict[str, Argument] = {}
    for one in arguments:
        if one.takes in {"value", "maybe", "values"} and (positional or not one.positional):
            found.setdefault(name_of(one), one)
    return found


def _words(argument: Argument) -> tuple[str, ...]:
    return (flag_of(argument), "{}")


def _said(argument: Argument) -> str:
    return f"{argument.help} {argument.default or ''}"
