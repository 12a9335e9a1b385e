"""Which import names are the repository's own: they are not to be installed.

Own is what lies at the root, in ``src/``, in a folder that a build file names or that code puts on ``sys.path``, beside
the importing file or in a folder above it, among vendored code, or what a setup.py of the repository compiles.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import TypeGuard

from kobako.model.finding import Finding
from kobako.scan.code.modules import Module
from kobako.scan.tree import Tree, joined

_CODE = (".py", ".pyx", ".so", ".pyi", ".pyd")
_VENDORED = frozenset(
    {
        *("third_party", "thirdparty", "third-party", "3rdparty", "external", "externals", "extern", "vendor"),
        *("vendored", "_vendor", "submodules", "deps"),
    }
)
_BUILD_FILES = {
    "setup.py": ("setup(",),
    "setup.cfg": ("[options]", "[metadata]"),
    "pyproject.toml": ("[project]", "[tool.poetry]", "[tool.flit", "[tool.pdm"),
}
"""What makes a folder installable: the file, and one of the words in it."""
_MOST_SCRIPTS = 300
"""Shell scripts that are searched for PYTHONPATH; speech recipes have thousands that say the same."""
_MOST_SCRIPT = 256 * 1024
_MOST_FOLDERS = 500
"""Folders on the path, and projects, that are looked at; the first ones lie nearest to the root."""
_LONGEST_LINE = 2000
_MOST_CALLS = 100
"""Calls of one file that may name a folder of ``sys.path``."""
_PYTHONPATH = re.compile(r"PYTHONPATH=([^\s;&|]{1,500})")
_IN_SHELL = re.compile(r"\$\([^()]{0,200}\)|`[^`]{0,200}`|\$\{[^{}]{0,200}\}|\$\w+|[\"']")
"""What only a shell can tell; what is left of a path beside it may still be a folder of the repository."""
_WORD = re.compile(r"[\w./-]{1,200}")


class FirstParty:
    """Knows a tree's own names, once every module was shown to it (``look``)."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._added: set[str] = set()
        self.compiled: dict[str, Finding] = {}
        """Extensions that a setup.py of the repository builds, by name, and where it says so."""
        self._answers: dict[tuple[str, str], tuple[str, ...]] = {}

    def look(self, module: Module) -> None:
        if "sys.path" in module.text:
            self._added.update(_put_on_path(module))
        if module.name.rpartition("/")[2] == "setup.py":
            for name, line in _extensions(module.syntax):
                self.compiled.setdefault(name, Finding(module.name, line, name))

    def owned(self, module: str, importer: str, *, known: str = "", taken: tuple[str, ...] = ()) -> str:
        """Why what a file imports is the repository's own; "" when it is not. ``taken`` is what it takes from it.

        ``known`` is the part of the name that a distribution certainly holds, "" for none: that is then meant where the
        own module is only a folder without ``__init__.py``, lies beside the importing file inside a package, or shares
        no more than a namespace with it (``pyannote``).
        """
        part = known.replace(".", "/")
        top = module.partition(".")[0]
        if top in self.compiled or module in self.compiled:
            return "an extension that the repository builds"
        for folder in self.places(importer, top):
            path = f"{folder}/{top}" if folder else top
            if part and not self.holds(f"{folder}/{part}".strip("/")):
                continue
            if not known or self._is_before(path, folder, importer) or self._reaches(path, folder, module, taken):
                return "a module of the repository"
        return "a submodule of the repository" if top.lower() in self._submodules else ""

    def places(self, importer: str, top: str) -> tuple[str, ...]:
        """Folders from which that name can be imported: beside the file and above it, and those on the path."""
        folder = importer.rpartition("/")[0]
        key = (folder, top)
        if key not in self._answers:
            above = (one for one in _upwards(folder) if self.holds(f"{one}/{top}"))
            self._answers[key] = tuple(dict.fromkeys((*above, *self._on_path.get(top, ()))))
        return self._answers[key]

    def holds(self, path: str) -> bool:
        return path in self._modules or path in self._folders

    def _is_before(self, path: str, folder: str, importer: str) -> bool:
        """Whether Python finds the own module before a distribution's of that name."""
        if importer.rpartition(".")[0] == path or importer == f"{path}/__init__.py":
            return False  # `import wandb` in wandb.py means the other
        return self._is_on_path(folder) and (path in self._modules or path in self.packages)

    def _is_on_path(self, folder: str) -> bool:
        """A folder inside a package is not: what lies beside the importing file takes a relative import there."""
        return not folder or folder not in self.packages or folder in self._roots

    def _reaches(self, path: str, folder: str, module: str, taken: tuple[str, ...]) -> bool:
        """Whether what is imported lies in an own folder without ``__init__.py``, which Python finds last."""
        below = module.split(".")[1:]
        whole = "/".join([path, *below])
        names = [f"{whole}/{name}" for name in taken] if not below else [whole]
        return self._is_on_path(folder) and any(self.holds(name) for name in names)

    @cached_property
    def _modules(self) -> frozenset[str]:
        """Files that can be imported, without their suffix (and without what a compiler puts before it)."""
        found = (name for name in self._tree.files if name.endswith(_CODE))
        return frozenset(
            f"{head}{slash}{last.partition('.')[0]}" for head, slash, last in (one.rpartition("/") for one in found)
        )

    @cached_property
    def packages(self) -> frozenset[str]:
        return frozenset(name.removesuffix("/__init__") for name in self._modules if name.endswith("/__init__"))

    @cached_property
    def _folders(self) -> frozenset[str]:
        """Folders with code at any depth."""
        found: set[str] = set()
        for name in self._modules:
            folder = name.rpartition("/")[0]
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    @cached_property
    def projects(self) -> tuple[str, ...]:
        """Folders that can be installed, "" for the root; not those of other people's code."""
        found = (name.rpartition("/") for name in self._tree.files if name.endswith(tuple(_BUILD_FILES)))
        mine = {folder for folder, _, last in found if last in _BUILD_FILES and not is_vendored(f"{folder}/x")}
        return tuple(one for one in _nearest(mine) if self._is_installable(one))

    def _is_installable(self, folder: str) -> bool:
        """A build file may hold no more than the settings of tools."""
        for name, words in _BUILD_FILES.items():
            text = self._tree.read(joined(folder, name)) or ""
            if any(word in text for word in words):
                return True
        return False

    @cached_property
    def package_folders(self) -> tuple[str, ...]:
        """Folders whose packages and modules are what the projects install."""
        found: list[str] = []
        for folder in self.projects:
            found += [folder, joined(folder, "src")]
            for name in _BUILD_FILES:
                found += self._named_by(joined(folder, name), folder)
        return tuple(dict.fromkeys(one for one in found if not one or self._is_outside_packages(one)))

    def is_installed(self, package: str) -> bool:
        """Whether a folder is one of the packages that a project installs, or lies in one."""
        while package in self.packages:
            package = package.rpartition("/")[0]
            if package in self.package_folders:
                return True
        return False

    @cached_property
    def _roots(self) -> tuple[str, ...]:
        """Folders that are on the path for everybody, the repository's own first."""
        found = ["", *self.package_folders]
        found += [*("src", "lib", "python"), *sorted(self._added), *self._from_scripts()]
        found = [one for one in found if not one or self._is_outside_packages(one)]
        return tuple(dict.fromkeys((*found, *self._vendored)))[:_MOST_FOLDERS]

    @cached_property
    def _on_path(self) -> dict[str, list[str]]:
        """By the name of a module or package: the folders on the path that hold it, in the path's order."""
        order = {folder: number for number, folder in enumerate(self._roots)}
        found: dict[str, set[str]] = {}
        for path in self._modules | self._folders:
            folder, _, name = path.rpartition("/")
            if folder in order:
                found.setdefault(name, set()).add(folder)
        return {name: sorted(folders, key=order.__getitem__) for name, folders in found.items()}

    def _is_outside_packages(self, folder: str) -> bool:
        return folder in self._folders and folder not in self.packages

    def _named_by(self, name: str, folder: str) -> Iterator[str]:
        """Folders that a build file speaks of and that hold packages: ``package_dir``, ``where``, ``from``."""
        for word in set(_WORD.findall(self._tree.read(name) or "")):
            path = joined(folder, word)
            if path and self._is_outside_packages(path):
                yield path

    @cached_property
    def _vendored(self) -> tuple[str, ...]:
        """Folders of other people's code: each holds repositories, which hold packages (perhaps below ``src``)."""
        bases = {one for one in self._folders if one.rpartition("/")[2].lower() in _VENDORED}
        bases.update(path.rpartition("/")[0] for path in self._submodule_paths if "/" in path)
        found = {path for path in self._submodule_paths if path in self._folders}
        for folder in self._folders:
            head, _, last = folder.rpartition("/")
            if head in bases or (last in {"src", "python"} and head.rpartition("/")[0] in bases):
                found.add(folder)
        return (*_nearest(bases), *_nearest(found))

    @cached_property
    def _submodule_paths(self) -> tuple[str, ...]:
        text = self._tree.read(".gitmodules") or ""
        return tuple(re.findall(r"^[ \t]{0,20}path[ \t]{0,5}=[ \t]{0,5}(\S{1,300})[ \t]{0,20}$", text, re.MULTILINE))

    @cached_property
    def _submodules(self) -> frozenset[str]:
        """Names of submodules, whose folders an archive leaves empty."""
        return frozenset(path.rpartition("/")[2].replace("-", "_").lower() for path in self._submodule_paths)

    def _from_scripts(self) -> Iterator[str]:
        scripts = [name for name in self._tree.files if name.endswith((".sh", ".bash"))]
        for name in sorted(scripts, key=lambda one: one.count("/"))[:_MOST_SCRIPTS]:
            text = self._tree.read(name, most=_MOST_SCRIPT) or ""
            for line in text.splitlines() if "PYTHONPATH" in text else ():
                for value in _PYTHONPATH.findall(_IN_SHELL.sub("", line[:_LONGEST_LINE])):
                    yield from _resolved([one.strip("/") for one in value.split(":")], name)


