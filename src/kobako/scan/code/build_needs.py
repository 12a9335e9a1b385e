"""What is needed to build the repository itself, or the extensions that lie in it.

``read`` looks at build scripts, ``CompiledLater`` at modules that compile when they are used. What ``[build-system]``
in a pyproject.toml requires is read elsewhere.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question, Requirement, SystemPackage
from kobako.scan.aside import folder_kind
from kobako.scan.code.modules import Module, parse
from kobako.scan.code.versions import Names, called_name, statements
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree

COMPILER = "needs the CUDA compiler (nvcc): NGC's images and -devel images have it, -runtime images have not"
_MAX_DEPTH = 4
_MOST_SCRIPTS = 40
_LONGEST = 256 * 1024
_INSTALLERS = frozenset({"setuptools", "distutils", "pkg_resources", "wheel", "pip", "ez_setup"})
_EXTENSIONS = frozenset(
    {
        "CUDAExtension",
        "CppExtension",
        "Extension",
        "Pybind11Extension",
        "CMakeExtension",
        "RustExtension",
        "SYCLExtension",
    }
)
_MADE_WITH = frozenset({"sources", "extra_compile_args"})
_TORCH_BUILDS = frozenset({"CUDAExtension", "CppExtension", "BuildExtension"})
_CUDA, _CPP, _CYTHON = (".cu", ".cuh"), (".cpp", ".cc", ".cxx", ".c"), (".pyx",)
_HELPERS = re.compile(r"(?:makefile|(?:make|build|compile|install|setup)[\w-]*\.sh)", re.IGNORECASE)
_RUNS_SETUP = re.compile(r"\bpython[\d.]*[ \t]+setup\.py((?:[ \t]+[\w=.-]+){1,6})")
_COMPILES = re.compile(
    r"(?m)^[^#\n]{0,200}?(\bnvcc\b|\bg\+\+|\bgcc\b|\bclang(?:\+\+)?\b|\bcmake\b|\$\((?:CC|CXX|NVCC)\))"
)


def read(tree: Tree, later: str = "") -> Declared | None:
    """Build requirements, system packages, and what has to be compiled by hand; None when nothing is built.

    ``later`` is a module that compiles the repository's extension by itself (:attr:`CompiledLater.extension`).
    """
    found = Declared()
    scripts = [one for name in _setup_files(tree) if (one := _Setup.of(tree, name)) is not None]
    folders = {one.folder for one in scripts}
    for script in scripts:
        _Needs(tree, script, found, later).add(folders - {script.folder})
    _compile_scripts(tree, folders, found)
    found.build = _once(found.build)
    found.system = list({one.name: one for one in reversed(found.system)}.values())[::-1]
    return found if any((found.build, found.system, found.others, found.questions)) else None


def _setup_files(tree: Tree) -> list[str]:
    names = [
        name
        for name in tree.files
        if name.rpartition("/")[2] == "setup.py" and name.count("/") <= _MAX_DEPTH + 1 and _matters(name)
    ]
    return sorted(names, key=lambda name: (name.count("/"), name))[:_MOST_SCRIPTS]


def _matters(name: str) -> bool:
    return folder_kind(name) in {"", "vendored"}


class _Setup(NamedTuple):
    """A setup.py: what it imports (with the line), and the extensions that it makes (with their line)."""

    name: str
    text: str
    imports: dict[str, int]
    calls: dict[str, int]
    names: tuple[str, ...]

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @classmethod
    def of(cls, tree: Tree, name: str) -> _Setup | None:
        text = tree.read(name, most=_LONGEST)
        syntax = parse(text) if text is not None else None
        if text is None or syntax is None:
            return None
        try:
            return cls._read(name, text, syntax)
        except RecursionError:  # expressions nested deeper than a person writes
            return None

    @classmethod
    def _read(cls, name: str, text: str, syntax: ast.Module) -> _Setup:
        calls: dict[str, int] = {}
        named: list[str] = []
        for node in ast.walk(syntax):
            if isinstance(node, ast.Call) and (kind := called_name(node)):
                calls.setdefault(kind, node.lineno)
                if kind in _EXTENSIONS or _MADE_WITH & {one.arg for one in node.keywords}:
                    named += _extension_name(node)
            elif isinstance(node, ast.Name | ast.Attribute):  # handed on without being called: cmdclass, partial
                kind = node.id if isinstance(node, ast.Name) else node.attr
                if kind in _TORCH_BUILDS:
                    calls.setdefault(kind, node.lineno)
        return cls(name, text, _imports(syntax.body), calls, tuple(dict.fromkeys(named)))

    def finding(self, line: int) -> Finding:
        lines = self.text.split("\n", line)
        return Finding(self.name, line, lines[line - 1].strip()[:160] if len(lines) >= line else "")

    @property
    def line(self) -> int:
        """Where the extension is made, or the first line."""
        lines = [self.calls[kind] for kind in (*_EXTENSIONS, "cythonize", "BuildExtension") if kind in self.calls]
        return min(lines, default=self.calls.get("setup", 1))


def _imports(body: list[ast.stmt]) -> dict[str, int]:
    """Modules that are imported, also in functions; not those that it does without (``try`` ... ``except``)."""
    free = {
        id(inner)
        for one in statements(body, functions=True)
        if isinstance(one, ast.Try) and not any(isinstance(last, ast.Raise) for h in one.handlers for last in h.body)
        for inner in statements(one.body, functions=False)
        if one.handlers
    }
    found: dict[str, int] = {}
    for one in statements(body, functions=True):
        if isinstance(one, ast.Import):
            names = [alias.name for alias in one.names]
        elif isinstance(one, ast.ImportFrom) and one.module and not one.level:
            names = [one.module]
        else:
            continue
        for name in names:
            if id(one) not in free or name.startswith("torch.utils") or "Cython" in name:
                found.setdefault(name, one.lineno)
    return found


def _extension_name(call: ast.Call) -> list[str]:
    given = {one.arg: one.value for one in call.keywords}
    node = given.get("name", call.args[0] if call.args else None)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


class _Needs:
    """What one setup.py needs."""

    def __init__(self, tree: Tree, script: _Setup, found: Declared, later: str) -> None:
        self._tree = tree
        self._script = script
        self._found = found
        self._later = later if not _EXTENSIONS & script.calls.keys() else ""
        self._others: set[str] = set()

    def add(self, others: set[str]) -> None:
        """``others`` are the folders of the other setup.py files: what lies in them is not this one's."""
        self._others = {
            one for one in others if one.startswith(f"{self._script.folder}/" if self._script.folder else "")
        }
        kind = self._kind()
        if "setup" not in self._script.calls or (self._script.folder and not kind):
            return  # nothing that would be built along with the repository
        before = len(self._found.build)
        self._imported()
        if kind:
            self._compiled(kind)
        if len(self._found.build) > before or kind:
            self._require("setuptools", self._script.calls.get("setup", 1))
        if not kind and "torch" in self._roots and not self._script.folder:
            finding = self._script.finding(self._roots["torch"])
            why = "it imports torch: install it after torch and without build isolation (`--no-build-isolation`)"
            self._found.others.append(Other("the repository's own setup.py", why, (finding,)))

    @property
    def _roots(self) -> dict[str, int]:
        roots: dict[str, int] = {}
        for name, line in self._script.imports.items():
            roots.setdefault(name.partition(".")[0], line)
        return roots

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        prefix = f"{self._script.folder}/" if self._script.folder else ""
        deeper = tuple(f"{one}/" for one in self._others)
        return tuple(
            name
            for name in self._tree.files
            if name.startswith(prefix)
            and name.endswith((*_CUDA, *_CPP, *_CYTHON))
            and not name.startswith(deeper)
            and (bool(prefix) or _matters(name))
        )

    def _kind(self) -> str:
        """What it compiles: "CUDA", "C++", "Cython", or "" for nothing."""
        calls, roots = self._script.calls, self._roots
        builds = [kind for kind in (*_EXTENSIONS, *_TORCH_BUILDS, "cythonize") if kind in calls]
        if not builds or not self._sources:
            return ""
        if any(name.endswith(_CUDA) for name in self._sources) and (
            "CUDAExtension" in calls or "nvcc" in self._script.text
        ):
            return "CUDA"
        if any(name.endswith(_CYTHON) for name in self._sources) and ("Cython" in roots or ".pyx" in self._script.text):
            return "Cython"
        return "C++" if any(name.endswith(_CPP) for name in self._sources) else ""

    def _imported(self) -> None:
        from kobako.scan.code import names  # noqa: PLC0415 - its tables are read for this

        for name, line in self._roots.items():
            if name in _INSTALLERS or names.is_standard(name) or self._is_own(name):
                continue
            known = names.distribution_of(name)
            if known.certain:
                self._require(known.distribution, line)
            else:
                what = f"`{name}`, which is imported while the repository is built, belongs to no package that is known"
                self._found.questions.append(Question(what, self._script.finding(line)))

    def _is_own(self, name: str) -> bool:
        for folder in {self._script.folder, ""}:
            base = f"{folder}/{name}" if folder else name
            if self._tree.is_file(f"{base}.py") or self._tree.is_folder(base):
                return True
        return False

    def _compiled(self, kind: str) -> None:
        script = self._script
        finding = script.finding(script.line)
        uses_torch = any(name.startswith("torch.utils") for name in script.imports) or (
            "torch" in self._roots and any(one in script.calls for one in _TORCH_BUILDS)
        )
        if uses_torch:
            self._require("torch", script.line)
            self._require("ninja", script.line)
        if kind == "Cython":
            self._require("cython", script.line)
        what = f"{kind} extension {_listed(script.names) or f'of {script.name}'}"
        needs = COMPILER if kind == "CUDA" else "needs a C++ compiler"
        self._found.others.append(Other(what, f"{script.name} compiles it: {needs}", (finding,)))
        self._found.system.append(SystemPackage("build-essential", f"{script.name} compiles {kind} code", (finding,)))
        if "CMakeExtension" in script.calls or "cmake" in script.text:
            self._found.system.append(SystemPackage("cmake", f"{script.name} calls it", (finding,)))
        if self._later:
            return  # setup.py takes its extension from there, and so does training
        command = self._command(is_plain=not any(one in script.calls for one in _TORCH_BUILDS))
        asked = f"{what} has to be compiled by hand inside the container, once per image: `{command}`"
        self._found.questions.append(Question(asked, finding))

    def _command(self, *, is_plain: bool) -> str:
        folder = self._script.folder
        if not folder:
            return "python -m pip install --no-build-isolation -e ."
        for name in self._tree.names(folder):
            text = self._tree.read(name, most=_LONGEST) if _HELPERS.fullmatch(name.rpartition("/")[2]) else None
            match = _RUNS_SETUP.search(text) if text else None
            if match is not None:
                return f"cd {shlex.quote(folder)} && python setup.py{match[1]}"
        if folder_kind(f"{folder.rpartition('/')[0].rpartition('/')[2]}/x") == "vendored":  # a package of its own
            return f"python -m pip install --no-build-isolation {shlex.quote(f'./{folder}')}"
        return f"cd {shlex.quote(folder)} && python setup.py {'build_ext --inplace' if is_plain else 'build develop'}"

    def _require(self, name: str, line: int) -> None:
        self._found.build.append(Requirement(name, findings=(self._script.finding(line),)))


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"`{name}`" for name in names[:3]) + more


