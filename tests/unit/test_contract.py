"""The machine contract: one envelope per verb, as the published schemas have it, and the codes in it."""

from __future__ import annotations

import ast
import json
import os
import signal
import types
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import jsonschema
import pytest
from referencing import Registry, Resource

from contract.memory import MemoryEngine
from kobako import console, engines, errors, sources
from kobako.actions import base, doctor, ps
from kobako.cli import main as cli
from kobako.errors import CODES, CannotStartError, EngineError, Stopped
from kobako.model.requirement import Requirement
from kobako.model.run import Run as RunRecord
from kobako.model.service import Service
from kobako.protocols import Command, Streams
from kobako.train import records
from unit.actions.test_doctor import Daemon, Recorded

SOURCE = Path(__file__).parents[2] / "src" / "kobako"
SCHEMAS = resources.files("kobako.data").joinpath("schemas")

COMPOSE = """\
services:
  box: {container_name: Box, build: {context: ., dockerfile: docker/Box}, command: sleep 1000}
  other: {build: {context: ., dockerfile: docker/Box}, command: sleep 1000}
  ending: {build: {context: ., dockerfile: docker/Box}, command: "true"}
  failing: {build: {context: ., dockerfile: docker/failing}, command: sleep 1000, x-kobako: {entry: fail.py}}
  absent: {build: {context: ., dockerfile: docker/absent}}
  sad: {build: {context: ., dockerfile: docker/Box}, command: sleep 1000, x-kobako: {entry: fail.py}}
"""

Run = Callable[..., dict[str, Any]]


class Engine(MemoryEngine):
    """Runs anything: it prints a line, and fails where ``fail.py`` is among the words."""

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        if not self.containers[service.name].running:
            raise EngineError("not-running", f"{service.title} does not run")
        os.write(streams.stdout, b"epoch 1: loss 5.14\n")
        return 3 if "fail.py" in command.argv else 0


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMAS.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return found


