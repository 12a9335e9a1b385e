"""Dockerfiles that both engines build, each with what is to be seen afterwards. ``engines.recipes_commands`` has more.

A row whose recipe names no base starts FROM ``BASE``: its first line is then line 2.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.wheels import write_wheel

BASE = "python:3.11-slim"
UNKNOWN = "example.com/odd:1"
"""A name that says nothing about what is in it."""

STAYS = '["sh", "-c", "while sleep 1000; do :; done"]'


class Refusal(NamedTuple):
    """An error or a warning, by its code and the line of the Dockerfile."""

    code: str
    line: int


class Row(NamedTuple):
    """``probe`` is given to a shell inside, which must end well and print ``out``.

    ``args`` are the build's arguments, ``hints`` what ``x-kobako.base`` says; ``command`` "" leaves it to the image.
    ``fails``: on either engine. ``refused`` and ``warns``: by the local engine alone. ``shell`` is the first line that
    cannot be done without a sandbox, ``docker`` whether Docker can do it here: it would need a mirror or a registry.
    """

    name: str
    recipe: str
    probe: str = "true"
    out: str = ""
    files: Mapping[str, str | bytes] = {}
    args: Mapping[str, str] = {}
    hints: Mapping[str, str] = {}
    command: str = STAYS
    fails: Refusal | None = None
    refused: Refusal | None = None
    warns: Refusal | None = None
    shell: int = 0
    docker: bool = True

    @property
    def text(self) -> str:
        """The whole Dockerfile."""
        return self.recipe if "from " in self.recipe.lower() else f"FROM {BASE}\n{self.recipe}"


SIX = 'python3 -c "import six; print(six.__version__)"'
TINY = 'python3 -c "import kobako_tiny; print(kobako_tiny.__version__)"'
BOTH = "python3 -c \"from importlib.metadata import version as v; print(v('six'), v('toml'))\""
PROJECT = {
    "pyproject.toml": '[project]\nname = "small"\nversion = "3.1"\n\n[tool.setuptools]\npy-modules = ["small"]\n',
    "small.py": "WHERE = __file__\n",
}
SMALL = {f"small/{name}": text for name, text in PROJECT.items()}


def _wheel() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_wheel(Path(folder), "kobako-tiny", "7.0").read_bytes()


def archive(files: Mapping[str, str]) -> bytes:
    """A source distribution, as it is on the index."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"small-3.1/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


WHEELS = {"wheels/kobako_tiny-7.0-py3-none-any.whl": _wheel()}

