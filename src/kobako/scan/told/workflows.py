"""What a continuous integration tests: versions in its matrices, images, and the Debian packages that it installs.

A matrix says what was tried, not what is needed: everything here is a wish. One walk serves all systems, since each
has mappings whose keys say ``python-version``, ``torch``, ``image`` or ``run``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kobako.compose.nodes import Mapping, Node, Scalar, Sequence, follow
from kobako.model.finding import Finding
from kobako.model.requirement import SystemPackage
from kobako.scan.declaring.declared import Declared
from kobako.scan.told import yaml
from kobako.scan.told.images import Points
from kobako.scan.told.installs import why_no_need
from kobako.scan.told.lines import written_lines
from kobako.scan.told.own import Own, own_of
from kobako.scan.told.shell import Shell, Voice
from kobako.scan.tree import Tree

MOST_FILES = 60
MOST_SCRIPTS = 400
MOST_NODES = 20_000

_FILES = (".gitlab-ci.yml", ".circleci/config.yml", ".travis.yml", "azure-pipelines.yml", "appveyor.yml")
_ASIDE = re.compile(
    r"lint|flake|style|format|pre-?commit|mypy|type-?check|docs?(?![a-z])|documentation|sphinx|pages|release|publish|pypi|deploy|upload|stale|label"
    r"|codeql|security|spell|changelog|nightly|windows|macos|mac-?os|\bmac\b|conda-?build|benchmark|docker-?(?:build|push|image)|wheel|issue|greet",
    re.IGNORECASE,
)
_JOB_KEYS = frozenset({"steps", "script", "docker", "runs-on", "container", "matrix", "executor", "pool", "strategy"})
_SUBJECT_KEYS = {
    "python": re.compile(
        r"(?:matrix[._-])?(?:python|py|python[_-]?versions?|py[_-]?ver(?:sion)?|python[_-]?ver)", re.IGNORECASE
    ),
    "torch": re.compile(r"(?:py)?torch(?:[_-]?(?:versions?|ver))?", re.IGNORECASE),
    "cuda": re.compile(
        r"(?:cuda|cu|cudatoolkit|cuda[_-]?(?:toolkit[_-]?)?(?:versions?|ver)|cu[_-]?version)", re.IGNORECASE
    ),
}
_SCRIPT_KEYS = frozenset({"run", "command", "script", "before_script", "install", "before_install", "commands", "bash"})
_IMAGE_KEYS = frozenset({"image", "container"})
_PACKAGES_KEYS = frozenset({"packages"})
_POINT = re.compile(
    r"(?:pytorch|torch|python|py|cuda|cpython)?[-_ =]{0,2}v?(\d{1,2}\.\d{1,2})(?:\.(?:\d{1,2}|x|\*))?(?:\+(\w+))?"
)
_SHORT = re.compile(r"(?:cu|cuda|py|cp)[-_]?(\d)(\d{1,2})|(\d{2})(\d)")


def read(tree: Tree) -> Declared | None:
    names = list(_names(tree))
    if not names:
        return None
    reading = _Reading(tree, own_of(tree))
    budget = yaml.budget()
    for name in names:
        root = yaml.root_of(tree, name, budget)
        if root is not None:
            reading.file(name, root)
    return reading.declared()


def _names(tree: Tree) -> Iterator[str]:
    flows = [one for suffix in (".yml", ".yaml") for one in tree.names(".github/workflows", suffix)]
    for name in [*sorted(flows)[:MOST_FILES], *_FILES]:
        if tree.is_file(name) and not _ASIDE.search(name.rsplit("/", 1)[-1].rsplit(".", 1)[0]):
            yield name


@dataclass
class _Reading:
    tree: Tree
    own: Own
    points: Points = field(default_factory=Points)
    system: list[SystemPackage] = field(default_factory=list)
    _nodes: int = 0
    _scripts: int = 0

    def declared(self) -> Declared:
        found = self.points.declared()
        found.system = self.system
        return found

    def file(self, name: str, root: Node) -> None:
        """A walk with a stack of its own: each entry is a node, and the key that it stands under."""
        stack: list[tuple[str, Node]] = [("", root)]
        while stack and self._nodes < MOST_NODES:
            self._nodes += 1
            key, node = stack.pop()
            target = follow(node)
            if isinstance(target, Mapping):
                if not _is_aside(key, target):
                    stack += [(inner, value) for inner, value in reversed(list(yaml.entries(target))) if inner != "on"]
                    self._services(name, key, target)
            elif isinstance(target, Sequence):
                stack += [(key, item) for item in reversed(target.items)]
            elif target.value:
                self._scalar(name, key, target)

    def _services(self, name: str, key: str, node: Mapping) -> None:
        """``container: {image: ...}`` is met on the way; Travis has ``addons: {apt: {packages: [...]}}``."""
        if key == "apt":
            for item in yaml.items(yaml.get(node, "packages")):
                package = yaml.text_of(item)
                if re.fullmatch(r"[a-z0-9][a-z0-9.+-]{1,60}", package) and not why_no_need(package):
                    finding = Finding(name, item.line, package)
                    self.system.append(SystemPackage(package, f"{name} installs it", (finding,)))

    def _scalar(self, name: str, key: str, node: Scalar) -> None:
        finding = Finding(name, node.line, f"{key}: {node.value.strip()}"[:200].partition("\n")[0])
        if key in _SCRIPT_KEYS:
            self._script(name, node)
        elif key in _IMAGE_KEYS:
            self.points.add_image(node.value.strip(), finding)
        else:
            for subject, pattern in _SUBJECT_KEYS.items():
                if pattern.fullmatch(key):
                    self._versions(subject, node.value, finding)

    def _versions(self, subject: str, value: str, finding: Finding) -> None:
        """``3.8``, ``torch1.5``, ``1.8.0+cu111``, ``cu102``; several on one line, as some actions take them."""
        for word in re.split(r"[\s,]+", value.strip())[:20]:
            if found := _POINT.fullmatch(word):
                self.points.add(subject, found[1], finding)
                if subject == "torch" and found[2]:
                    self._versions("cuda", found[2], finding)
            elif (short := _SHORT.fullmatch(word)) and subject != "torch":
                digits = [part for part in short.groups() if part]
                if subject == "cuda" and short[2] and len(short[2]) == 2:
                    digits = [short[1] + short[2][0], short[2][1]]
                self.points.add(subject, ".".join(digits), finding)

    def _script(self, name: str, node: Scalar) -> None:
        """What the steps install: single releases of torch and its builds, and Debian packages."""
        self._scripts += 1
        if self._scripts > MOST_SCRIPTS:
            return
        shell = Shell(self.tree, self.own)
        first = yaml.first_line(node)
        last = first if node.style not in {"|", ">"} else first + node.value.count("\n")
        shell.read(written_lines(node.value), Voice(name, lambda line: min(first + line - 1, last)))
        self.points.add_bounds(shell.found)
        self.system += shell.found.system


def _is_aside(key: str, node: Mapping) -> bool:
    """A job for something else than testing, or on another system than Linux."""
    if not _JOB_KEYS & set(node.table):
        return False
    own = [key, yaml.text_of(yaml.get(node, "name")), yaml.text_of(yaml.get(node, "runs-on"))]
    return any(one and "${{" not in one and _ASIDE.search(one) for one in own)