def validator(name: str) -> jsonschema.Draft202012Validator:
    listed = [Resource.from_contents(schema(one)) for one in ("problems", "envelope", "record")]
    registry: Registry[Any] = Registry().with_resources([(one.id() or "", one) for one in listed])
    return jsonschema.Draft202012Validator(schema(name), registry=registry)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command line takes over the signals of the process it is in."""
    taken = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(one) for one in taken]
    yield
    for one, handler in zip(taken, before, strict=True):
        signal.signal(one, handler)


@pytest.fixture(autouse=True)
def _logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process ends with the command, and its log with the process; here it goes on."""
    opened: list[console._Log] = []

    class Log(console._Log):
        def __init__(self, folder: Callable[[], Path], verb: str) -> None:
            super().__init__(folder, verb)
            opened.append(self)

    monkeypatch.setattr(console, "_Log", Log)
    yield
    for log in opened:
        if log._file is not None:
            log._file.close()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KOBAKO_ENGINE", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "workspace"
    (root / "docker").mkdir(parents=True)
    (root / "docker-compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (root / "docker" / "Box").write_text("FROM scratch\nRUN true\n", encoding="utf-8")
    (root / "docker" / "failing").write_text("FROM scratch\nRUN false\n", encoding="utf-8")
    monkeypatch.chdir(root)
    engine = Engine()
    monkeypatch.setattr(engines, "make", lambda *_: engine)
    return root


@pytest.fixture
def run(workspace: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in this process; gives the envelope, which is checked against the schemas."""

    def call(*argv: str, code: int) -> dict[str, Any]:
        capfd.readouterr()
        assert cli.main([*argv]) == code
        out = capfd.readouterr().out
        envelope: dict[str, Any] = json.loads(out)
        assert out == json.dumps(envelope, sort_keys=True, ensure_ascii=False) + "\n"
        validator("envelope").validate(envelope)
        assert envelope["exit_code"] == code
        if envelope["data"] or envelope["status"] != "failed":
            validator(envelope["command"]).validate(envelope["data"])
        return envelope

    return call


def codes(envelope: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in envelope["problems"]]


def test_ps(run: Run) -> None:
    envelope = run("ps", "--json", code=0)
    assert envelope["data"]["services"][0] == {
        "service": "box",
        "name": "Box",
        "engine": "memory",
        "state": "absent",
    }
    assert codes(run("ps", "--json", "bix", code=2)) == ["unknown-service"]


def test_build(run: Run) -> None:
    one = run("build", "--json", "Box", code=0)["data"]
    assert [step["name"] for step in one["steps"]] == ["FROM scratch", "RUN true"]
    assert len(run("build", "--json", "box", "other", code=0)["data"]["services"]) == 2
    assert codes(run("build", "--json", "failing", code=5)) == ["build-failed"]
    missing = run("build", "--json", "absent", code=2)
    assert codes(missing) == ["missing-dockerfile"]
    assert missing["problems"][0]["where"] == {"file": "docker-compose.yaml", "line": 6}


def test_up_stop_and_rm(run: Run) -> None:
    assert run("up", "--json", "box", code=0)["data"]["services"][0]["started"] is True
    assert run("up", "--json", "box", code=0)["data"]["services"][0]["started"] is False
    assert codes(run("up", "--json", "ending", code=1)) == ["exited"]
    assert run("stop", "--json", "box", code=0)["data"]["services"] == [{"service": "box", "stopped": True}]
    assert run("rm", "--json", "box", code=0)["data"]["services"] == [{"service": "box", "removed": True}]
    assert run("rm", "--json", "box", code=0)["data"]["services"] == [{"service": "box", "removed": False}]
    assert codes(run("stop", "--json", "x", code=2)) == codes(run("rm", "--json", "x", code=2)) == ["unknown-service"]


def test_train(run: Run) -> None:
    done = run("train", "--json", "box", "--config=x.py", code=0)
    assert done["data"]["command"] == "python Box/tools/clearml_train.py --config=x.py"
    assert done["data"]["run"]["status"] == "done"
    assert done["data"]["run"]["metrics"] == []
    failed = run("train", "--json", "sad", code=3)
    assert (failed["status"], failed["data"]["code"], codes(failed)) == ("failed", 3, ["training-failed"])
    assert codes(run("train", "--json", "--no-up", "other", code=2)) == ["not-running"]


def test_runs(run: Run, workspace: Path) -> None:
    assert run("runs", "--json", code=0)["data"] == {"runs": []}
    assert codes(run("runs", "--json", "last", code=2)) == ["unknown-run"]
    first = run("train", "--json", "box", "--lr=1", code=0)["data"]["run"]["id"]
    second = run("train", "--json", "sad", "--lr=2", code=3)["data"]["run"]["id"]
    listed = run("runs", "--json", code=0)["data"]["runs"]
    assert [(one["id"], one["status"], one["exit_code"]) for one in listed] == [
        (second, "failed", 3),
        (first, "done", 0),
    ]
    assert listed[1]["command"] == ["python", "Box/tools/clearml_train.py", "--lr=1"]
    assert [one["id"] for one in run("runs", "--json", "Box", "--last", "1", code=0)["data"]["runs"]] == [first]
    assert [one["id"] for one in run("runs", "--json", "--status", "failed", code=0)["data"]["runs"]] == [second]
    assert run("runs", "--json", "--since", "1h", "other", code=0)["data"]["runs"] == []
    for words in ((first,), ("show", first[-6:]), ("last-1",)):
        (shown,) = run("runs", "--json", *words, code=0)["data"]["runs"]
        assert shown["details"]["recipe"]["path"] == "docker/Box"
    compared = run("runs", "--json", "compare", "last-1", "last", code=0)["data"]["compare"]
    assert {"name": "--lr", "values": ["1", "2"]} in compared["options"]
    assert codes(run("runs", "--json", "compare", "last", code=2)) == ["usage"]
    assert codes(run("runs", "--json", "--since", "soon", code=2)) == ["usage"]
    assert codes(run("runs", "--json", "list", "bix", code=2)) == ["unknown-service"]
    broken = workspace / ".kobako" / "runs" / "20200101-000000-abcdef"
    broken.mkdir()
    (broken / "record.json").write_text('{"schema": "kobako-run/2"}', encoding="utf-8")
    partly = run("runs", "--json", code=0)
    assert (len(partly["data"]["runs"]), partly["status"], codes(partly)) == (2, "partial", ["bad-record"])
    assert codes(run("runs", "--json", "show", broken.name, code=1)) == ["bad-record"]
    assert run("runs", "--json", "rm", "--failed", code=0)["data"]["removed"] == [second]
    assert codes(run("runs", "--json", "rm", code=2)) == ["usage"]
    assert run("runs", "--json", "rm", first, broken.name, code=0)["data"]["removed"] == [first, broken.name]
    assert run("runs", "--json", code=0)["data"]["runs"] == []


def test_verify(run: Run) -> None:
    done = run("verify", "--json", "box", code=0)
    assert done["data"]["verified"] is True
    assert [step["name"] for step in done["data"]["steps"]] == ["remove", "build", "start", "run"]
    failed = run("verify", "--json", "sad", code=1)
    assert (failed["data"]["verified"], codes(failed)) == (False, ["not-verified"])
    broken = run("verify", "--json", "failing", code=1)
    assert (broken["data"]["verified"], codes(broken)) == (False, ["build-failed"])


def test_add(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "missing", lambda *_: [])
    source = tmp_path / "Small"
    source.mkdir()
    (source / "requirements.txt").write_text("numpy>=1.20\n", encoding="utf-8")
    dry = run("add", "--json", "--dry-run", "--base", "python:3.11-slim", str(source), code=0)
    done = run("add", "--json", "--base", "python:3.11-slim", str(source), code=0)
    assert done["data"]["service"] == "small"
    assert "docker/Small" in done["data"]["files"]
    assert set(dry["data"]["files"]) <= set(done["data"]["files"])
    assert codes(run("add", "--json", str(source), code=2)) == ["exists"]
    assert codes(run("add", "--json", str(tmp_path / "nothing"), code=2)) == ["bad-source"]
    assert codes(run("add", "--json", "--as-of", "soon", "--name", "b", str(source), code=2)) == ["usage"]
    lacking = sources.Missing(Requirement("numpy"), "absent", "no index has it")
    monkeypatch.setattr(sources, "missing", lambda wanted, *_: [lacking._replace(requirement=wanted[0])])
    failed = run("add", "--json", "--base", "python:3.11-slim", "--name", "b", str(source), code=2)
    assert codes(failed) == ["unknown-requirement"]
    assert failed["problems"][0]["where"] == {"file": "b/requirements.txt", "line": 1}


def test_entry(run: Run, workspace: Path) -> None:
    (workspace / "Box").mkdir()
    (workspace / "Box" / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', help='rate')\n"
        "if __name__ == '__main__':\n    p.parse_args()\n    loss.backward()\n",
        encoding="utf-8",
    )
    shown = run("entry", "--json", "--print", "box", code=0)["data"]
    assert (shown["entry"]["written"], "Written by Kobako" in shown["text"]) == (False, True)
    done = run("entry", "--json", "Box", code=0)["data"]
    assert done["entry"] == {"file": "Box/tools/clearml_train.py", "script": "Box/train.py", "written": True}
    assert done["options"] == [{"name": "lr", "flag": "--lr", "takes": "value", "required": False, "help": "rate"}]
    assert codes(run("entry", "--json", "box", code=2)) == ["exists"]
    assert codes(run("entry", "--json", "other", code=2)) == ["bad-source"]
    assert codes(run("entry", "--json", "bix", code=2)) == ["unknown-service"]


def test_scan(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert codes(run("scan", "--json", str(tmp_path / "empty"), code=2)) == ["bad-source"]
    assert codes(run("scan", "--json", str(tmp_path / "none"), code=2)) == ["bad-source"]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "x.c").touch()
    no_python = run("scan", "--json", str(tmp_path / "c"), code=0)
    assert codes(no_python) == ["no-python"]
    assert no_python["data"]["requirements"] == []
    (tmp_path / "Small").mkdir()
    (tmp_path / "Small" / "requirements.txt").write_text("numpy>=1.20\n?? bad\n", encoding="utf-8")
    (tmp_path / "Small" / "train.py").write_text(
        "import numpy, zzz\nif __name__ == '__main__':\n    loss.backward()\n", encoding="utf-8"
    )
    found = run("scan", "--json", str(tmp_path / "Small"), code=0)
    assert found["status"] == "partial"
    assert [one["code"] for one in found["problems"]] == ["bad-requirement"]
    (numpy,) = found["data"]["requirements"]
    assert (numpy["name"], numpy["specifier"], numpy["origin"]) == ("numpy", ">=1.20", "declared")
    assert numpy["evidence"] == [{"file": "requirements.txt", "line": 1}, {"file": "train.py", "line": 1}]
    assert [one["file"] for one in found["data"]["entry_points"]] == ["train.py"]
    assert [one["where"] for one in found["data"]["questions"]] == [{"file": "train.py", "line": 1}]
    assert run("scan", "--json", "--imports-only", str(tmp_path / "Small"), code=0)["data"]["requirements"]


def test_init(run: Run, tmp_path: Path) -> None:
    assert "docker-compose.yaml" in run("init", "--json", str(tmp_path / "new"), code=0)["data"]["files"]
    (tmp_path / "file").touch()
    assert codes(run("init", "--json", str(tmp_path / "file"), code=2)) == ["exists"]


def test_doctor(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Api:
        def __init__(self, _: object) -> None:
            self.get = Daemon().ask

    monkeypatch.setattr("kobako.engines.docker.checks.Api", Api)
    monkeypatch.setattr(doctor, "Machine", lambda _: Recorded())
    assert run("doctor", "--json", code=0)["data"]["engine"] == "docker"
    monkeypatch.setattr(doctor, "Machine", lambda _: Recorded(programs={}))
    failed = run("doctor", "--json", code=4)
    assert codes(failed) == ["no-engine"]
    assert failed["data"]["checks"][0]["status"] == "missing"


def test_base(run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "Machine", lambda _: Recorded(programs={}))
    done = run("base", "--json", "--torch", "1.11", "--cuda", "11.6", code=0)
    assert (done["data"]["choice"]["release"], done["status"]) == ("22.02", "ok")
    assert run("base", "--json", "--gpu", "RTX 9090", code=0)["status"] == "partial"
    nothing = run("base", "--json", "--torch", "1.11", "--cuda", "12.1", code=1)
    assert (nothing["data"]["choice"], codes(nothing)) == (None, ["no-base"])
    (workspace / "docker" / "Box").write_text("FROM python:3.11\nRUN true\n", encoding="utf-8")
    written = run("base", "--json", "box", "--image", "python:3.12", "--write", code=0)
    assert (written["data"]["written"], written["data"]["file"]) == (True, "docker/Box")
    for words in (["--torch", "new"], ["--as-of", "may"], ["--write"], ["--compute-capability", "x"]):
        assert codes(run("base", "--json", *words, code=2)) == ["usage"]
    assert codes(run("base", "--json", "bix", code=2)) == ["unknown-service"]


@pytest.mark.parametrize(
    ("argv", "verb"),
    [
        (["--json"], ""),
        (["pss", "--json"], ""),
        (["--json", "pss"], ""),
        (["ps", "--nope", "--json"], "ps"),
        (["up", "--json"], "up"),
        (["add", "--json", "--engine"], "add"),
        (["--json", "--workspace", ".", "build", "--fresher"], "build"),
        (["train", "--json"], "train"),
        (["logs", "--json", "box"], "logs"),
    ],
)
def test_a_command_line_that_is_not_understood(run: Run, argv: list[str], verb: str) -> None:
    envelope = run(*argv, code=2)
    assert (envelope["command"], codes(envelope)) == (verb, ["usage"])
    assert envelope["problems"][0]["fix"]


def test_an_engine_that_there_is_not(run: Run) -> None:
    assert codes(run("ps", "--json", "--engine", "dokcer", code=2)) == ["unknown-engine"]


def test_outside_of_a_workspace(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in ("ps", "build"):
        assert codes(run(verb, "--json", code=2)) == ["no-compose-file"]


def test_a_person_outside_of_a_workspace_is_told_once(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["ps", "--no-color"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        f"error: no compose file in {tmp_path} or above it\n"
        "  why: looked for compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml\n"
        "  fix: kobako init\n"
    )


def test_json_for_the_program_inside_is_not_ours(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exec", "box", "tool", "--json"]) == 0
    assert capfd.readouterr().out == "epoch 1: loss 5.14\n"


def test_a_bug_is_told_as_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fails(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(ps, "ps", fails)
    envelope = run("ps", "--json", code=70)
    assert codes(envelope) == ["bug"]
    (report,) = tmp_path.glob("kobako-crash-*.txt")
    assert "ZeroDivisionError: division by zero" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_an_envelope(run: Run, monkeypatch: pytest.MonkeyPatch, signum: int, code: int) -> None:
    monkeypatch.setattr(ps, "ps", lambda *_: signal.raise_signal(signum))
    assert codes(run("ps", "--json", code=code)) == ["interrupted"]


def test_every_verb_that_reports_has_a_schema() -> None:
    published = {one.name.removesuffix(".json") for one in SCHEMAS.iterdir()}
    reporting = {verb for verb in cli.VERBS if cli._module(verb).JSON}
    assert published == reporting | {"envelope", "problems", "record"}
    for name in published:
        jsonschema.Draft202012Validator.check_schema(schema(name))
        assert schema(name)["$id"] == f"urn:kobako:1:{name}"


def test_the_published_codes_are_the_ones_there_are(update_golden: bool) -> None:
    wanted = [{"const": code, "description": text} for code, text in CODES.items()]
    published = schema("problems")
    if update_golden:
        text = json.dumps({**published, "oneOf": wanted}, indent=2, ensure_ascii=False)
        (SOURCE / "data" / "schemas" / "problems.json").write_text(f"{text}\n", encoding="utf-8")
        return
    assert published["oneOf"] == wanted, "run: pytest tests/unit/test_contract.py --update-golden"


class Shapes:
    """The JSON schemas of named tuples, one definition each."""

    def __init__(self) -> None:
        self.defs: dict[str, Any] = {}

    def of(self, hint: Any) -> dict[str, Any]:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in {Union, types.UnionType}:
            return {"anyOf": [*(self.of(one) for one in arguments if one is not type(None)), {"type": "null"}]}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return {"type": "array", "items": self.of(arguments[0])}
        if hasattr(hint, "_fields"):
            return self._named(hint)
        if origin is not None:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        return {"type": {str: "string", int: "integer", float: "number", bool: "boolean"}[hint]}

    def _named(self, hint: Any) -> dict[str, Any]:
        if hint.__name__ not in self.defs:
            fields = {name: self.of(one) for name, one in get_type_hints(hint).items()}
            self.defs[hint.__name__] = {"type": "object", "properties": fields, "required": list(fields)}
        return {"$ref": f"#/$defs/{hint.__name__}"}


def test_the_record_s_schema_is_that_of_the_type(update_golden: bool) -> None:
    shapes = Shapes()
    shapes.of(RunRecord)
    whole = shapes.defs["Run"]
    wanted = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:kobako:1:record",
        "title": "record.json of a run",
        "type": "object",
        "properties": {"schema": {"const": records.SCHEMA}, **whole["properties"]},
        "required": ["schema", *whole["required"]],
        "$defs": shapes.defs,
    }
    if update_golden:
        text = json.dumps(wanted, indent=2, ensure_ascii=False)
        (SOURCE / "data" / "schemas" / "record.json").write_text(f"{text}\n", encoding="utf-8")
        return
    assert schema("record") == wanted, "run: pytest tests/unit/test_contract.py --update-golden"


def test_a_record_is_as_its_schema_says(run: Run, workspace: Path) -> None:
    made = run("train", "--json", "box", code=0)["data"]["run"]["id"]
    record = json.loads((workspace / ".kobako" / "runs" / made / "record.json").read_text(encoding="utf-8"))
    validator("record").validate(record)
    assert not validator("record").is_valid({**record, "status": "maybe"})


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"schema": "kobako/2"}, False),
        ({"status": "done"}, False),
        ({"exit_code": 1}, False),
        ({"status": "failed"}, False),
        ({"status": "failed", "exit_code": 3}, True),
        ({"data": []}, False),
        ({"more": 1}, False),
        ({"problems": [{"code": "usage", "what": "x", "why": "", "fix": "", "where": None}]}, True),
        ({"problems": [{"code": "no-such-code", "what": "x", "why": "", "fix": "", "where": None}]}, False),
        (
            {"problems": [{"code": "usage", "what": "x", "why": "", "fix": "", "where": {"file": "a", "line": 0}}]},
            False,
        ),
        ({"problems": [{"code": "usage", "what": "x", "why": "", "fix": ""}]}, False),
    ],
)
def test_the_envelope_s_schema_tells_right_from_wrong(change: dict[str, Any], valid: bool) -> None:
    envelope = {"schema": "kobako/1", "command": "ps", "status": "ok", "exit_code": 0, "data": {}, "problems": []}
    assert validator("envelope").is_valid({**envelope, **change}) is valid


def test_exit_codes() -> None:
    documented = {"UsageError": 2, "EngineError": 4, "BuildError": 5, "WorkError": 1, "KobakoError": 70}
    assert {name: getattr(errors, name).exit_code for name in documented} == documented
    assert CannotStartError("cannot-start", "x", child=127).exit_code == 127
    assert (Stopped(signal.SIGINT).exit_code, Stopped(signal.SIGTERM).exit_code) == (130, 143)
    named = (errors.DONE, errors.FAILED, errors.USAGE, errors.ENGINE, errors.BUILD, errors.BUG)
    assert named == (0, 1, 2, 4, 5, 70)
    assert (errors.INTERRUPTED, errors.TERMINATED) == (130, 143)


MAKERS = frozenset({"Problem", *(name for name in vars(errors) if name.endswith("Error"))})
"""What is called with a code as its first argument."""


class Used(ast.NodeVisitor):
    """The codes that a module uses: given to an error or a problem, directly or through a name."""

    def __init__(self, tree: ast.Module) -> None:
        self.codes: set[str] = set()
        self._tree = tree
        self._functions: list[ast.FunctionDef] = []
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._functions.append(node)
        self.generic_visit(node)
        self._functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if node.args and (name in MAKERS or ast.unparse(node.func) == "super().__init__"):
            self._take(node.args[0])
        self.generic_visit(node)

    def _take(self, given: ast.expr) -> None:
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            self.codes.add(given.value)
        elif isinstance(given, ast.IfExp):
            self._take(given.body)
            self._take(given.orelse)
        elif isinstance(given, ast.Name) and self._functions:
            self._follow(given.id, self._functions[-1])

    def _follow(self, name: str, function: ast.FunctionDef) -> None:
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == name for one in node.targets):
                self._take(node.value)
        parameters = [one.arg for one in function.args.args]
        if name not in parameters or function.name == "__init__":
            return
        at = parameters.index(name) - (parameters[0] == "self")
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == function.name:
                self._take(node.args[at])


def used() -> dict[str, set[str]]:
    """The codes by the modules that use them."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        if path.name != "errors.py":
            for code in Used(ast.parse(path.read_text(encoding="utf-8"))).codes:
                found.setdefault(code, set()).add(path.relative_to(SOURCE).as_posix())
    return found


def test_every_code_that_is_used_is_published() -> None:
    unknown = {code: files for code, files in used().items() if code not in CODES}
    assert not unknown


def test_every_code_that_is_published_is_used() -> None:
    assert sorted(set(CODES) - set(used())) == []


def test_the_walk_sees_codes() -> None:
    text = """
def f(error, code):
    kind = "c" if error else "d"
    raise UsageError("a" if error else "b", "x") from Problem(kind, "y")

def g(why, code):
    raise errors.WorkError(code, "x")

class E(EngineError):
    def __init__(self, message):
        super().__init__("e", message)

g("why", "h")
print("z")
"""
    assert Used(ast.parse(text)).codes == {"a", "b", "c", "d", "e", "h"}
