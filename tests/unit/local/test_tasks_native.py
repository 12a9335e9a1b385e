"""Which RUN the engine does itself, and what a shell in the sandbox gets of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.engines.local.pip import Install
from kobako.engines.local.work import Floor, Native, Nothing, Part, Script, System, Zone
from unit.local.walked import native, script, task, walk

GOLDEN = Path(__file__).parents[2] / "golden/plan"
APT = "apt-get update && apt-get install -y"


def shown(part: Part) -> str:
    if isinstance(part, Install):
        return " ".join(part.arguments)
    if isinstance(part, System):
        return "apt " + " ".join(part.packages)
    return f"zone {part.name}" if isinstance(part, Zone) else type(part).__name__.lower()


@pytest.mark.parametrize(
    ("run", "parts"),
    [
        ("pip install six", ["six"]),
        ("pip install six && pip install numpy", ["six", "numpy"]),
        ("pip install six; pip install numpy", ["six", "numpy"]),
        ("pip install six \\\n  # a comment\n  numpy", ["six numpy"]),
        ("pip install six && pip cache purge", ["six", "nothing"]),
        (f"{APT} git g++ && rm -rf /var/lib/apt/lists/*", ["nothing", "apt git g++", "nothing"]),
        (
            f"{APT} --no-install-recommends libc6:i386 git=1:2.* && apt-get clean",
            ["nothing", "apt libc6 git", "nothing"],
        ),
        ("DEBIAN_FRONTEND=noninteractive apt-get install -yq git", ["apt git"]),
        ("ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime", ["zone Asia/Tokyo"]),
        ("ln -sf python3 /usr/bin/python", ["nothing"]),
        ("ln -s /usr/bin/python3.8 /usr/local/bin/python", ["nothing"]),
        ("--mount=type=cache,target=/root/.cache pip install six", ["six"]),
        ("--mount=type=tmpfs,target=/x --network=default pip install six", ["six"]),
        ('["pip", "install", "six"]', ["six"]),
        ('["python3", "-m", "pip", "install", "six; python_version > \\"3\\""]', ['six; python_version > "3"']),
    ],
)
def test_native(run: str, parts: list[str]) -> None:
    assert [shown(part) for part in native(f"RUN {run}").parts] == parts


@pytest.mark.parametrize(
    "run",
    [
        "make",
        "pip install six && make",
        "pip install six || true",
        "pip install six | tee log",
        "pip list | xargs pip install",
        "pip install six & pip install numpy",
        "! pip install six",
        "(pip install six)",
        "{ pip install six; }",
        "if true; then pip install six; fi",
        "for one in a b; do pip install $one; done",
        "while false; do pip install six; done",
        "f() { pip install six; }; f",
        "pip install six > log",
        "pip install six 2>/dev/null",
        "pip install $(cat list)",
        "pip install `cat list`",
        "pip install -r <(echo six)",
        "cat list | pip install -r /dev/stdin",
        "cd /a && pip install .",
        "set -ex && pip install six",
        "export A=1 && pip install six",
        "A=six && pip install $A",
        "git clone https://a/b && pip install ./b",
        "pip uninstall -y six",
        "pip download six",
        "pip install --target /x six",
        "apt-get install -y ./a.deb",
        "apt-get install -y $(cat list)",
        "apt-get remove -y git",
        "rm -rf /var/lib/apt/lists/* /opt/x",
        "rm -rf /var/lib/apt/lists/../../x",
        "ln -sf /usr/share/zoneinfo/$Z/x /etc/localtime",
        "ln -sf /usr/bin/python3.8 /usr/bin/python3",
        "cp /usr/share/zoneinfo/UTC /etc/timezone",
        "pip install {six,numpy}",
        "pip install ./dist/*.whl",
        "pip install -r $HOME/r.txt",
        "pip install -r $PWD/r.txt",
        "pip install ~/x",
        "pip install ${A:-six}",
        "pip install 'six",
        '["sh", "-c", "pip install six"]',
    ],
)
def test_script(run: str) -> None:
    does = task(f"RUN {run}").does
    assert isinstance(does, Script), does


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("ARG V=1.0\nRUN pip install six==$V", ["six==1.0"]),
        ("ARG V=1.0\nRUN pip install six==${V}", ["six==1.0"]),
        ('ENV V=1.0\nRUN pip install "six==$V"', ["six==1.0"]),
        ("ARG U=https://a\nRUN pip install -i $U/simple six", ["--index-url https://a/simple six"]),
        ("ARG A=six\nRUN B=$A pip install $A", ["six"]),
        ("ARG P=git\nRUN apt-get install -y $P", ["apt git"]),
        ("ARG Z=Asia/Tokyo\nRUN ln -sf /usr/share/zoneinfo/$Z /etc/localtime", ["zone Asia/Tokyo"]),
    ],
)
def test_values_are_put_in_where_that_needs_no_shell(body: str, parts: list[str]) -> None:
    assert [shown(part) for part in native(body).parts] == parts


@pytest.mark.parametrize(
    "body",
    [
        "ENV A='six numpy'\nRUN pip install $A",  # a shell splits it
        "ENV A='*.whl'\nRUN pip install $A",
        "ENV A=six\nRUN pip install '$A'",
        "ENV A=six\nRUN A=numpy && pip install $A",
    ],
)
def test_values_that_only_a_shell_can_put_in(body: str) -> None:
    does = task(body).does
    assert isinstance(does, Script | Native)
    assert isinstance(does, Script) or [shown(part) for part in does.parts] == ["$A"]


def test_an_unset_variable_is_no_word() -> None:
    """A shell drops it. So may the engine, or leave the command to a shell."""
    for body in ("RUN pip install $NOT_SET six", "ARG E=\nRUN pip install $E six"):
        does = task(body).does
        assert isinstance(does, Script) or (isinstance(does, Native) and [shown(one) for one in does.parts] == ["six"])


SH = ("/bin/sh", "-c")


@pytest.mark.parametrize(
    ("body", "argv"),
    [
        ("RUN make all", (*SH, "make all")),
        ("RUN make \\\n  # comment\n  all", (*SH, "make   all")),
        ('RUN ["make", "$A b"]', ("make", "$A b")),
        ('SHELL ["/bin/bash", "-euo", "pipefail", "-c"]\nRUN make', ("/bin/bash", "-euo", "pipefail", "-c", "make")),
        ("RUN <<EOF\nmake\nmake all\nEOF", (*SH, "make\nmake all\n")),
        ("RUN <<'EOF'\necho $A\nEOF", (*SH, "echo $A\n")),
        ('RUN <<"EOF"\necho $A\nEOF', (*SH, "echo $A\n")),
        ("RUN <<-EOF\n\tif x; then\n\t\ty\n\tfi\n\tEOF", (*SH, "if x; then\ny\nfi\n")),
        ("RUN <<EOF\n\techo\nEOF", (*SH, "\techo\n")),
        ("RUN <<EOF.1\nmake\nEOF.1", (*SH, "make\n")),
        ('SHELL ["/bin/bash", "-c"]\nRUN <<EOF\nmake\nEOF', ("/bin/bash", "-c", "make\n")),
        ("RUN cat <<EOF > /a\nb\nEOF", (*SH, "cat <<EOF > /a\nb\nEOF\n")),
        ("RUN cat <<EOF > /a\nb\nEOF\nRUN x", (*SH, "x")),
        ("RUN bash -ex <<EOF\nb\nEOF", (*SH, "bash -ex <<EOF\nb\nEOF\n")),
        ("RUN <<A cat && cat <<B\na\nA\nb\nB", (*SH, "<<A cat && cat <<B\na\nA\nb\nB\n")),
    ],
)
def test_what_the_shell_gets(body: str, argv: tuple[str, ...]) -> None:
    *found, last = script(body).argv
    *wanted, text = argv
    assert (found, last.rstrip("\n")) == (wanted, text.rstrip("\n"))


def test_a_heredoc_with_an_interpreter_of_its_own() -> None:
    argv = script("RUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF").argv
    assert argv[:2] == SH
    assert argv[-1] == "#!/usr/bin/env python3\nprint(1)\n"


def test_installs_in_a_heredoc_run_in_a_shell() -> None:
    for body in ("RUN <<EOF\npip install six\nEOF", "RUN pip install -r /dev/stdin <<EOF\nsix\nEOF"):
        assert isinstance(task(body).does, Script)


@pytest.mark.parametrize(("flag", "network"), [("", True), ("--network=none", False), ("--network=host", True)])
def test_network(flag: str, network: bool) -> None:
    assert script(f"RUN {flag} make").network is network


@pytest.mark.parametrize(
    ("flags", "mounts"),
    [
        ("", ()),
        ("--mount=type=cache,target=/root/.cache", (("cache", "/root/.cache"),)),
        (
            "--mount=type=cache,dst=c --mount=type=cache,id=x,destination=/d/../e,sharing=locked",
            (("cache", "/w/c"), ("cache", "/e")),
        ),
        ("--mount=type=cache,target=$HERE", (("cache", "/here"),)),
        ("--mount=type=tmpfs,target=/t", (("tmpfs", "/t"),)),  # nothing of it is kept
    ],
)
def test_folders_that_are_not_part_of_it(flags: str, mounts: tuple[tuple[str, str], ...]) -> None:
    assert script(f"ENV HERE=/here\nWORKDIR /w\nRUN {flags} make").mounts == mounts


def test_another_shell_than_a_posix_one() -> None:
    assert isinstance(task('SHELL ["/usr/bin/python3", "-c"]\nRUN pip install six').does, Script)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.Dockerfile")), ids=lambda path: path.stem)
def test_what_kobako_writes_needs_no_shell(path: Path) -> None:
    found = walk(path.read_text(encoding="utf-8")).tasks
    scripts = [one.does.argv[-1].split()[0] for one in found if isinstance(one.does, Script)]
    assert scripts == []
    parts = [part for one in found if isinstance(one.does, Native) for part in one.does.parts]
    listings = [part for part in parts if isinstance(part, Floor)]
    assert listings[0] == Floor()
    assert listings[1:] in ([], [Floor(by_now=True)])
    assert sum(isinstance(part, Zone) for part in parts) == 1
    assert any(isinstance(part, Nothing) for part in parts)
    assert any(isinstance(part, Install) and "clearml-agent" in part.names for part in parts)
