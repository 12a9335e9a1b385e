"""A Dockerfile as a list of tasks that the local engine can do, or the line that it cannot. Pure.

Each task has a key: what it does, after everything before it. Equal keys mean equal environments.
"""

from __future__ import annotations

import hashlib
import json
import platform
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kobako import compiled, floor
from kobako.dockerfile.commands import classified
from kobako.dockerfile.heredoc import heredoc_of
from kobako.dockerfile.instruction import Dockerfile
from kobako.dockerfile.lex import LexError, expand
from kobako.engines.local import pip
from kobako.engines.local.pip import Install
from kobako.engines.local.work import (
    Copy,
    Floor,
    Folder,
    Native,
    Nothing,
    Part,
    Script,
    System,
    Task,
    Work,
    Written,
    Zone,
)
from kobako.errors import BuildError, Where
from kobako.masking import mask
from kobako.model.recipe import Command, Recipe, Step, Word

_IN_ORDER = frozenset({"&&", ";", "\n"})
_METADATA = frozenset({"label", "maintainer", "expose", "stopsignal", "healthcheck", "volume"})
_SIMPLE = re.compile(r"""["']?[^"'`$\\]*(?:\$(?:\w+|\{\w+\})[^"'`$\\]*)+["']?""")
_FOLDERS = frozenset({".", ".."})
_HIDDEN = re.compile(r"/(?:usr|bin|sbin|lib\w*|nix|gnu|dev|proc|sys|opt/kobako)(?:/|$)")
_AS_FILE = 'f=$(mktemp) && printf %s "$1" > "$f" && chmod +x "$f" && "$f"; code=$?; rm -f "$f"; exit $code'
_PYTHON_LINK = re.compile(r"(?:/usr/bin/)?python3(?:\.\d+)?")


