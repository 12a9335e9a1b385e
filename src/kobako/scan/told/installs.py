"""What an install command asks for, as it was told to a person or to a machine of the authors'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from kobako.model.finding import Finding
from kobako.model.recipe import Command, Word
from kobako.model.requirement import Bound, Other, Requirement, SystemPackage
from kobako.scan.declaring import conda_specs, wheel_urls
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.spelling import normalised
from kobako.scan.told.manner import Manner
from kobako.scan.told.places import Spot, Walk, known_package

ITSELF = "the repository itself, which is mounted into the container"
_HOLE_WHY = "a placeholder, which only the reader of the text can fill"
_PROSE = """
the to and or for with in of a an is it its this that from you your if then via by on as be can will before after using
use into at we should command commands again
"""
_STOP = frozenset(_PROSE.split())
_TOOLS = {
    **dict.fromkeys(
        ("pip", "setuptools", "wheel", "virtualenv", "pipenv", "poetry", "pdm", "hatch", "conda", "uv"),
        "a tool that installs",
    ),
    **dict.fromkeys(
        ("openmim", "mim", "light-the-torch", "build", "twine", "pipx", "pip-tools"), "a tool that installs"
    ),
    **dict.fromkeys(
        ("pytest", "pytest-cov", "tox", "nox", "flake8", "pylint", "mypy", "ruff", "codecov", "coverage"), "for tests"
    ),
    **dict.fromkeys(
        ("black", "isort", "yapf", "pre-commit", "autopep8", "docformatter", "bump2version"), "for development"
    ),
    **dict.fromkeys(("sphinx", "mkdocs", "sphinx-rtd-theme", "myst-parser", "recommonmark", "nbdev"), "for documents"),
}
_PEOPLE = frozenset(
    {"ipdb", "pudb", "gpustat", "nvitop", "jupyter", "jupyterlab", "notebook", "ipykernel", "ipython", "ipywidgets"}
)
"""Packages that people work with; no training needs them."""
_FAMILY = frozenset({"torch", "torchvision", "torchaudio"})
_HOST = re.compile(r"nvidia-(?:driver|docker|container|384|4\d\d|5\d\d)\S*|docker\S*|containerd\S*|linux-headers\S*")
_CUDA_DEB = re.compile(r"cuda(?:-(?:[a-z]+(?:-dev)?))?(?:-(\d+)-(\d+))?|libcudnn\S*|libnccl\S*")
_FOR_PEOPLE = re.compile(
    r"(?:lib)?python-?[\d.]*(?:-[\w.+-]+)?|pypy\S*|sudo|vim|neovim|nano|emacs|tmux|screen|htop|iotop|bmon|iftop|iputils-ping|net-tools|man-db|xfce4\S*|xterm"
    r"|bash|bash-completion|debconf|zsh|less|tree|git|wget|curl|unzip|zip|rsync|openssh-\S+|software-properties-common|apt-transport-https|ca-certificates|gnupg\d?|lsb-release|apt-utils|locales|tzdata"
)
_PACKAGE_URL = re.compile(
    r"^(?:git|hg|svn|bzr)\+|\.git\b|\.(?:whl|zip|tgz|tar\.\w+)(?:[?#]|$)|/(?:archive|tarball|zipball)/", re.IGNORECASE
)
_TIED = re.compile(r"-cp\d+-\S+_\S+\.whl$")
_LOCAL = re.compile(r"(==\s*\d[\w.]*)\+[\w.-]+")
MOST = 400
"""Packages that are taken from one command."""


def why_no_need(package: str) -> str:
    """Why no container needs a Debian package; "" for one that it may need."""
    if _CUDA_DEB.fullmatch(package):
        return "CUDA comes with the base image"
    if _HOST.fullmatch(package):
        return "for the host, not for the container"
    return "the base image has a Python; the rest is for people" if _FOR_PEOPLE.fullmatch(package) else ""


@dataclass
class Installs:
    """Collects from install commands. ``walk`` knows where the shell stands and by which names the repository goes."""

    walk: Walk
    found: Declared = field(default_factory=Declared)

    def take(self, command: Command, finding: Finding, manner: Manner) -> None:
        if manner.why:
            self.found.others.append(Other(finding.text, manner.why, (finding,)))
            return
        end = _prose(command)
        if command.manager == "apt":
            self._apt(command, finding, (manner, end))
        elif command.manager == "conda":
            self._conda(command, finding, (manner, end))
        else:
            self._pip(command, finding, (manner, end))

    def direct(self, spot: Spot, finding: Finding, manner: Manner, extras: str = "") -> None:
        """What is installed from a folder: the repository itself, a part of it, or a clone of another one."""
        if spot.clone is None:
            why = f"built from the repository's folder {spot.path}: run it in the container" if spot.path else ITSELF
            self.found.others.append(Other(finding.text, why, (finding,)))
            return
        name, url = spot.package()
        self._require(f"{name}{extras} @ {url}" if url else f"{name}{extras}", finding, manner)

    def other(self, what: str, why: str, finding: Finding) -> None:
        self.found.others.append(Other(what, why, (finding,)))

    def bounds(self, text: str, finding: Finding) -> None:
        """What addresses and pinned builds in a text tell about torch, CUDA and Python."""
        self.found.merge(wheel_urls.bounds(text, finding))

    def _pip(self, command: Command, finding: Finding, how: tuple[Manner, int]) -> None:
        manner, end = how
        self.bounds(" ".join(word.text.strip("\"'") for word in command.words if word.span.start < end), finding)
        for package in command.packages[:MOST]:
            if package.word.span.start >= end:
                continue
            if package.word.value is None or _has_hole(package.text):
                self._holed(package.text, finding, manner)
            else:
                self._require(package.text, finding, manner)
        for option, value in _sources(command, end):
            self._source(option, value, finding, manner)
        for word in command.dynamic:
            if word.span.start < end:
                self.other(word.text, _HOLE_WHY, finding)

    def _holed(self, text: str, finding: Finding, manner: Manner) -> None:
        """``torch==$TORCH`` needs torch; of ``spconv-cuXXX`` not even the name is known."""
        name = _named_part(text)
        if name and not _has_hole(name):
            self._require(name, finding, manner)
            self.other(text, f"{_HOLE_WHY}; the name alone is taken", finding)
        else:
            self.other(text, _HOLE_WHY, finding)

    def _source(self, option: str, value: str, finding: Finding, manner: Manner) -> None:
        if option in {"-r", "--requirement", "--requirements", "-c", "--constraint", "--group", "--file"}:
            why = "on another machine: not read" if "://" in value else "a file that is named; it speaks for itself"
            self.other(value, why, finding)
        elif "://" in value:
            self._url(value, finding, manner)
        elif (
            (bare := value.strip(",.;:"))
            and re.fullmatch(r"[A-Za-z][\w-]*", bare)
            and option not in {"-e", "--editable"}
        ):
            if bare != value:  # an enumeration, as prose has it
                self._require(bare, finding, manner)
        elif value.lower().endswith((".whl", ".zip", ".gz", ".bz2", ".deb")):
            self.other(value, "a file that the text expects to be there", finding)
        else:
            path, bracket, extras = value.partition("[")
            self.direct(self.walk.spot(path or "."), finding, manner, bracket + extras)

    def _url(self, value: str, finding: Finding, manner: Manner) -> None:
        wheel = unquote(urlsplit(value).path.rsplit("/", 1)[-1])
        name, _, rest = wheel.partition("-")
        if _TIED.search(wheel) and normalised(name) in _FAMILY:  # tied to a Python: the version is what was meant
            self._require(f"{name}=={rest.partition('-')[0]}", finding, manner)
        elif self.walk.own.has_address(value.partition("#")[0]):
            self.other(value, ITSELF, finding)
        elif not _PACKAGE_URL.search(value):
            self.other(value, "an address that names no package", finding)
        else:
            self._require(value, finding, manner)

    def _conda(self, command: Command, finding: Finding, how: tuple[Manner, int]) -> None:
        manner, end = how
        asked = Declared()
        for package in command.packages[:MOST]:
            if package.word.span.start >= end:
                continue
            if package.word.value is None or _has_hole(package.text):
                self.other(package.text, _HOLE_WHY, finding)
            elif self.walk.own.has_name(package.name):
                self.other(package.text, ITSELF, finding)
            else:
                conda_specs.add(asked, package.text, finding)
        for option, value in _sources(command, end):
            if option in {"--file", "-f"}:
                self.other(value, "a file that is named; it speaks for itself", finding)
        requirements, asked.requirements = asked.requirements, []
        asked.others += [Other(finding.text, problem.why or problem.what, (finding,)) for problem in asked.problems]
        asked.problems = []
        self.found.merge(asked)
        for one in requirements:
            self._keep(one, finding, manner)

    def _apt(self, command: Command, finding: Finding, how: tuple[Manner, int]) -> None:
        manner, end = how
        for package in command.packages[:MOST]:
            if package.word.span.start >= end or _has_hole(package.text):
                continue
            if cuda := _CUDA_DEB.fullmatch(package.name):
                if cuda[1]:
                    self.found.cuda.append(Bound(f"=={cuda[1]}.{cuda[2]}.*", (finding,), firm=False))
                self.other(package.name, "CUDA comes with the base image", finding)
            elif why := why_no_need(package.name):
                self.other(package.name, why, finding)
            elif manner.optional:
                self.other(package.name, "a Debian package that is told as optional", finding)
            else:
                self.found.system.append(SystemPackage(package.name, f"{finding.file} installs it", (finding,)))

    def _require(self, text: str, finding: Finding, manner: Manner) -> None:
        if not text:
            return
        asked = Declared()
        one = asked.understand(_LOCAL.sub(r"\1", text), finding)
        if one is not None and one.url and (known := known_package(one.url)):
            one = replace(one, name=known, url=None)
        self.found.questions += asked.questions
        self.found.others += asked.others
        if one is None:
            self.found.others += [Other(text, problem.why or problem.what, (finding,)) for problem in asked.problems]
        else:
            self._keep(one, finding, manner)

    def _keep(self, one: Requirement, finding: Finding, manner: Manner) -> None:
        if one.name in _TOOLS:
            self.other(str(one), _TOOLS[one.name], finding)
        elif self.walk.own.has_name(one.name):
            self.other(str(one), ITSELF, finding)
        else:
            if one.name == "torch" and one.specifier:
                self.found.torch.append(Bound(one.specifier, (finding,), firm=False))
            optional = manner.optional or one.name in _PEOPLE
            self.found.requirements.append(replace(one, origin="readme", optional=optional))


def _prose(command: Command) -> int:
    """Where a sentence goes on after its command: ``pip install foo and then ...``."""
    last = max((word.span.end for word in command.words), default=0) + 1
    return min(
        (word.span.start for word in command.words[2:] if word.text.lower().strip(",.:;") in _STOP), default=last
    )


def _sources(command: Command, end: int) -> Iterator[tuple[str, str]]:
    """What is installed besides named packages: the option before it ("" for none), and its value."""
    before: dict[Word, str] = {}
    for one, word in zip((None, *command.options), command.options, strict=False):
        shown = word.text.strip("\"'")
        if shown.startswith("-"):
            before[word] = shown.partition("=")[0] if shown.startswith("--") else shown[:2]
        elif one is not None:
            before[word] = one.text.strip("\"'").split("=")[0]
    for word in command.sources:
        value = word.value
        if value is None or word.span.start >= end:
            continue
        option = before.get(word, "")
        if value.startswith("-"):  # the option holds its value: --requirement=x, -rx
            value = value.partition("=")[2] if value.startswith("--") else value[2:]
        elif option.startswith("-") and not option.startswith("--"):
            option = f"-{option[-1]}"  # -ve .
        if value:
            yield option, value


def _has_hole(text: str) -> bool:
    return re.search(r"[$<>{}]\w*[}>]|\$|[{}]|\bx\.[xyz]\b|[xX]{3}|==\s*[a-zA-Z]", text) is not None


def _named_part(text: str) -> str:
    found = re.match(r"[\"']?([A-Za-z0-9][\w.-]*(?:\[[\w,. -]+\])?)", text)
    return found[1] if found else ""
