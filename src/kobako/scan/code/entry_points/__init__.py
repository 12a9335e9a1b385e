"""The likely ways to start a training, best first, each with its evidence and its arguments.

Looking at a module is cheap: only names and a few words count. What is left after all were seen is read closely.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

from kobako.model.requirement import EntryPoint
from kobako.scan.aside import folder_kind, side_word
from kobako.scan.code import arguments
from kobako.scan.code.arguments.sources import Scope, Sources
from kobako.scan.code.entry_points import evidence, launching, mentions, notebooks
from kobako.scan.code.entry_points.evidence import Evidence
from kobako.scan.code.entry_points.mentions import Kind, Mention
from kobako.scan.code.modules import MAX_MODULE, Module, parse
from kobako.scan.tree import Tree

MOST = 5
_MOST_READ, _MOST_MODULES = 30, 150
"""Scripts that are read closely, and modules that they import."""
_MOST_CODE = 2 * 1024**2
"""Characters of those scripts."""
_ENOUGH = 60
"""Points below which a script is not proposed."""
_BEHIND = 70
"""Points behind the best at which a script is left out."""

_NEVER = frozenset({"outside", "vendored"})
_SAYS_TRAIN = 36
_NAMES = (
    (re.compile(r"train"), 50),
    (re.compile(r"(?:run_|do_)?(?:train|finetune|fine_tune|pretrain)(?:_net|_model|ing)?|train_.*"), 42),
    (re.compile(r"(?!.*trainer).*(?:train|finetune|fine_tune).*"), _SAYS_TRAIN),
    (re.compile(r"main"), 28),
    (re.compile(r"main_.*|.*_main"), 22),
    (re.compile(r"run|run_.*|experiment"), 12),
)
_PARSERS = (
    *("ArgumentParser", "argparse", "click", "typer", "hydra", "absl", "Fire(", "LightningCLI", "OmegaConf", "tyro"),
    *("docopt", "parse_args", "argument_parser", "ArgsParser", "simple_parsing", "pyrallis", "draccus", "jsonargparse"),
)
_TRAINS = (
    ".backward(",
    ".fit(",
    "optim",
    "Trainer",
    "LightningCLI",
    "train",
    "Runner",
    "GradientTape",
    "optax",
    "learn(",
)
_TESTS = ("unittest", "absltest", "pytest", "TestCase", "def test_")
_STARTERS = frozenset({"tools", "scripts", "script", "bin", "tool"})
_MINOR = frozenset({"projects", "project", "research", "contrib", "legacy", "old", "deprecated", "archive"})
_COMMANDS = frozenset({"commands", "command", "cli", "cmd", "subcommands"})
_MENTION_POINTS: dict[Kind, int] = {"text": 25, "command": 20, "shell": 15}
_MINOR_PENALTY, _EXAMPLE_PENALTY, _SIDE_PENALTY, _IDLE_PENALTY = 20, 35, 60, 35


class _Seen(NamedTuple):
    name_points: int
    has_guard: bool
    has_parser: bool
    may_train: bool
    size: int


class _Candidate(NamedTuple):
    name: str
    seen: _Seen
    mentioned: tuple[Mention, ...]

    @property
    def points(self) -> int:
        found = self.seen.name_points + _folder_points(self.name)
        found += 20 * self.seen.has_guard + 15 * self.seen.has_parser
        places = [_MENTION_POINTS[one.kind] - 10 * one.finding.file.count("/") for one in self.mentioned]
        return found + max(places, default=0) - _SIDE_PENALTY * bool(side_word(self.name))


@dataclass
class EntryPoints:
    """Looks at the modules one after the other."""

    _seen: dict[str, _Seen] = field(default_factory=dict)

    def look(self, module: Module) -> None:
        if folder_kind(module.name) in _NEVER or module.name == "setup.py" or _is_test(module):
            return
        has_guard = "__main__" in module.text
        points = _name_points(module.name)
        if has_guard or points:
            self._seen[module.name] = _seen(module, points, has_guard=has_guard)

    def found(self, tree: Tree) -> tuple[EntryPoint, ...]:
        """At most ``MOST``; where no script trains, the notebooks that do."""
        mentioned = mentions.read(tree)
        for name, mention in _subcommands(self._seen, mentioned):
            mentioned.setdefault(name, []).append(mention)
        candidates = [
            _Candidate(name, seen, tuple(mentioned.get(name, ())))
            for name, seen in self._seen.items()
            if (seen.may_train or seen.name_points or name in mentioned) and not _is_copy(name, self._seen)
        ]
        candidates += self._only_mentioned(tree, mentioned)
        candidates.sort(key=lambda one: (-one.points, one.name.count("/"), one.name))
        sources = Sources(tree, _MOST_MODULES)
        sizes = accumulate(one.seen.size for one in candidates)
        short = [one for one, size in zip(candidates, sizes, strict=True) if size <= _MOST_CODE]
        ranked = [judged for one in short[:_MOST_READ] if (judged := _judged(one, sources))]
        ranked.sort(key=lambda one: (-one.points, one.candidate.name.count("/"), one.candidate.name))
        best = ranked[0].points if ranked else 0
        found = tuple(_entry(one, tree) for one in ranked[:MOST] if one.points >= best - _BEHIND)
        return found or notebooks.read(tree, MOST)

    def _only_mentioned(self, tree: Tree, mentioned: dict[str, list[Mention]]) -> list[_Candidate]:
        """Scripts that nothing but a text or a setup file names as something to start."""
        found: list[_Candidate] = []
        for name, places in mentioned.items():
            if name in self._seen or folder_kind(name) in _NEVER or len(found) >= _MOST_READ:
                continue
            module = _module(tree, name)
            if module is not None and name != "setup.py":
                found.append(_Candidate(name, _seen(module, 0, has_guard=False), tuple(places)))
        return [one for one in found if one.seen.may_train]


def _subcommands(seen: dict[str, _Seen], mentioned: dict[str, list[Mention]]) -> list[tuple[str, Mention]]:
    """Modules for training among the commands of a program that the repository installs (``allennlp train``)."""
    programs = [
        (script, place)
        for script, places in mentioned.items()
        for place in places
        if place.kind == "command" and "train" not in place.through
    ]
    found = []
    for name, one in seen.items():
        folder, _, stem = name.removesuffix(".py").rpartition("/")
        if one.name_points < _SAYS_TRAIN or folder.rpartition("/")[2] not in _COMMANDS or name in mentioned:
            continue
        place = next((place for script, place in programs if _package(script) == _package(name)), None)
        if place is not None:
            found.append((name, place._replace(through=f"{place.through} {stem}")))
    return found


def _package(name: str) -> str:
    return name.removeprefix("src/").partition("/")[0]


class _Judged(NamedTuple):
    candidate: _Candidate
    evidence: Evidence
    points: int


def _seen(module: Module, points: int, *, has_guard: bool) -> _Seen:
    has_parser = any(mark in module.text for mark in _PARSERS)
    return _Seen(points, has_guard, has_parser, any(mark in module.text for mark in _TRAINS), len(module.text))


def _module(tree: Tree, name: str) -> Module | None:
    text = tree.read(name, most=MAX_MODULE)
    syntax = parse(text) if text is not None else None
    return Module(name, text, syntax) if text is not None and syntax is not None else None


def _name_points(name: str) -> int:
    stem = name.rpartition("/")[2].removesuffix(".py").lower().replace("-", "_")
    return next((points for pattern, points in _NAMES if pattern.fullmatch(stem)), 0)


def _folder_points(name: str) -> int:
    folders = name.lower().split("/")[:-1]
    points = 12 - 6 * len(folders)
    if folders and folders[-1] in _STARTERS:
        points = 12 if len(folders) == 1 else 8
    if _MINOR & set(folders):
        points -= _MINOR_PENALTY
    return max(points, -25) - (_EXAMPLE_PENALTY if folder_kind(name) == "examples" else 0)


def _is_test(module: Module) -> bool:
    """``train_test.py`` with tests in it; one that trains and tests has none."""
    return module.name.endswith("_test.py") and any(mark in module.text for mark in _TESTS)


def _is_copy(name: str, seen: dict[str, _Seen]) -> bool:
    """Whether it is the copy of a script that a package carries along for OpenMMLab's mim."""
    _, is_mim, rest = name.partition("/.mim/")
    return bool(is_mim) and rest in seen


