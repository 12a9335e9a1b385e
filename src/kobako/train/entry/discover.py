"""What the entry script has to know of a repository: which script trains, what it takes, what its arguments mean.

Pure: a scan and the texts of files go in. What is not certain is left open, with a question to the person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kobako.model.entry import SCRIPT
from kobako.model.finding import Finding
from kobako.model.requirement import Argument, EntryPoint, Question, Scan
from kobako.train.entry import known, meaning, module, options, paths
from kobako.train.entry.known import Known
from kobako.train.entry.repository import Repository
from kobako.train.entry.settings import Option, Settings

_CLOSE, _FAR = 10, 30
"""Points by which another script may be behind and still be the one that is meant; and be taken where the first cannot
be started by its path."""

_STYLES = (
    (("hydra", "OmegaConf", "sacred"), "hydra"),
    (("absl flags",), "absl"),
    (("click", "typer"), "click"),
)
_OUTPUT_KEYS = (
    (re.compile(r"\b_?C\.OUTPUT_DIR\b|cfg\.OUTPUT_DIR\b"), "OUTPUT_DIR"),
    (re.compile(r"\b_?C\.OUTPUT\s*=|(?:cfg|config)\.OUTPUT\b(?!_|\.)"), "OUTPUT"),
    (re.compile(r"\b(?:exp|self)\.output_dir\s*="), "output_dir"),
)
"""What repositories call the folder of their results in configurations that KEY VALUE pairs change."""
OURS = frozenset({"dataset_id", "clearml", "clearml_project", "clearml_task", "dry_run"})
"""Options that the entry script keeps for itself, whatever the script has of that name."""
_FITS = frozenset({"train", "fit", "training"})


class Found(NamedTuple):
    """``settings`` is None where no script is there to be started; ``questions`` are what a person has to look at."""

    settings: Settings | None
    questions: tuple[Question, ...] = ()


def of(name: str, scan: Scan, repository: Repository) -> Settings | None:
    """The settings alone."""
    return look(name, scan.entry_points, repository).settings


def look(name: str, entry_points: tuple[EntryPoint, ...], repository: Repository) -> Found:
    """By the likeliest of the scripts that Python can start."""
    scripts = [one for one in entry_points if one.file.endswith(".py") and one.file != SCRIPT]
    usable = [one for one in scripts if _starts(one, repository) and one.points >= scripts[0].points - _FAR]
    if not usable:
        return Found(None, (Question(_nothing(name, scripts)),))
    best = usable[0]
    found = settings(name, best, repository)
    return Found(found, (*_others(name, best, scripts), *_open(best, found)))


def _starts(entry: EntryPoint, repository: Repository) -> bool:
    return entry.starts or bool(module.of(repository, entry.file).name)


def _nothing(name: str, scripts: list[EntryPoint]) -> str:
    fix = f"name the script that trains: kobako entry {name} --script FILE; or write {SCRIPT} yourself"
    if not scripts:
        return f"no entry script was written, for no script that trains was found: {fix}"
    return f"no entry script was written, for {scripts[0].file} cannot be started by its path: {fix}"


def settings(name: str, entry: EntryPoint, repository: Repository) -> Settings:
    """What a script takes and what its arguments mean."""
    library = known.of(entry)
    arguments = entry.arguments
    listed = tuple(one for one in options.of(entry, library.options) if one.name != "local_rank")
    file, auto = meaning.resume(arguments)
    launcher = _launcher(entry, library, arguments)
    own = module.of(repository, entry.file)
    settings_ = Settings(
        name=name,
        script=entry.file,
        style=_style(entry),
        options=listed,
        complete=entry.is_whole and all(map(options.is_named, arguments)),
        pythonpath=tuple(dict.fromkeys((*paths.of(repository, entry.file), *own.root))),
        config=meaning.config(arguments)[0] or library.config,
        work_dir=meaning.work_dir(arguments) or _by_key(entry, library, listed, repository),
        resume=file or library.resume,
        resume_auto=auto or library.resume_auto,
        launcher=launcher,
        distributed=(meaning.distributed(arguments) or library.distributed) if launcher == "torchrun" else (),
        devices=(meaning.devices(arguments) or library.devices) if launcher == "own" else (),
        local_rank=meaning.local_rank(arguments),
        module=own.name,
        first=_first(entry, library),
    )
    return _overridden(settings_, entry, repository)


def _style(entry: EntryPoint) -> str:
    for kinds, style in _STYLES:
        if set(kinds) & set(entry.kinds) and not (style == "hydra" and "argparse" in entry.kinds):
            return style
    is_free = not entry.kinds or any(kind.endswith(".py") for kind in entry.kinds)
    return "free" if is_free else "argparse"


def _first(entry: EntryPoint, library: Known) -> tuple[str, ...]:
    """The command that trains, where there is one of that name."""
    fitting = [one for one in entry.commands if one in _FITS]
    return tuple(fitting) if len(fitting) == 1 else () if entry.commands else library.first


def _launcher(entry: EntryPoint, library: Known, arguments: tuple[Argument, ...]) -> str:
    if any(meaning.is_launcher(one) for one in arguments):
        return "torchrun"
    if library.launcher:
        return library.launcher
    if entry.launch in {"spawns", "lightning"}:
        return "own"
    return "torchrun" if entry.launch in {"distributed", "accelerate", "deepspeed"} else "none"


def _by_key(entry: EntryPoint, library: Known, listed: tuple[Option, ...], repository: Repository) -> tuple[str, ...]:
    """KEY VALUE pairs behind all arguments, where the code says which key is the folder."""
    if library.work_dir:
        return library.work_dir
    if not any(one.takes == "rest" and not one.flag for one in listed):
        return ()
    package = [name for name in repository.files if name.endswith(".py") and name.count("/") <= _DEEP]
    texts = [repository.read(name) or "" for name in (entry.file, *_likely(package))]
    for pattern, key in _OUTPUT_KEYS:
        if any(pattern.search(text) for text in texts):
            return (key, "{}")
    return ()


_DEEP, _MOST = 4, 60


def _likely(names: list[str]) -> list[str]:
    """Modules that say what configurations hold."""
    words = ("config", "default", "exp", "cfg")
    return [name for name in names if any(word in name.rpartition("/")[2].lower() for word in words)][:_MOST]


def _overridden(found: Settings, entry: EntryPoint, repository: Repository) -> Settings:
    """nanoGPT's configurator: ``--name=value`` in one word, and files of such assignments by their name alone."""
    if not any(kind.endswith(".py") for kind in entry.kinds):
        return found
    file = Option("config", "", "value", required=False, help="a file of assignments that are taken over")
    has = "config" in {one.name for one in found.options}
    text = repository.read(entry.file) or ""
    restarts = re.search(r"init_from\s*==\s*['\"]resume['\"]", text) is not None
    return found._replace(
        options=found.options if has else (file, *found.options),
        config="config",
        work_dir=(f"{found.work_dir[0]}={{}}",) if found.work_dir else (),
        resume=(f"{found.resume[0]}={{}}",) if found.resume else (),
        resume_auto=("--init_from=resume",) if restarts else found.resume_auto,
    )


