"""What ``kobako.scan`` says that a repository needs, against what its published package declares, beside three rivals.

The corpus: sdists of the index by name and version, fetched by Kobako itself (no code of theirs is run) and kept in
``$XDG_CACHE_HOME/kobako-benchmarks``, without the metadata that was written when they were built, which gives the
answer away. Each tool answers with all files, and by imports only. Not counted: what Kobako itself marks as optional,
and what it adds for the platform (torch, mmcv), which authors leave undeclared. Names are compared as PEP 503 says.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import scan_rivals

from kobako import sources

CORPUS = Path(__file__).with_name("scan_corpus.csv")
MEASURED = "mmdet-2.24.1"
"""The tree whose costs are given apart; in a corpus without it the one with the most Python files."""
ROUNDS = 5

# As `kobako scan` does it, in a process of its own.
KOBAKO = """
import json, sys
from pathlib import Path
from kobako.scan import scan
found = scan(Path(sys.argv[1]), declarations=sys.argv[2] == "files").requirements
print(json.dumps([one.name for one in found if not one.optional and one.origin != "platform"]))
"""


@dataclass(frozen=True)
class Row:
    """One tree of the corpus and what its package declares."""

    key: str
    requirement: str
    modules: int
    wanted: frozenset[str]
    split: str


@dataclass(frozen=True)
class Score:
    """How one answer compares: rightly named, wrongly named, missing."""

    right: int
    wrong: int
    missing: int

    @property
    def f1(self) -> float:
        """Nothing wanted and nothing given is a full score."""
        return _share(2 * self.right, self.wrong + self.missing)


def run(corpus: Path = CORPUS, names: Path | None = None, details: Path | None = None) -> dict[str, Any]:
    """The figures of each split of the corpus. ``details``: a file for every answer, which is in no result."""
    with corpus.open(newline="") as file:
        rows = [_row(line) for line in csv.DictReader(file)]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "kobako-benchmarks")
    trees = {row.key: _tree(row, cache) for row in rows}
    answers: dict[str, Any] = {}
    results = {}
    with scan_rivals.installed(cache / "rivals", names) as rivals:
        tools = {"kobako": scan_rivals.Tool(_kobako("files"), _kobako("imports")), **rivals}
        for split in dict.fromkeys(row.split for row in rows):
            part = [row for row in rows if row.split == split]
            results[split] = _figures(part, trees, tools, answers)
    if details is not None:
        details.write_text(json.dumps(answers, indent=2) + "\n")
    return results


def _row(line: Mapping[str, str]) -> Row:
    wanted = frozenset(scan_rivals.normalised(name) for name in line["ground_truth"].split())
    return Row(line["key"], f"{line['name']}=={line['version']}", int(line["n_py"]), wanted, line["split"])


def _tree(row: Row, cache: Path) -> Path:
    """The unpacked sdist without PKG-INFO, ``*.egg-info`` and ``*.dist-info``, fetched unless it is there."""
    tree = cache / "trees" / row.key
    if tree.exists():
        return tree
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache) as name:
        fetched = sources.fetch(sources.resolve(row.requirement, ref=None), Path(name), workspace=cache, name="tree")
        for parent, folders, files in os.walk(fetched.path):
            for entry in [one for one in (*folders, *files) if _is_metadata(one)]:
                path = Path(parent, entry)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            folders[:] = [one for one in folders if not _is_metadata(one)]
        fetched.path.rename(tree)
    return tree


def _is_metadata(name: str) -> bool:
    return name == "PKG-INFO" or name.endswith((".egg-info", ".dist-info"))


def _kobako(mode: str) -> scan_rivals.Ask:
    def ask(tree: Path) -> scan_rivals.Answer:
        done = measure.spend([sys.executable, "-c", KOBAKO, str(tree), mode], tree)
        if done.code != 0:
            raise SystemExit(f"kobako on {tree}: exit code {done.code}\n{done.stderr}")
        return scan_rivals.Answer(frozenset(json.loads(done.stdout)), done.spent)

    return ask


def _figures(
    rows: Sequence[Row], trees: Mapping[str, Path], tools: Mapping[str, scan_rivals.Tool], answers: dict[str, Any]
) -> dict[str, Any]:
    modes: dict[str, Callable[[scan_rivals.Tool], scan_rivals.Ask]] = {
        "with files": lambda tool: tool.files,
        "imports only": lambda tool: tool.imports,
    }
    wanted = sum(len(row.wanted) for row in rows)
    figures: dict[str, Any] = {"trees": len(rows), "requirements": wanted, "rivals": scan_rivals.PINNED}
    biggest = max(rows, key=lambda row: (row.key == MEASURED, row.modules))
    for mode, way in modes.items():
        asks = {name: way(tool) for name, tool in tools.items()}
        scores: dict[str, list[Score]] = {name: [] for name in asks}
        totals = dict.fromkeys(asks, measure.Spent())
        for row in rows:
            for name, ask in asks.items():
                answer = ask(trees[row.key])
                score = _score(row, answer.names, answers, (mode, name))
                scores[name].append(score)
                totals[name] += answer.spent
        figures[mode] = {
            **{name: _summary(one) for name, one in scores.items()},
            "spent on all trees": _spent(totals),
            f"spent on {biggest.key}": _spent(_measured(trees[biggest.key], asks)),
        }
    return figures


def _score(row: Row, names: frozenset[str], answers: dict[str, Any], under: tuple[str, str]) -> Score:
    given = {scan_rivals.normalised(name) for name in names}
    wrong, missing = given - row.wanted, row.wanted - given
    mode, tool = under
    told = {"wrong": sorted(wrong), "missing": sorted(missing)}
    answers.setdefault(mode, {}).setdefault(tool, {})[row.key] = told
    return Score(len(given & row.wanted), len(wrong), len(missing))


def _summary(scores: Sequence[Score]) -> dict[str, float]:
    """Over all requirements together, then the mean over trees, then how many trees are told exactly."""
    total = Score(sum(s.right for s in scores), sum(s.wrong for s in scores), sum(s.missing for s in scores))
    return {
        "precision": round(_share(total.right, total.wrong), 3),
        "recall": round(_share(total.right, total.missing), 3),
        "F1": round(total.f1, 3),
        "mean F1": round(statistics.fmean(score.f1 for score in scores), 3),
        "exact": sum(not score.wrong and not score.missing for score in scores),
    }


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else 1.0


def _measured(tree: Path, asks: Mapping[str, scan_rivals.Ask]) -> dict[str, measure.Spent]:
    """The median of several rounds, the tools in turn."""
    taken: dict[str, list[measure.Spent]] = {name: [] for name in asks}
    for _ in range(ROUNDS):
        for name, ask in asks.items():
            taken[name].append(ask(tree).spent)
    return {
        name: measure.Spent(
            statistics.median(one.cpu_s for one in many), statistics.median(one.peak_mib for one in many)
        )
        for name, many in taken.items()
    }


def _spent(spent: Mapping[str, measure.Spent]) -> dict[str, Any]:
    ours = spent["kobako"]
    return {
        "cpu_s": {name: round(one.cpu_s, 2) for name, one in spent.items()},
        "peak_MiB": {name: round(one.peak_mib) for name, one in spent.items()},
        "cpu, over kobako's": {name: round(one.cpu_s / ours.cpu_s, 2) for name, one in spent.items()},
        "peak, over kobako's": {name: round(one.peak_mib / ours.peak_mib, 2) for name, one in spent.items()},
    }