def _judged(one: _Candidate, sources: Sources) -> _Judged | None:
    """The candidate with its evidence; None when it cannot be started or does not train."""
    module = _module(sources.tree, one.name)
    if module is None:
        return None
    try:
        known = evidence.read(Scope(module, sources))
    except RecursionError:  # expressions nested deeper than a person writes
        return None
    says_train = one.seen.name_points >= _SAYS_TRAIN
    is_started = any(_counts(mention, known, says_train=says_train) for mention in one.mentioned)
    if not (known.starts or is_started) or not (known.trains or (says_train and (known.weakly or is_started))):
        return None
    if not one.seen.name_points and not is_started and not (one.seen.has_parser and _is_near(one.name)):
        return None
    points = one.points + (30 + 3 * min(len(known.trains), 3) if known.trains else 5)
    points += 10 if known.launch else 0
    if not known.starts and not any(mention.kind == "command" for mention in one.mentioned):
        points -= _IDLE_PENALTY  # told to be started, but nothing in it runs
    return _Judged(one, known, points) if points >= _ENOUGH else None


def _counts(mention: Mention, known: Evidence, *, says_train: bool) -> bool:
    """Whether being started from there says that a script is one for training."""
    is_clear = says_train or bool(set(known.trains) - {"fit"})
    return says_train or mention.kind == "text" or (mention.kind == "command" and is_clear)


