"""``setup.py``, by evaluating its syntax tree. Nothing of it is ever run."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from itertools import islice
from posixpath import dirname
from typing import TYPE_CHECKING, Any

from kobako.masking import mask
from kobako.model.finding import Finding
from kobako.model.requirement import Question
from kobako.scan.code import modules as code
from kobako.scan.declaring import classifiers, groups, requirements_txt
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import MAX_FILE, Tree, joined

if TYPE_CHECKING:
    from kobako.scan.evaluate import Entries, SetupCall, Unknown

NAME = "setup.py"
PYTHON = (3, 10)
_UNREADABLE = "is computed in a way that cannot be read without running it"
_MAX_OPTIONS = 50
_MAX_SHOWN = 50
_MAX_EXTRAS = 200
_PBR_FILES = ("requirements.txt", "tools/pip-requires")


def read(tree: Tree, folder: str = "", python: tuple[int, int] = PYTHON) -> Declared | None:
    """What the ``setup.py`` of a folder calls ``setup`` with; None when there is none or it calls no setup.

    It is followed as it would run on Linux with that Python, in a fresh environment without any variables.
    """
    name = joined(folder, NAME)
    text = tree.read(name, most=code.MAX_MODULE)
    if text is None:
        return None
    syntax = code.parse(text)
    if syntax is None:
        return Declared(questions=[Question("it is not Python that can be read", Finding(name, 1))])
    if "setup" not in text:
        return None
    return _Reader(tree, name, syntax).read(python)


class _Reader:
    def __init__(self, tree: Tree, name: str, syntax: ast.Module) -> None:
        self._tree = tree
        self._name = name
        self._folder = dirname(name)
        self._syntax = syntax
        self._found = Declared()
        self._has_named = False
        self._options: set[str] = set()

    def read(self, python: tuple[int, int]) -> Declared | None:
        from kobako.scan.evaluate import Places, evaluate, setup_line  # noqa: PLC0415 - not every repository needs it

        outcome = evaluate(self._tree, self._name, self._syntax, python)
        self._places = Places(self._tree, self._name, outcome.read_files)
        line = setup_line(self._syntax)
        if not outcome.calls and not line:
            return None
        if not outcome.calls:
            why = outcome.stopped or "its call of setup is not reached by what can be followed"
            self._ask(f"what it declares cannot be read without running it: {why}", line)
            self._found.is_partial = True
            self._named_files()
        for call in outcome.calls:
            self._take(call)
        self._missed(outcome.missed)
        return self._found

    def _take(self, call: SetupCall) -> None:
        """One call. What an earlier one declared (there may be one for each of several cases) is not repeated."""
        earlier = self._found.requirements
        self._found.requirements = []
        self._requirements(call)
        for text, finding in self._entries(call, "setup_requires").texts:
            groups.build(self._found, text, finding)
        self._facts(call)
        for name, value in islice(self._extras(call).items(), _MAX_EXTRAS):
            self._extra(call, str(name), value)
        if call.keywords.get("pbr") is True:
            name = next((one for one in self._beside(_PBR_FILES) if self._tree.is_file(one)), "")
            self._found.merge(requirements_txt.read(self._tree, name) if name else Declared())
        names = {one.name for one in earlier}
        self._found.requirements = [*earlier, *(one for one in self._found.requirements if one.name not in names)]

    def _beside(self, names: tuple[str, ...]) -> list[str]:
        return [joined(self._folder, name) for name in names]

    # --- what it is given ------------------------------------------------------------------------------------------

    def _where(self, call: SetupCall, keyword: str) -> Finding:
        return Finding(call.file, call.lines.get(keyword, call.line))

    def _entries(self, call: SetupCall, keyword: str) -> Entries:
        return self._of(call.keywords.get(keyword), self._where(call, keyword))

    def _of(self, value: Any, where: Finding) -> Entries:
        from kobako.scan.evaluate import entries  # noqa: PLC0415 - loaded already

        return entries(value, self._places, where)

    def _facts(self, call: SetupCall) -> None:
        python = call.keywords.get("python_requires")
        where = self._where(call, "python_requires")
        for text, finding in self._of(python, where).texts if isinstance(python, str) else ():
            self._found.need_python(text, finding)
        tested = classifiers.python_of(self._entries(call, "classifiers").texts)
        self._found.python += [tested] if tested else []

    def _extras(self, call: SetupCall) -> dict[Any, Any]:
        value = call.keywords.get("extras_require")
        return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}

    def _extra(self, call: SetupCall, name: str, value: Any) -> None:
        """An extra; or, under a name that is a marker alone, requirements for where that holds."""
        where = self._where(call, "extras_require")
        texts = self._of(value, where).texts
        extra, _, marker = name.partition(":")
        if marker and not extra.strip():
            for text, finding in texts:
                self._found.add(f"{text} ; {marker}", finding)
        elif texts:
            groups.of_extra(self._found, name, [text for text, _ in texts], texts[0][1])

    # --- requirements ----------------------------------------------------------------------------------------------

    def _requirements(self, call: SetupCall) -> None:
        found = self._entries(call, "install_requires")
        where = self._where(call, "install_requires")
        self._all(found)
        for doubt, texts in found.doubts.items():
            names = [f"`{mask(text[:100])}`" for text in dict.fromkeys(texts)]
            shown = ", ".join(names[:_MAX_SHOWN]) + (" and others" if len(names) > _MAX_SHOWN else "")
            what = f"{shown}: declared or not, depending on {mask(doubt.text)}"
            self._found.questions.append(Question(what, Finding(doubt.file, doubt.line)))
        unknown = found.unknown
        if any(self._is_absent(one) for one in unknown) and self._written():
            unknown = [one for one in unknown if not self._is_absent(one)]
        open_ones = [self._unknown(one) for one in unknown]
        for what in dict.fromkeys(open_ones):
            self._ask(what, where.line, where.file)
        if "**" in call.keywords and "install_requires" not in call.keywords:
            self._ask("what setup is given cannot be read without running it", call.line, call.file)
            self._found.is_partial = True
        self._found.is_partial |= any(not one.options for one in unknown)
        if f"install_requires {_UNREADABLE}" in open_ones:
            self._named_files()

    def _all(self, found: Entries) -> None:
        """Take in the requirements, those too that may not be declared."""
        perhaps = {text for texts in (*found.doubts.values(), [text for text, _ in found.options]) for text in texts}
        known: dict[str, int] = {}
        for text, finding in [*found.texts, *found.options]:
            if text.lstrip().startswith("-"):
                self._option(text, finding)
            else:
                self._one(text, finding, known, is_certain=text not in perhaps)

    def _one(self, text: str, finding: Finding, known: dict[str, int], *, is_certain: bool) -> None:
        """Take in one requirement. Of several for one package, of which one holds, the package alone is certain."""
        taken = self._found.requirements
        count = len(taken)
        requirements_txt.take_line(self._found, text, finding)
        for one in taken[count:]:
            at = known.setdefault(one.name, count)
            if not is_certain and at < count and one.url is None:
                taken.pop()
                first = taken[at]
                if first.specifier != one.specifier:
                    taken[at] = replace(first, specifier="", findings=(*first.findings, finding))

    def _option(self, line: str, finding: Finding) -> None:
        """A line for pip among the requirements: a file was taken over as it is, and is read as pip would."""
        if line in self._options or len(self._options) >= _MAX_OPTIONS:
            return
        self._options.add(line)
        text = "\n" * (finding.line - 1) + line if finding.file != self._name else line
        self._found.merge(requirements_txt.read(_Replaced(self._tree, finding.file, text), finding.file))

    def _unknown(self, value: Unknown) -> str:
        """What is to be said of an entry that is not known."""
        if value.missing:
            there = self._tree.is_file(value.missing)
            why = "too large to read" if there else "not in the repository"
            return f"install_requires is read from {value.missing}, which is {why}"
        texts = [str(one) for one in value.options]
        if texts:
            shown = " or ".join(f"`{mask(text[:100])}`" for text in dict.fromkeys(texts))
            return f"install_requires names {shown}, depending on {mask(value.why)}"
        return f"install_requires {_UNREADABLE}"

    def _named_files(self) -> None:
        """The requirements files that the expression names, where it cannot be followed itself."""
        from kobako.scan.evaluate import files_named, keyword_of_setup  # noqa: PLC0415 - loaded already

        if self._has_named:
            return
        self._has_named = True
        expression = keyword_of_setup(self._syntax, "install_requires")
        known = {finding.file for one in self._found.requirements for finding in one.findings}
        for name in files_named(self._tree, self._folder, self._syntax, expression) if expression else ():
            if name not in known:
                self._found.merge(requirements_txt.read(self._tree, name))

    def _missed(self, missed: list[str]) -> None:
        """Requirements files that it takes if they are there, and they are not."""
        from kobako.scan.evaluate import files_missed, keyword_of_setup  # noqa: PLC0415 - loaded already

        expression = keyword_of_setup(self._syntax, "install_requires")
        if expression is None:
            return
        names = files_missed(self._folder, self._syntax, expression, missed) if missed else ()
        for name in () if names and self._written() else names:
            self._ask(f"install_requires is read from {name}, which is not in the repository", expression.lineno)
            self._found.is_partial = True

    def _is_absent(self, value: Unknown) -> bool:
        return bool(value.missing) and not self._tree.is_file(value.missing)

    def _written(self) -> bool:
        """What setuptools wrote down of it when it made this source distribution, which came without the file."""
        prefix = f"{self._folder}/" if self._folder else ""
        listed = re.compile(rf"{re.escape(prefix)}[^/]+\.egg-info/requires\.txt")
        found = [name for name in self._tree.files if listed.fullmatch(name)]
        text = self._tree.read(found[0]) if len(found) == 1 else None
        if text is None:
            return False
        always = re.split(r"(?m)^\[", text, maxsplit=1)[0]  # sections below are extras and conditions
        self._found.merge(requirements_txt.read(_Replaced(self._tree, found[0], always), found[0]))
        return True

    def _ask(self, what: str, line: int, file: str = "") -> None:
        question = Question(what, Finding(file or self._name, line))
        if question not in self._found.questions:
            self._found.questions.append(question)


class _Replaced(Tree):
    """A tree in which one file has another text."""

    def __init__(self, tree: Tree, name: str, text: str) -> None:
        self.__dict__.update(tree.__dict__)
        self._tree = tree
        self._name = name
        self._text = text

    def read(self, name: str, *, most: int = MAX_FILE) -> str | None:
        return self._text if name == self._name else self._tree.read(name, most=most)