def _once(requirements: list[Requirement]) -> list[Requirement]:
    kept: dict[str, Requirement] = {}
    for one in requirements:
        first = kept.get(one.name)
        findings = dict.fromkeys((*first.findings, *one.findings) if first else one.findings)
        kept[one.name] = Requirement(one.name, findings=tuple(findings))
    return list(kept.values())


def _compile_scripts(tree: Tree, folders: set[str], found: Declared) -> None:
    """Makefiles and shell scripts that call a compiler themselves."""
    names = [
        name
        for name in tree.files
        if _HELPERS.fullmatch(name.rpartition("/")[2]) and name.count("/") <= _MAX_DEPTH + 1 and _matters(name)
    ]
    for name in names[:_MOST_SCRIPTS]:
        folder = name.rpartition("/")[0]
        text = tree.read(name, most=_LONGEST) or ""
        match = _COMPILES.search(text)
        if match is None or folder in folders:
            continue
        line = text.count("\n", 0, match.start(1)) + 1
        finding = Finding(name, line, text.split("\n")[line - 1].strip()[:160])
        if "nvcc" in text.lower():
            call = "make" if name.lower().endswith("makefile") else f"sh {name.rpartition('/')[2]}"
            command = f"cd {shlex.quote(folder)} && {call}" if folder else call
            found.others.append(Other(f"CUDA code in {folder or '.'}", f"{name} compiles it: {COMPILER}", (finding,)))
            found.questions.append(
                Question(f"{name} compiles CUDA code: run `{command}` inside if it is needed", finding)
            )
            found.system.append(SystemPackage("build-essential", f"{name} compiles code", (finding,)))
        else:
            why = f"{name} compiles it with {match[1]}; whether training needs it is not known"
            found.others.append(Other(f"code in {folder or '.'}", why, (finding,)))


