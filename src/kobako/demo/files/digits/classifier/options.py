"""What can be set: defaults, overruled by a JSON file, overruled by ``--key=value`` on the command line."""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent

USAGE = """\
usage: clearml_train.py [--config=FILE] [--key=value ...]

Trains a small CNN on scikit-learn's handwritten digits (1797 images of 8x8).

  --config=FILE     JSON with any of the settings below
  --epochs=N        how often all images are seen         (default: 20)
  --batch_size=N    images per step                       (default: 16)
  --lr=NUMBER       learning rate at the start            (default: 0.002)
  --seed=N          same seed, same loss to the last bit  (default: 0)
  --threads=N       threads that PyTorch computes with    (default: 1)
  --work_dir=DIR    where results go  (default: work_dirs/demo beside tools/)
  --resume=FILE     go on from a checkpoint, such as work_dirs/demo/last.pt
"""


class OptionError(Exception):
    """Something that was asked for cannot be done as it stands; ``fix`` is what to type instead."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix


class Options(NamedTuple):
    """All settings of one training."""

    epochs: int = 20
    batch_size: int = 16
    lr: float = 0.002
    seed: int = 0
    threads: int = 1
    work_dir: str = str(REPOSITORY / "work_dirs" / "demo")
    resume: str = ""


PATHS = ("work_dir", "resume")
KEYS = ("config", *Options._fields)
LOWEST = {"epochs": 1, "batch_size": 1, "seed": 0, "threads": 1}
HIGHEST = 2**31 - 1


def parse(words: Sequence[str]) -> Options:
    """The settings that a command line asks for. Raises ``OptionError``."""
    given = dict(_pair(word) for word in words)
    settings = _from_file(given.pop("config")) if "config" in given else {}
    settings.update({key: _value(key, text, f"--{key}={text}") for key, text in given.items()})
    options = Options(**settings)
    if options.resume and not os.path.isfile(options.resume):
        raise OptionError(f"--resume={options.resume}: there is no such file", "name a last.pt or best.pt")
    return options


def _pair(word: str) -> tuple[str, str]:
    key, equals, value = word[2:].partition("=") if word.startswith("--") else ("", "", "")
    if not key:
        raise OptionError(f"`{word}` is not understood: options are --key=value", "--help shows all of them")
    if key not in KEYS:
        raise OptionError(f"there is no option --{key}", _meant(key, "--"))
    if not equals or not value:
        raise OptionError(f"--{key} has no value", f"--{key}=... (with =, not a space)")
    return key, value


def _meant(key: str, dashes: str) -> str:
    close = difflib.get_close_matches(key, KEYS, n=1)
    return f"did you mean {dashes}{close[0]}?" if close else f"known: {', '.join(dashes + one for one in KEYS)}"


def _from_file(name: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise OptionError(f"--config={name}: {why}", f"paths are relative to {os.getcwd()}") from error
    except ValueError as error:
        raise OptionError(f"--config={name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise OptionError(f"--config={name} holds no settings", 'write for example {"epochs": 12}')
    for key in found:
        if key not in Options._fields:
            raise OptionError(f"{name} has a setting `{key}`, which is not known", _meant(key, ""))
    return {
        key: _value(key, _text(key, value), f"{key} in {name} ({json.dumps(value)})") for key, value in found.items()
    }


def _text(key: str, value: Any) -> str:
    """The value as it would stand on a command line; "" for one of a wrong kind: "12" and true are no numbers."""
    right = isinstance(value, str) if key in PATHS else isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if right else ""


def _value(key: str, text: str, shown: str) -> Any:
    """The text as the setting's own type."""
    if key in PATHS:
        if not text:
            raise OptionError(f"{shown} is not a path")
        return text
    if key == "lr":
        number = _number(float, text)
        if not 0 < number < math.inf:
            raise OptionError(f"{shown} is not a number above 0")
        return number
    number = _number(int, text)
    if not LOWEST[key] <= number <= HIGHEST:
        raise OptionError(f"{shown} is not a whole number of at least {LOWEST[key]}")
    return number


def _number(kind: Callable[[str], float], text: str) -> float:
    try:
        return kind(text)
    except ValueError:
        return -1