INSTALLS = (
    Row("one package", "RUN pip install six==1.15.0\n", SIX, "1.15.0"),
    Row(
        "pip's options",
        "RUN pip install --no-cache-dir --use-deprecated=legacy-resolver -U --pre --no-deps six==1.15.0\n",
        SIX,
        "1.15.0",
    ),
    Row("python -m pip", "RUN python -m pip install -q six==1.15.0\n", SIX, "1.15.0"),
    Row("python3 -m pip", "RUN python3 -m pip install six==1.15.0\n", SIX, "1.15.0"),
    Row("pip3", "RUN pip3 install six==1.15.0\n", SIX, "1.15.0"),
    Row("uv", "RUN pip install uv\nRUN uv pip install --system --break-system-packages six==1.15.0\n", SIX, "1.15.0"),
    Row("several in one", "RUN pip install six==1.15.0 && pip install toml==0.10.1\n", BOTH, "1.15.0 0.10.1"),
    Row("one after the other", "RUN pip install six==1.15.0; pip install toml==0.10.1\n", BOTH, "1.15.0 0.10.1"),
    Row(
        "lines, comments and quotes",
        "RUN pip install \\\n    # the old one\n    'six<1.16' \\\n\n    \"toml==0.10.1\"\n",
        BOTH,
        "1.15.0 0.10.1",
    ),
    Row("leading assignments", "RUN MMCV_WITH_OPS=1 FORCE_CUDA=1 pip install six==1.15.0\n", SIX, "1.15.0"),
    Row(
        "a later one replaces",
        "RUN pip install six==1.15.0\nRUN pip install -U 'six==1.16.0'\n",
        SIX,
        "1.16.0",
    ),
    Row("kept where it will do", "RUN pip install six==1.15.0\nRUN pip install 'six>=1.10'\n", SIX, "1.15.0"),
    Row("pip itself", "RUN pip install --upgrade pip setuptools wheel && pip install six==1.15.0\n", SIX, "1.15.0"),
    Row(
        "options behind",
        "COPY wheels /wheels\nRUN pip install kobako-tiny --find-links=/wheels --no-index\n",
        TINY,
        "7.0",
        files=WHEELS,
    ),
    Row("short options together", "RUN pip -q install -qU six==1.15.0\n", SIX, "1.15.0"),
    Row("pip as JSON", 'RUN ["pip", "install", "six==1.15.0"]\n', SIX, "1.15.0"),
    Row(
        "two lists",
        "COPY a.txt b.txt /tmp/\nRUN pip install -r/tmp/a.txt --requirement=/tmp/b.txt\n",
        BOTH,
        "1.15.0 0.10.1",
        files={"a.txt": "six==1.15.0\n", "b.txt": "toml==0.10.1\n"},
    ),
    Row(
        "a variable of pip in front",
        "COPY wheels /wheels\nRUN PIP_FIND_LINKS=/wheels PIP_NO_INDEX=1 pip install kobako-tiny\n",
        TINY,
        "7.0",
        files=WHEELS,
    ),
    Row(
        "DEBIAN_FRONTEND",
        "RUN DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bash && pip install six==1.15.0\n",
        SIX,
        "1.15.0",
    ),
    Row("a cache mount", "RUN --mount=type=cache,target=/root/.cache/pip pip install six==1.15.0\n", SIX, "1.15.0"),
    Row("an argument", "ARG V=1.15.0\nRUN pip install six==${V}\n", SIX, "1.15.0"),
    Row("an argument from Compose", "ARG V=1.16.0\nRUN pip install six==$V\n", SIX, "1.15.0", args={"V": "1.15.0"}),
    Row(
        "a global argument",
        "ARG TAG=3.11-slim\nARG V=1.15.0\nFROM python:${TAG}\nARG V\nRUN pip install six==${V}\n",
        SIX,
        "1.15.0",
    ),
    Row("an argument, then a variable", "ARG V=1.16.0\nENV V=1.15.0\nRUN pip install six==$V\n", SIX, "1.15.0"),
    Row(
        "a variable, then an argument",
        "ENV V=1.15.0\nARG V=1.16.0\nRUN pip install six==$V\n",
        f'echo "$V"; {SIX}',
        "1.15.0\n1.16.0",
    ),
    Row(
        "a variable, then an argument without a value", "ENV V=1.15.0\nARG V\nRUN pip install six==$V\n", SIX, "1.15.0"
    ),
    Row(
        "requirements",
        "COPY requirements.txt more.txt /tmp/\nRUN pip install -r /tmp/requirements.txt\n",
        BOTH,
        "1.15.0 0.10.1",
        files={"requirements.txt": "six==1.15.0\n-r more.txt\n", "more.txt": "toml==0.10.1\n"},
    ),
    Row(
        "requirements where one works",
        "WORKDIR /work\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\n",
        SIX,
        "1.15.0",
        files={"requirements.txt": "six==1.15.0  # old\n"},
    ),
    Row(
        "constraints",
        "COPY c.txt /tmp/\nRUN pip install -c /tmp/c.txt six\n",
        SIX,
        "1.15.0",
        files={"c.txt": "six<1.16\n"},
    ),
    Row(
        "constraints in a variable",
        "COPY c.txt /tmp/\nENV PIP_CONSTRAINT=/tmp/c.txt\nRUN pip install six\n",
        SIX,
        "1.15.0",
        files={"c.txt": "six<1.16\n"},
    ),
    Row(
        "a folder of wheels",
        "COPY wheels /wheels\nRUN pip install --no-index -f /wheels kobako-tiny\n",
        TINY,
        "7.0",
        files=WHEELS,
    ),
    Row(
        "a wheel",
        "COPY wheels/*.whl /tmp/\nRUN pip install --no-index /tmp/kobako_tiny-7.0-py3-none-any.whl\n",
        TINY,
        "7.0",
        files=WHEELS,
    ),
    Row(
        "pip's own variables",
        "COPY wheels /wheels\nENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels\nRUN pip install kobako-tiny\n",
        TINY,
        "7.0",
        files=WHEELS,
    ),
    Row(
        "nothing for this Python",
        "RUN pip install 'six; python_version < \"3\"' toml==0.10.1\n",
        'python3 -c "import toml; print(toml.__version__)"',
        "0.10.1",
    ),
    Row(
        "a base by its alias",
        f"FROM --platform=linux/amd64 {BASE} AS train\nRUN pip install six==1.15.0\n",
        SIX,
        "1.15.0",
    ),
    Row(
        "a base that hints make known",
        f"FROM {UNKNOWN}\nRUN pip install six==1.15.0\n",
        SIX,
        "1.15.0",
        hints={"python": "3.11"},
    ),
    Row(
        "metadata",
        'LABEL a=b "c d"="e"\nMAINTAINER me\nEXPOSE 80/tcp\nSTOPSIGNAL SIGTERM\nHEALTHCHECK NONE\nVOLUME /data\n',
        "echo there",
        "there",
    ),
    Row(
        "a package that is not there",
        "RUN pip install six==1.15.0\nRUN pip install no-such==9\n",
        fails=Refusal("build-failed", 3),
    ),
)
"""Nothing here needs a sandbox, and the probes look at no file of the image."""