@dataclass
class Walk:
    """What the instructions so far have set. ``image_environment`` is what the image will have."""

    dockerfile: Dockerfile
    recipe: Recipe
    arguments: Mapping[str, str]
    globals: Mapping[str, str]
    environment: dict[str, str]
    workdir: str
    values: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    tasks: list[Task] = field(default_factory=list)
    refusals: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)

    def all(self) -> None:
        """Read every step. Raises ``BuildError("not-honoured")`` with the first line that cannot be done."""
        for stage in self.recipe.stages[1:]:
            self.refuse(stage.step, "a second FROM: builds in several stages need a container engine")
        for step in self.recipe.steps_of(0)[1:] if not self.refusals else ():
            try:
                self._step(step)
            except LexError as error:
                self.refuse(step, str(error))
        if self.refusals:
            raise refused(self.recipe.file, self.refusals)

    def refuse(self, step: Step, why: str) -> None:
        self.refusals.append((step.line, _shown(step), why))

    def _step(self, step: Step) -> None:
        if step.kind in _METADATA:
            return
        reader = getattr(self, f"_{step.kind}", None)
        if reader is None:
            self.refuse(step, f"the local engine does not know {step.kind.upper()}")
        else:
            reader(step)

    def _values(self) -> dict[str, str]:
        """What a command sees: of ARG and ENV the one that came later."""
        return {**self.environment, **self.values}

    def _expanded(self, text: str) -> str:
        return expand(text, self._values(), self.recipe.escape)

    def _arg(self, step: Step) -> None:
        for name, default in step.pairs:
            if name in self.arguments:
                self.values[name] = self.arguments[name]
            elif default is not None:
                self.values[name] = self._expanded(default)
            elif name in self.globals or name in _PLATFORM:
                self.values[name] = self.globals.get(name, _PLATFORM.get(name, ""))

    def _env(self, step: Step) -> None:
        made = {name: self._expanded(value or "") for name, value in step.pairs}
        self.environment.update(made)
        self.values.update(made)

    def _workdir(self, step: Step) -> None:
        self.workdir = _clean(posixpath.join(self.workdir, self._expanded(step.value)))
        if self.workdir != "/" and not _HIDDEN.match(self.workdir):
            self._task(step, Native((Folder(self.workdir),)))

    def _shell(self, step: Step) -> None:
        self.shell = step.words or self.shell

    def _cmd(self, step: Step) -> None:
        self.command = step.words if step.words is not None else (*self.shell, step.value)

    def _entrypoint(self, step: Step) -> None:
        self.entrypoint = step.words if step.words is not None else (*self.shell, step.value)

    def _user(self, step: Step) -> None:
        self.notes.append((step.line, f"{_shown(step)}: everything runs as you"))

    def _onbuild(self, step: Step) -> None:
        self.notes.append((step.line, "ONBUILD concerns images built on this one: there are none"))

    def _add(self, step: Step) -> None:
        self._copy(step)

    def _copy(self, step: Step) -> None:
        words = [self._expanded(word) for word in step.words or step.value.split()]
        flags = {flag.name: flag.value or "" for flag in step.flags}
        unknown = sorted(flags.keys() - {"chown", "chmod", "link", "from"})
        if unknown:
            self.refuse(step, f"--{unknown[0]} is not understood here")
            return
        if not re.fullmatch(r"[0-7]{3,4}|", flags.get("chmod", "")):
            self.refuse(step, f"--chmod={flags['chmod']} is not understood here: give it in octal digits")
            return
        if "from" in flags:
            self.refuse(step, "files of another image need a container engine")
            return
        if "<<" in step.value and step.words is None:
            self.refuse(step, "files written in the Dockerfile itself are not understood here: RUN can write them")
            return
        if step.kind == "add" and any(re.match(r"\w+://|git@|.*\.(tar|tgz|gz|xz|bz2|zst)$", one) for one in words[:-1]):
            self.refuse(step, "ADD of an address or an archive is not done here: RUN can fetch and unpack it")
            return
        target = posixpath.join(
            self.workdir, f"{words[-1]}/" if posixpath.basename(words[-1]) in _FOLDERS else words[-1]
        )
        if _HIDDEN.match(posixpath.normpath(target)) and not posixpath.normpath(target).startswith("/usr/local/"):
            self.refuse(step, "the system's own folders are this machine's, and cannot be written to")
            return
        self._task(step, Copy(tuple(words[:-1]), target, flags.get("chmod", "")))

    def _run(self, step: Step) -> None:
        network = True
        mounts: list[tuple[str, str]] = []
        for flag in step.flags:
            value = flag.value or ""
            mounted = dict(pair.partition("=")[::2] for pair in value.split(",")) if flag.name == "mount" else {}
            targets = [mounted[key] for key in ("target", "dst", "destination") if mounted.get(key)]
            kind = "tmpfs" if mounted.get("type") == "tmpfs" else "cache"
            mounts += [(kind, _clean(posixpath.join(self.workdir, self._expanded(one)))) for one in targets[:1]]
            if flag.name == "mount" and not ("type=cache" in value or "type=tmpfs" in value):
                self.refuse(step, f"--mount={value} needs a container engine")
                return
            if flag.name == "security":
                self.refuse(step, "--security needs a container engine")
                return
            network = network and not (flag.name == "network" and value == "none")
        parts = self._parts(step)
        installs = parts is not None and any(isinstance(part, Install) for part in parts)
        if parts is not None and (network or not installs):
            self._task(step, Native(parts))
        elif step.words is not None:
            self._task(step, Script(step.words, network, tuple(mounts)))
        else:
            self._task(step, Script(self._script(step), network, tuple(mounts)))

    def _script(self, step: Step) -> tuple[str, ...]:
        """What is run: the line for the shell, with its heredocs; a heredoc that is the whole RUN is the script."""
        instruction = self.dockerfile.instructions[step.index]
        if not instruction.heredocs:
            return (*self.shell, step.value)
        text = self.dockerfile.text
        first = instruction.heredocs[0]
        if not _is_heredoc(step.value.strip()):
            return (*self.shell, f"{step.value}\n{text[instruction.head_end : instruction.span.end]}")
        body = text[first.body.start : first.body.end]
        body = re.sub(r"(?m)^\t+", "", body) if "<<-" in step.value else body
        if not body.startswith("#!"):
            return (*self.shell, body)
        return ("/bin/sh", "-c", _AS_FILE, "kobako", body)

    def _parts(self, step: Step) -> tuple[Part, ...] | None:
        """The step as parts that need no shell; None where there is one command too many for that."""
        if floor.is_step(step):
            return (Floor(),)
        if floor.is_freeing(step):
            return (Nothing(),)  # what stands in for the base has no constraint
        if script := compiled.written(step):
            return (Written(compiled.PROGRAM, script),)
        if not step.understood or not step.commands or "<<" in step.value:
            return None
        found = [self._part(command) for command in step.commands]
        parts = [part for part in found if part is not None]
        return tuple(parts) if len(parts) == len(found) else None

    def _part(self, command: Command) -> Part | None:
        if command.nesting or not command.sound:
            return None
        if command.operator is not None and command.operator.text not in _IN_ORDER:
            return None
        if command.redirects:
            return Floor(by_now=True) if floor.is_listing(command) else None
        command = self._with_values(command)
        if command.kind == "pip-install":
            return pip.install(command)
        if command.kind == "apt-install" and not command.dynamic and not command.sources:
            return System(tuple(package.name for package in command.packages))
        if command.kind in {"apt-update", "clean"}:
            return Nothing()
        if command.kind == "timezone" and command.zone:
            return Zone(command.zone)
        return Nothing() if _links_python(command) else None

    def _with_values(self, command: Command) -> Command:
        """The command with ARG and ENV values put in, where that needs no shell."""
        values = self._values()
        words = tuple(self._word(word, values) for word in command.words)
        assignments = tuple(self._word(word, values) for word in command.assignments)
        if (words, assignments) == (command.words, command.assignments):
            return command
        return classified(replace(command, words=words, assignments=assignments))

    def _word(self, word: Word, values: Mapping[str, str]) -> Word:
        if word.value is not None or not _SIMPLE.fullmatch(word.text) or "'" in word.text:
            return word
        if not set(re.findall(r"\$\{?(\w+)", word.text)) <= values.keys():
            return word  # a shell has variables of its own
        value = expand(word.text, values, self.recipe.escape)
        plain = value != "" and re.search(r"[\s*?\[]", value) is None
        return word._replace(value=value) if plain else word

    def _task(self, step: Step, does: Work) -> None:
        environment = self._values()
        floors = isinstance(does, Native) and does.parts == (Floor(),)
        name = "RUN (write down what the base holds)" if floors else _shown(step)
        self.tasks.append(Task(name, step.line, does, environment, self.workdir))