def is_vendored(name: str) -> bool:
    """Whether a file lies among other people's code that the repository carries along."""
    return any(part.lower() in _VENDORED for part in name.split("/")[:-1])


def _nearest(folders: Iterable[str]) -> list[str]:
    return sorted(folders, key=lambda one: (one.count("/"), one))[:_MOST_FOLDERS]


def _resolved(paths: Iterable[str], name: str) -> Iterator[str]:
    """What relative paths in a file may mean: seen from the file, or from the repository's root."""
    folder = name.rpartition("/")[0]
    for path in paths:
        if path and not path.startswith("~"):
            yield from {joined(folder, path), joined("", path), joined("", path.replace("../", ""))}


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _put_on_path(module: Module) -> Iterator[str]:
    """Folders that the file names in a call on ``sys.path`` or joins to a path (``osp.join(here, "..", "lib")``)."""
    for call in islice(filter(_is_of_paths, ast.walk(module.syntax)), _MOST_CALLS):
        yield from _resolved(["/".join(_strings(call.args)).strip("/")], module.name)


def _is_of_paths(node: ast.AST) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    on_path = isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "path"
    return node.func.attr == "join" or (on_path and node.func.attr in {"insert", "append", "extend"})


def _strings(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for one in ast.walk(node):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
                yield one.value.strip("/")


def _extensions(syntax: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of what a setup.py compiles: ``CUDAExtension("name", ...)``, ``Extension(name="a.b")``, helpers like it."""
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if "extension" in called.lower() or "_ext" in called.lower():
            given = [one.value for one in node.keywords if one.arg == "name"] or node.args[:1]
            for one in given:
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
                    yield one.value, node.lineno