SETTINGS = (
    Row(
        "variables",
        "ENV A=1\nENV A=2 B=$A C=\"x 'y' z\" D=a\\ b\nENV E $B f\n",
        'echo "$A,$B,$C,$D,$E"',
        "2,1,x 'y' z,a b,1 f",
    ),
    Row("what a variable's words expand to", "ENV A=${X:-none} B=${A:+some} C='$A'\n", 'echo "$A,$B,$C"', "none,,$A"),
    Row("variables of any name", "ENV fd=7 folder=/nope\nWORKDIR /tmp\n", 'echo "$fd,$folder"; pwd', "7,/nope\n/tmp"),
    Row("other letters", 'ENV A="日本 語" B=é\n', 'echo "$A,$B"', "日本 語,é"),
    Row("arguments are gone later", "ARG A=1\nENV B=$A\n", 'echo "${A:-gone},$B"', "gone,1"),
    Row("an argument nobody asked for", "FROM python:3.11-slim\nENV B=x$A\n", 'echo "$B"', "x", args={"A": "1"}),
    Row(
        "a longer PATH",
        "ENV PATH=/opt/tool/bin:$PATH\n",
        'case "$PATH" in */opt/tool/bin:*/usr/bin*) echo both;; esac',
        "both",
    ),
    Row("working directories", "ENV D=deep\nWORKDIR /a\nWORKDIR b/$D\n", "pwd", "/a/b/deep"),
    Row(
        "a working directory is made", "WORKDIR /made/here\nWORKDIR /tmp\n", "ls -d /made/here; pwd", "/made/here\n/tmp"
    ),
    Row(
        "a command",
        'CMD ["sh", "-c", "echo $0 > /said; exec sleep 1000", "one"]\n',
        "sleep 0.5; cat /said",
        "one",
        command="",
    ),
    Row(
        "an entrypoint",
        'ENTRYPOINT ["sh", "-c", "echo $0 $1 > /said; exec sleep 1000"]\nCMD ["one", "two"]\n',
        "sleep 0.5; cat /said",
        "one two",
        command="",
    ),
    Row(
        "an entrypoint and Compose's command",
        'ENTRYPOINT ["sh", "-c", "echo $0 $1 > /said; exec sleep 1000"]\nCMD ["one", "two"]\n',
        "sleep 0.5; cat /said",
        "three four",
        command="three four",
    ),
    Row(
        "a command for a shell",
        "ENV WHO=me\nCMD echo $WHO > /said; exec sleep 1000\n",
        "sleep 0.5; cat /said",
        "me",
        command="",
    ),
)

FILES = (
    Row("a file", "COPY a.txt /opt/b.txt\n", "cat /opt/b.txt", "A", files={"a.txt": "A"}),
    Row("a file into a folder", "WORKDIR /w\nCOPY a.txt sub/\n", "cat /w/sub/a.txt", "A", files={"a.txt": "A"}),
    Row(
        "several files",
        "COPY a.txt b.txt /opt/\n",
        "cat /opt/a.txt /opt/b.txt",
        "AB",
        files={"a.txt": "A", "b.txt": "B"},
    ),
    Row(
        "a folder's content",
        "COPY dir /opt/\n",
        "cd /opt && cat a.txt d/b.txt",
        "AB",
        files={"dir/a.txt": "A", "dir/d/b.txt": "B"},
    ),
    Row(
        "a pattern",
        "COPY *.txt conf?.d /opt/\n",
        "cd /opt && cat *.txt c",
        "ABC",
        files={"a.txt": "A", "b.txt": "B", "conf1.d/c": "C", "d.md": ""},
    ),
    Row("names with spaces", 'COPY ["a b.txt", "/opt/c d/"]\n', "cat '/opt/c d/a b.txt'", "A", files={"a b.txt": "A"}),
    Row("a name from an argument", "ARG N=a\nCOPY ${N}.txt /opt/$N/\n", "cat /opt/a/a.txt", "A", files={"a.txt": "A"}),
    Row(
        "everything", "WORKDIR /w\nCOPY . .\n", "cd /w && cat a.txt d/b.txt", "AB", files={"a.txt": "A", "d/b.txt": "B"}
    ),
    Row(
        "permissions and owner",
        "COPY --chmod=755 --chown=1000:1000 tool /opt/\n",
        "/opt/tool",
        "ran",
        files={"tool": "#!/bin/sh\necho ran\n"},
    ),
    Row(
        "a program of one's own",
        "COPY --chmod=755 tool /usr/local/bin/\n",
        "tool",
        "ran",
        files={"tool": "#!/bin/sh\necho ran\n"},
    ),
    Row("ADD of a file", "ADD a.txt /root/\n", "cat ~/a.txt", "A", files={"a.txt": "A"}),
    Row(
        "what .dockerignore leaves out",
        "COPY . /w/\n",
        "cd /w && find . -type f | sort | tr '\\n' ' '",
        "./a.txt ./data/keep.csv ./deep/x.txt ",
        files={
            "a.txt": "",
            "b.log": "",
            "data/big.csv": "",
            "data/keep.csv": "",
            "deep/x.txt": "",
            "deep/y.log": "",
            ".dockerignore": "# no logs\n**/*.log\ndata/*\n!data/keep.csv\n.dockerignore\nDockerfile*\n",
        },
    ),
    Row("a file that is not there", "COPY nope.txt /opt/\n", fails=Refusal("build-failed", 2)),
    Row(
        "a file that .dockerignore leaves out",
        "COPY a.log /opt/\n",
        files={"a.log": "", ".dockerignore": "*.log\n"},
        fails=Refusal("build-failed", 2),
    ),
)
