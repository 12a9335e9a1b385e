"""What the shell is told can stand at the cursor. The shell itself is in tests/host."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from argcomplete.finders import CompletionFinder

from kobako.cli import complete, completion, main

COMPOSE = """\
services:
  web_box:
    image: x
    container_name: WebBox
  db:
    image: y
"""

At = Callable[[str], set[str]]


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    """What can stand at the end of a line, in a workspace with two services."""
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    monkeypatch.setenv("_ARGCOMPLETE_SUPPRESS_SPACE", "1")
    # it takes file descriptor 9, which is the shell's in earnest, and pytest's here
    monkeypatch.setattr(CompletionFinder, "_init_debug_stream", lambda _: None)

    def ask(line: str) -> set[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line.encode())))
        told = io.StringIO()
        assert complete.complete(main.VERBS, main._split, main._module, told) == 0
        return {word for word in told.getvalue().split("\013") if word}

    return ask


def test_verbs(at: At) -> None:
    assert at("kobako ") == at("kobako --json ") == at("kobako --engine docker ") == set(main.VERBS)
    assert at("kobako comp") == {"completion"}
    assert at("kobako nonsense ") == set()


def test_options(at: At) -> None:
    common = {"--help", "--workspace", "--engine", "--yes", "--verbose", "--quiet", "--no-color"}
    assert at("kobako --") == {*common, "--json", "--version"}
    assert at("kobako build --") == {*common, "--json", "--fresh", "--no-cache"}
    assert at("kobako logs --") == {*common, "--follow", "--tail", "--timestamps"}
    assert at("kobako exec --no-") == {"--no-tty", "--no-up", "--no-color"}
    assert at("kobako build --fr") == {"--fresh"}


def test_engines(at: At) -> None:
    for line in ("kobako --engine ", "kobako build --engine ", "kobako --json --engine ", "kobako train db --engine "):
        assert at(line) == {"docker", "local"}
    assert at("kobako build --engine=l") == {"--engine=local"}


@pytest.mark.parametrize("verb", ["build", "up", "stop", "rm", "ps", "logs", "exec", "shell", "train", "verify"])
def test_services_and_containers(at: At, verb: str) -> None:
    assert at(f"kobako {verb} ") == {"WebBox", "db", "web_box"}
    assert at(f"kobako -v --engine docker {verb} -q w") == {"web_box"}


def test_no_trace_is_left(at: At, tmp_path: Path) -> None:
    assert at("kobako build d") == {"db"}
    assert not (tmp_path / ".kobako").exists()
    (tmp_path / ".kobako").mkdir()
    assert at("kobako build d") == {"db"}


def test_services_are_not_offered_twice(at: At) -> None:
    assert at("kobako up db ") == {"WebBox", "web_box"}
    assert at("kobako ps --json db W") == {"WebBox"}
    assert at("kobako logs db ") == set()


def test_another_workspace(at: At, tmp_path: Path) -> None:
    (tmp_path / "folder" / "compose.yaml").write_text("services:\n  there:\n    image: z\n")
    assert at("kobako --workspace folder build ") == {"there"}
    assert at("kobako build --workspace folder ") == {"there"}


@pytest.mark.parametrize("text", [None, "services: [", "services:\n  a: {extends: {file: gone.yaml, service: x}}\n"])
def test_without_a_readable_compose_file_there_is_silence(
    at: At, text: str | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "compose.yaml").unlink()
    if text is not None:
        (tmp_path / "compose.yaml").write_text(text)
    assert at("kobako build ") == set()
    assert capfd.readouterr() == ("", "")


def test_what_is_for_the_program_inside(at: At) -> None:
    paths = {"compose.yaml", "folder/"}
    assert at("kobako exec db ") == at("kobako train db ") == at("kobako train db -- ") == paths
    assert at("kobako exec db --") == at("kobako exec -e A=b db -") == at("kobako train db -- --") == set()
    assert at("kobako train db --") == {
        "--workspace",
        "--engine",
        "--json",
        "--yes",
        "--verbose",
        "--quiet",
        "--no-color",
    }
    assert at("kobako train -e A=b ") == {"WebBox", "db", "web_box"}


def test_files(at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder" / "one").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert at("kobako init ") == {"compose.yaml", "folder/"}
    assert at("kobako init .h") == {".hidden"}
    assert at("kobako init folder/") == {"folder/one"}
    assert at("kobako init ~/f") == {"~/folder/"}
    assert at("kobako completion ") == set(completion.SHELLS)


def test_a_folder_that_cannot_be_read_is_no_error_of_the_person(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_LINE", "kobako init gone/")
    monkeypatch.setenv("COMP_POINT", "17")
    told = io.StringIO()
    assert complete.complete(main.VERBS, main._split, main._module, told) == 1
    assert told.getvalue() == ""


def test_every_verb_can_be_completed(at: At) -> None:
    for verb in main.VERBS:
        assert "--workspace" in at(f"kobako {verb} --")


def test_the_shell_s_call_is_told_from_a_person_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete, "complete", lambda *_: 42)
    monkeypatch.delenv("_ARGCOMPLETE", raising=False)
    assert main.main(["--version"]) == 0
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    assert main.main([]) == 42


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_script(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["completion", shell]) == 0
    assert "kobako" in capfd.readouterr().out
    assert main.main(["completion", "csh"]) == 2


def test_the_overview_fits_and_begins_with_what_a_newcomer_wants(capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert max(len(line) for line in lines) < 80
    begin = lines.index("New here?")
    assert [line.split()[1] for line in lines[begin + 1 : begin + 4]] == ["demo", "doctor", "init"]


def test_a_person_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "argcomplete" or name == "kobako.cli.complete"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delenv("_ARGCOMPLETE", raising=False)
    main.main(["--version"])
    main.main(["init", "--help"])
    assert not {name for name in sys.modules if name.startswith("argcomplete")}