@dataclass
class CompiledLater:
    """Modules that compile code when they are first used: torch's ``load``, ``pyximport``."""

    _found: Declared = field(default_factory=Declared)
    extension: str = ""
    """The first module that makes an extension for a setup.py and loads the same one where it was not built."""

    def look(self, module: Module) -> None:
        if module.name.endswith("setup.py") or not _matters(module.name):
            return
        if "cpp_extension" in module.text and "load" in module.text:
            line = min(_loads(module), default=0)
            if line:
                self._torch(module, line)
        if "pyximport" in module.text:
            line = module.text.count("\n", 0, module.text.index("pyximport")) + 1
            self._cython(module, line)

    def found(self) -> Declared:
        self._found.build = _once(self._found.build)
        self._found.system = self._found.system[:1]
        return self._found

    def _torch(self, module: Module, line: int) -> None:
        finding = Finding(module.name, line, module.text.split("\n")[line - 1].strip()[:160])
        if any(f"{kind}(" in module.text for kind in _TORCH_BUILDS):
            self.extension = self.extension or module.name
        self._found.build.append(Requirement("ninja", findings=(finding,)))
        why = (
            f"{module.name} compiles it when it is first used: needs ninja, a C++ compiler, and for CUDA code nvcc then"
        )
        self._found.others.append(Other("an extension of torch", why, (finding,)))
        self._found.system.append(SystemPackage("build-essential", f"{module.name} compiles code", (finding,)))

    def _cython(self, module: Module, line: int) -> None:
        finding = Finding(module.name, line, module.text.split("\n")[line - 1].strip()[:160])
        self._found.build.append(Requirement("cython", findings=(finding,)))
        self._found.system.append(SystemPackage("build-essential", f"{module.name} compiles Cython code", (finding,)))


def _loads(module: Module) -> Iterator[int]:
    """Lines where torch.utils.cpp_extension is told to compile something."""
    names = Names.of(module.syntax.body)
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Call) and called_name(node) in {"load", "load_inline"}:
            try:
                is_torch = "cpp_extension" in names.dotted(node.func)
            except RecursionError:
                continue
            if is_torch:
                yield node.lineno
