from typing import NamedTuple


class Option(NamedTuple):
    """One argument of the training script, as the entry script takes it and hands it on."""

    name: str  # as written for the entry: "work_dir" for --work_dir=...; dashes become underscores
    flag: str  # as the script takes it: "--work-dir"; "" for a positional argument
    takes: str  # "value" | "maybe" (may stand alone) | "values" | "flag" | "off" | "switch" | "rest" (goes last)
    required: bool
    help: str


class Settings(NamedTuple):
    """What the entry script has to know of a repository; a person may edit it there."""

    name: str  # the repository's name
    script: str  # "tools/train.py", relative to the repository
    style: str  # "argparse" | "click" | "absl" | "hydra" | "free" (what it takes is not known: everything is passed on)
    options: tuple[Option, ...]
    complete: bool  # False: some of its arguments could not be read; an unknown option is passed on then
    pythonpath: tuple[str, ...]  # relative to the repository, as its own scripts set it; "." first
    config: str = ""  # name of the option that --config=... means
    work_dir: tuple[str, ...] = ()  # words that tell the script where to write; "{}" is the folder
    resume: tuple[str, ...] = ()  # words for --resume=FILE; "{}" is the checkpoint
    resume_auto: tuple[str, ...] = ()  # words for a bare --resume; (): the newest checkpoint goes through `resume`
    launcher: str = "torchrun"  # "torchrun" | "own" (starts a process per GPU itself) | "none"
    distributed: tuple[str, ...] = ()  # words added under torchrun: ("--launcher", "pytorch")
    devices: tuple[str, ...] = ()  # words for a launcher of its own: ("--devices", "{}")
    local_rank: str = ""  # "--local_rank" where the script declares it
    module: str = ""  # "pkg.train" where the script is started as a module, for it imports relatively
    first: tuple[str, ...] = ()  # words that come before all others: a command of the script ("fit",)