def _clean(path: str) -> str:
    """Without ``..`` and doubled slashes, the first ones included."""
    return "/" + posixpath.normpath(path).lstrip("/")


def _is_heredoc(word: str) -> bool:
    try:
        return heredoc_of(word) is not None
    except LexError:
        return False


def _links_python(command: Command) -> bool:
    """``ln -sf python3 /usr/bin/python``: an environment has both names."""
    argv = command.argv or ()
    plain = [word for word in argv[1:] if not word.startswith("-")]
    return (
        argv[:1] == ("ln",)
        and len(plain) == 2
        and plain[1] in {"/usr/bin/python", "/usr/local/bin/python"}
        and (_PYTHON_LINK.fullmatch(plain[0]) is not None)
    )


def _shown(step: Step) -> str:
    """The instruction on one line, not too long."""
    text = mask(" ".join(f"{step.kind.upper()} {step.value}".split()))
    return text if len(text) <= 100 else f"{text[:97]}..."


def refused(file: str, refusals: Iterable[tuple[int, str, str]]) -> BuildError:
    """All the lines that cannot be done here, at once."""
    (line, name, why), *rest = refusals
    more = "".join(f"\nline {one[0]}: {one[1]}: {one[2]}" for one in rest)
    return BuildError(
        "not-honoured",
        f"the local engine cannot do this: {name}",
        why=f"{why}{more}",
        fix="use a container engine (--engine docker), or write it in another way",
        where=Where(file, line),
    )


_MACHINE: dict[str, str] = {"x86_64": "amd64", "aarch64": "arm64"}
_ARCHITECTURE = _MACHINE.get(platform.machine(), platform.machine())
_PLATFORM = {
    f"{side}{what}": value
    for side in ("TARGET", "BUILD")
    for what, value in (("PLATFORM", f"linux/{_ARCHITECTURE}"), ("OS", "linux"), ("ARCH", _ARCHITECTURE))
}


def keyed(tasks: Iterable[Task], base: str) -> list[Task]:
    """The tasks with their keys, one growing out of the other."""
    key = base
    done: list[Task] = []
    for task in tasks:
        key = digest([key, _payload(task), dict(sorted(task.environment.items())), task.workdir])
        done.append(replace(task, key=key))
    return done


def _payload(task: Task) -> list[Any]:
    if isinstance(task.does, Native):
        return [[type(part).__name__, *part] for part in task.does.parts]
    return [type(task.does).__name__, asdict(task.does)]


def digest(content: Any) -> str:
    """A short name for anything that JSON can say."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
