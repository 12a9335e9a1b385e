"""The entry script that ``kobako add`` writes into a repository: one template, and a block of settings at its top."""

from __future__ import annotations

from functools import cache
from importlib import resources

from kobako.train.entry.settings import Option, Settings

BEGIN = "# ---- Settings:"
END = "# ---- End of the settings ----"

_LONGEST_HELP = 100
_WIDTH = 120

_NOTES = {
    "script": "the training script, relative to the repository",
    "style": "how it reads its options: argparse, click, absl, hydra, or free (all words are passed on)",
    "options": "what it takes: name here, name there, kind, required, help",
    "complete": "False: it takes more than these; what is not known is passed on",
    "pythonpath": "relative to the repository",
    "config": "the option that --config=... means",
    "work_dir": 'words that tell it where to write; "{}" is the folder',
    "resume": 'words for --resume=FILE; "{}" is the checkpoint',
    "resume_auto": "words for --resume alone; (): the newest checkpoint goes through RESUME",
    "launcher": "torchrun, own (it starts a process per GPU itself) or none",
    "distributed": "words that it needs under torchrun",
    "devices": 'words for its own launcher; "{}" is the number of processes',
    "local_rank": "the option that it takes its local rank from, if any",
    "module": "its name where it is started as `python -m NAME`, for it imports relatively",
    "first": "words that come before all others",
}


def render(settings: Settings) -> str:
    """The whole script; the same settings give the same bytes."""
    lines = _template().split("\n")
    begin = next(number for number, line in enumerate(lines) if line.startswith(BEGIN))
    return "\n".join([*lines[: begin + 1], *_block(settings), *lines[lines.index(END) :]])


@cache
def _template() -> str:
    return (resources.files(__name__) / "template" / "clearml_train.py").read_text(encoding="utf-8")


def _block(settings: Settings) -> list[str]:
    lines = []
    for name, value in settings._asdict().items():
        note = f"  # {_NOTES[name]}" if name in _NOTES else ""
        if name == "options":
            lines += [f"OPTIONS = ({note}", *map(_option, settings.options), ")"]
            continue
        line = f"{name.upper()} = {_quoted(value)}"
        # a comment that would not fit stands above
        lines += [line + note] if len(line + note) <= _WIDTH else [note.strip(), line]
    return lines


def _option(option: Option) -> str:
    help_ = " ".join(option.help.split())
    if len(help_) > _LONGEST_HELP:
        help_ = help_[: _LONGEST_HELP - 3] + "..."
    return f"    {_quoted((*option[:4], help_))},"


def _quoted(value: object) -> str:
    """As Python 3.6 reads it, with double quotes as the rest of the script has them."""
    if isinstance(value, tuple):
        inner = ", ".join(map(_quoted, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if not isinstance(value, str):
        return repr(value)
    text = repr(value)
    return text if text.startswith('"') or '"' in text else f'"{text[1:-1]}"'