def _others(name: str, best: EntryPoint, scripts: list[EntryPoint]) -> Iterator[Question]:
    if scripts[0] is not best:
        yield Question(f"{scripts[0].file} cannot be started by its path: {best.file} is taken instead")
    close = [one.file for one in scripts if one is not best and one.points >= best.points - _CLOSE and one.starts]
    if close:
        what = f"{best.file} is taken for the script that trains; {', '.join(close)} may be meant as well"
        yield Question(f"{what} (kobako entry {name} --force --script FILE)")


def _open(entry: EntryPoint, found: Settings) -> Iterator[Question]:
    place = Finding(entry.file, 1, "")
    if entry.commands and not found.first:
        shown = ", ".join(one for one in entry.commands[:6] if one.isprintable())
        yield Question(f"does one of its commands ({shown}) have to come first? FIRST in {SCRIPT}", place)
    _, candidates = meaning.config(entry.arguments)
    if not found.config and candidates:
        shown = ", ".join(f"--{one}" for one in candidates)
        yield Question(f"which of {shown} is its configuration? (CONFIG in {SCRIPT}; all can be given by name)", place)
    hidden = [one.flag.partition("/")[0] or f"--{one.name}" for one in found.options if one.name in OURS]
    if hidden:
        what = f"the entry script has options of the same name as its {', '.join(hidden)}"
        yield Question(f"{what}: the script's own are given after -- (kobako train NAME ... -- {hidden[0]} ...)", place)
    if not found.work_dir:
        what = (
            "how it is told where to write is not known, so it runs in its own folder and writes where it always does"
        )
        yield Question(f"{what}: WORK_DIR in {SCRIPT}", place)