def _is_near(name: str) -> bool:
    """Whether scripts are kept there; a module deep in a package that can be run as well is none."""
    folders = name.split("/")[:-1]
    return len(folders) <= 1 or folders[-1] in _STARTERS


def of_script(tree: Tree, name: str) -> EntryPoint | None:
    """What is known of a script that somebody has named; None where it is no Python that can be read."""
    module = _module(tree, name)
    if module is None:
        return None
    try:
        known = evidence.read(Scope(module, Sources(tree)))
    except RecursionError:  # expressions nested deeper than a person writes
        known = Evidence(("is named",))
    seen = _seen(module, _name_points(name), has_guard="__main__" in module.text)
    found = _entry(_Judged(_Candidate(name, seen, ()), known, 0), tree)
    return replace(found, starts=not _is_part(module))  # whoever names it knows that it runs


def _entry(one: _Judged, tree: Tree) -> EntryPoint:
    module = _module(tree, one.candidate.name)
    parsed = arguments.read(module, tree) if module is not None else arguments.Parsed()
    return EntryPoint(
        one.candidate.name,
        "; ".join(_words(one, parsed)),
        parsed.arguments,
        kinds=parsed.kinds,
        notes=parsed.notes,
        commands=parsed.commands,
        is_whole=bool(parsed.kinds) and not parsed.more,
        launch=launching.read(Scope(module, Sources(tree))) if module is not None else "",
        starts=module is not None and bool(one.evidence.starts) and not _is_part(module),
        points=one.points,
    )


def _words(one: _Judged, parsed: arguments.Parsed) -> list[str]:
    words = list(one.evidence.starts)
    if parsed.kinds:
        words.append(f"parses arguments ({', '.join(parsed.kinds)})")
    trains = one.evidence.trains or one.evidence.weakly
    words.append(f"trains ({', '.join(trains[:4])})" if trains else "is named for training")
    told = sorted(one.candidate.mentioned, key=lambda mention: -_MENTION_POINTS[mention.kind])
    words += [_told(mention) for mention in told[:2]]
    words += [one.evidence.launch] if one.evidence.launch else []
    return [*words, *parsed.notes]


def _is_part(module: Module) -> bool:
    """Whether it is a module of a package that Python cannot start by its path."""
    return any(isinstance(node, ast.ImportFrom) and node.level for node in module.syntax.body)


def _told(mention: Mention) -> str:
    if mention.kind == "command":
        return f"{mention.finding} installs it as `{mention.through}`"
    return f"{mention.finding} starts it" + (f" through {mention.through}" if mention.through else "")
