"""What the repository's code imports, and which of it whoever uses the code needs.

An import counts in full where its file is reached: from the ``__init__.py`` of a package that the repository installs,
from a script that trains, or, where nothing is installed, from any program of it. Measured on published packages
(benchmarks/scan), that separates what a package needs from what its plugins, converters and exporters may use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from kobako.model.finding import Finding
from kobako.model.requirement import Other
from kobako.scan.code import names
from kobako.scan.code.first_party import FirstParty, is_vendored
from kobako.scan.code.import_statements import Seen, seen
from kobako.scan.code.modules import Module
from kobako.scan.tree import Tree

MANY_FILES = 5
"""What so many files import is needed, reached or not."""
FEW_FILES = 25
"""In a repository with fewer files every one of them counts: there are no corners in it."""
_MOST_FINDINGS = 3
MOST_IN_FILE, MOST_IN_ALL, MOST_NAMES = 2_000, 400_000, 5_000
"""Imports of one file and of all, and different names among them; a tree of 20,000 files has half of that."""

_ASIDE = frozenset(
    {
        *("test", "tests", "testing", "unittest", "unittests", "doc", "docs", "documentation", "example", "examples"),
        *("demo", "demos", "benchmark", "benchmarks", "tutorial", "tutorials", "notebook", "notebooks", "sample"),
        *("samples", "ci", "dev", "dev_scripts", "docker", "deploy", "deployment", "contrib", "integration"),
        *("integrations", "projects", "dataset_converters", "model_converters", "analysis_tools"),
    }
)
"""Folders, but for their leading dot, whose files are not what the repository is for. Unlike ``aside.py`` this keeps
what exports or serves: inside a package others import it."""
_ASIDE_FILES = frozenset(
    {"setup.py", "conftest.py", "noxfile.py", "versioneer.py", "hubconf.py", "fabfile.py", "tasks.py"}
)


@dataclass(frozen=True)
class Imported:
    """A name that is imported and is neither the repository's own nor Python's.

    ``distribution`` is "" where it is not known for certain; ``hint`` may tell a person more. The numbers count files:
    ``reached`` of the ``firm`` ones (imports at module level, without a condition), ``guarded`` (in functions, under
    conditions, where it may be missing, by name), ``configured`` (named in configuration files) and ``aside`` (tests,
    documents, examples and so on).
    """

    module: str
    distribution: str
    findings: tuple[Finding, ...]
    hint: str = ""
    reached: int = 0
    firm: int = 0
    guarded: int = 0
    configured: int = 0
    aside: int = 0

    @property
    def is_needed(self) -> bool:
        return not reason(self)


def reason(one: Imported) -> str:
    """Why an import is not proposed; "" when it is needed."""
    if one.reached or one.firm >= MANY_FILES:
        return ""
    if one.firm:
        files = "one file" if one.firm == 1 else f"{one.firm} files"
        return f"imported in {files} that the rest of the repository does not import"
    if one.configured and not one.guarded:
        return "imported by a configuration file alone"
    if one.guarded:
        return "imported only in functions, under conditions, or where it may be missing"
    return "imported only in tests, documents, examples and the like"


class _File(NamedTuple):
    imports: tuple[Seen, ...]
    is_program: bool


@dataclass
class _Count:
    """What was found of one distribution (or unknown module). One distribution may hold several modules."""

    name: names.Name
    modules: Counter[str] = field(default_factory=Counter)
    files: dict[str, set[str]] = field(default_factory=dict)
    findings: list[tuple[int, Finding]] = field(default_factory=list)

    def add(self, module: str, weight: str, finding: Finding) -> None:
        self.modules[module] += 1
        self.files.setdefault(weight, set()).add(finding.file)
        self.findings.append((_WEIGHTS.index(weight), finding))

    def done(self) -> Imported:
        number = {weight: len(self.files.get(weight, ())) for weight in _WEIGHTS}
        findings = dict.fromkeys(finding for _, finding in sorted(self.findings))
        return Imported(
            self.modules.most_common(1)[0][0],
            self.name.distribution,
            tuple(findings)[:_MOST_FINDINGS],
            self.name.hint,
            number["reached"],
            number["reached"] + number["firm"],
            number["guarded"],
            number["configured"],
            number["aside"],
        )


_WEIGHTS = ("reached", "firm", "guarded", "configured", "aside")
"""From the firmest on: the order of the evidence."""


class Imports:
    """Sees every module once (``look``) and then tells what all of them import (``found``)."""

    def __init__(self, tree: Tree) -> None:
        self._own = FirstParty(tree)
        self._files: dict[str, _File] = {}
        self._left = MOST_IN_ALL

    def look(self, module: Module) -> None:
        self._own.look(module)
        every = tuple(islice(seen(module), min(MOST_IN_FILE, self._left)))
        self._left -= len(every)
        self._files[module.name] = _File(every, "__main__" in module.text)

    def found(self) -> tuple[Imported, ...]:
        """Sorted: the needed ones first, then by name."""
        counts: dict[str, _Count] = {}
        for file, one, module, name in self._outside():
            key = name.distribution or module
            if key not in counts and len(counts) >= MOST_NAMES:
                continue
            count = counts.setdefault(key, _Count(name))
            count.add(module, self._weight(file, one), Finding(file, one.line, one.text))
        every = [count.done() for count in counts.values()]
        return tuple(sorted(every, key=lambda one: (not one.is_needed, one.distribution or one.module, one.module)))

    def others(self) -> tuple[Other, ...]:
        """What the repository compiles itself, so that nobody looks for it on an index."""
        return tuple(
            Other(name, "an extension that the repository builds", (finding,))
            for name, finding in sorted(self._own.compiled.items())
        )

    def _outside(self) -> Iterator[tuple[str, Seen, str, names.Name]]:
        """Every import of something that is neither Python's nor the repository's own, and what it belongs to."""
        for file, (imports, _) in self._files.items():
            for one in imports:
                if one.level or not one.module or names.is_standard(one.module):
                    continue
                for module in _meant(one):
                    name = names.distribution_of(module)
                    known = name.module if name.certain else ""
                    if not self._own.owned(module, file, known=known, taken=one.names):
                        yield file, one, name.module or _shown(module), name

    def _weight(self, file: str, one: Seen) -> str:
        if one.kind == "config":
            return "configured"
        if is_aside(file):
            return "aside"
        if one.kind != "import":
            return "guarded"
        return "reached" if file in self._reached else "firm"

    @cached_property
    def _reached(self) -> frozenset[str]:
        """Files that are imported, directly or not, from where the repository is entered; all where it is small."""
        main = [file for file in self._files if not is_aside(file)]
        entered = [file for file in main if self._is_entered(file)]
        if len(main) < FEW_FILES or not entered:
            return frozenset(main)
        reached = set(entered)
        waiting = entered
        while waiting:
            for file in self._imported_by(waiting.pop()):
                if file not in reached:
                    reached.add(file)
                    waiting.append(file)
        return frozenset(reached)

    def _is_entered(self, file: str) -> bool:
        if is_vendored(file):
            return False
        folder, _, last = file.rpartition("/")
        if not any(not one or f"{folder}/".startswith(f"{one}/") for one in self._own.projects):
            return True  # a program, for nothing is installed there
        if last == "__init__.py":
            return self._own.is_installed(folder)
        return folder in self._own.package_folders or ("train" in last and self._files[file].is_program)

    def _imported_by(self, file: str) -> Iterator[str]:
        """Files of the repository that a file imports for sure."""
        folder = file.rpartition("/")[0]
        for one in self._files[file].imports:
            if one.kind != "import":
                continue
            path = one.module.replace(".", "/")
            if one.level:
                base = "/".join(folder.split("/")[: folder.count("/") + 2 - one.level]) if folder else ""
                yield from self._along(base, path, one.names)
            else:
                for place in self._own.places(file, one.module.partition(".")[0]):
                    yield from self._along(place, path, one.names)

    def _along(self, base: str, path: str, taken: Iterable[str]) -> Iterator[str]:
        """The modules that importing a dotted path below a folder runs, and those among what is taken from it."""
        at = base
        for part in path.split("/") if path else ():
            at = f"{at}/{part}" if at else part
            yield from self._modules(at)
        yield from self._modules(at) if not path else ()
        for name in taken:
            yield from self._modules(f"{at}/{name}" if at else name)

    def _modules(self, path: str) -> Iterator[str]:
        yield from (one for one in (f"{path}/__init__.py", f"{path}.py") if one in self._files)


def is_aside(file: str) -> bool:
    """Whether a file is for tests, documents, examples, deployment or the repository's own upkeep."""
    *folders, last = file.lower().split("/")
    return (
        any(part.lstrip(".") in _ASIDE or part.startswith(".") for part in folders)
        or last in _ASIDE_FILES
        or last.startswith("test_")
        or last.endswith("_test.py")
    )


def _meant(one: Seen) -> tuple[str, ...]:
    """The dotted names that decide what is imported: of a namespace that is what is taken from it."""
    if one.names and names.is_above(one.module):
        return tuple(f"{one.module}.{name}" for name in one.names if name != "*") or (one.module,)
    return (one.module,)


def _shown(module: str) -> str:
    """What of an unknown name is worth showing: its package, or all where that is a namespace."""
    top = module.partition(".")[0]
    return module if names.is_above(top) else top
