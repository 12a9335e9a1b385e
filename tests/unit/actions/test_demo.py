"""``kobako demo``: the workspace it makes, how it goes on, and the parts of its script that need no PyTorch."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from contract.memory import MemoryEngine
from kobako import engines
from kobako.actions import add, demo
from kobako.actions.context import Context
from kobako.actions.demo import DemoRequest
from kobako.errors import Stopped, UsageError, WorkError
from kobako.model.result import Result
from kobako.model.service import Service
from kobako.protocols import Command, Streams
from unit.test_add import Quiet, files

FILES = Path(str(resources.files("kobako.demo"))) / "files"
FIGURES = {"accuracy": 0.9972, "loss": 0.0022545402800559313, "seconds": 4.7}


class Asking(Quiet):
    """Nobody is to be asked anything."""

    def confirm(self, question: str, *, person: bool = False) -> bool:
        raise AssertionError(question)


class Engine(MemoryEngine):
    """Trains by writing what the script would write. ``codes`` are the exit codes of the next trainings."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.trained: list[tuple[str, ...]] = []
        self.codes: list[int] = []

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        words = command.argv[command.argv.index("kobako") + 1 :]
        if demo.SCRIPT not in words:
            return 0  # the folder is made the caller's
        self.trained.append(words)
        code = self.codes.pop(0) if self.codes else 0
        if code == 0 and "--epochs=2" not in words:
            (self.root / demo.RESULTS).mkdir(parents=True, exist_ok=True)
            (self.root / demo.RESULTS / "result.json").write_text(json.dumps(FIGURES))
        return code


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "kobako-demo"


@pytest.fixture
def engine(root: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine(root)
    monkeypatch.setattr(engines, "make", lambda *_: made)
    return made


def run(root: Path, base: str | None = None, narrator: Quiet | None = None, **env: str) -> Result:
    context = Context(root.parent, {"TZ": "Asia/Tokyo", **env}, narrator or Asking())
    return demo.demo(context, DemoRequest(root.name, base))


def test_from_nothing_to_verified(root: Path, engine: Engine) -> None:
    result = run(root)
    assert (result.command, result.status, result.exit_code, result.problems) == ("demo", "ok", 0, ())
    schema = json.loads(
        resources.files("kobako.data").joinpath("schemas").joinpath("demo.json").read_text(encoding="utf-8")
    )
    jsonschema.validate(result.data, schema)
    assert set(result.data) == set(schema["properties"])
    own = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
    assert {**result.data, "files": []} == {
        "folder": str(root),
        "service": "digits",
        "engine": "memory",
        "base": own,
        **FIGURES,
        "files": [],
        "verified": True,
    }
    assert engine.trained == [(demo.SCRIPT, f"--config={demo.CONFIG}"), demo.VERIFY[1:]]
    assert engine.builds == 2  # and one of them reused nothing
    assert engine.containers["digits"].running


def test_the_workspace_is_whole(root: Path, engine: Engine) -> None:
    result = run(root, base="python:3.9-slim")
    made = files(root)
    assert all(name.rstrip("/") in made for name in result.data["files"])
    assert len(set(result.data["files"])) == len(result.data["files"])
    for path in FILES.joinpath("digits").rglob("*"):
        if "__pycache__" not in path.parts and path.is_file():
            assert made[f"digits/{path.relative_to(FILES / 'digits').as_posix()}"] == path.read_text(encoding="utf-8")
    assert made[demo.CONFIG] == FILES.joinpath("configs", "demo.json").read_text(encoding="utf-8")
    assert "\nFROM python:3.9-slim\n" in made["docker/digits"]
    assert not [name for name in made if "__pycache__" in name]
    service = Context(root, {}, Quiet()).service("digits")
    assert service.hints.verify == demo.VERIFY
    assert service.hints.source == {"folder": "digits"}
    assert service.hints.entry is None


def test_what_to_type_next_fits_a_terminal(root: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("memory", "docker", "local"):
        engine.name = name
        text = run(root).text
        assert max(map(len, text.splitlines())) <= 79
        assert "  cd kobako-demo\n  kobako shell digits  " in text
        assert ("docker compose build digits" in text) == (name == "docker")
    assert "99.7 % right, loss 0.002255, in 4.7 s" in text


def test_a_second_run_writes_nothing(root: Path, engine: Engine) -> None:
    run(root)
    (root / demo.CONFIG).write_text('{"epochs": 1}')
    (root / "digits" / "mine.py").write_text("")
    before = files(root)
    narrator = Asking()
    result = run(root, narrator=narrator)
    assert result.data["files"] == []
    assert files(root) == before
    assert engine.builds == 3
    assert not [line for line in narrator.lines if "left as it is" in line]
    run(root, base="python:3.9-slim", narrator=narrator)
    assert [line for line in narrator.lines if line.startswith("docker/digits is left as it is: it is built on")]


def test_here(root: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()
    context = Context(root, {}, Asking())
    result = demo.demo(context, DemoRequest("."))
    assert result.data["folder"] == str(root)
    assert "cd " not in result.text
    assert context.workspace.root == root  # where the log goes


def test_variables_lead_nowhere_else(root: Path, engine: Engine, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("services: {}\n")
    result = run(root, COMPOSE_FILE=str(other), COMPOSE_PROJECT_NAME="other")
    assert result.data["verified"]
    assert other.read_text() == "services: {}\n"


@pytest.mark.parametrize("there", ["README.md", "docker-compose.yaml", "configs/mine.json", "folder/deep/file"])
def test_what_is_not_a_demo_is_left_alone(root: Path, engine: Engine, there: str) -> None:
    (root / there).parent.mkdir(parents=True)
    (root / there).write_text("services: {}\n")
    before = files(root)
    with pytest.raises(UsageError) as caught:
        run(root)
    assert (caught.value.code, caught.value.what) == ("exists", "kobako-demo is there already and is left as it is")
    assert files(root) == before


def test_a_file_and_a_link_are_left_alone(root: Path, engine: Engine) -> None:
    root.write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        run(root)
    root.unlink()
    root.mkdir()
    (root / "link").symlink_to("nowhere")
    with pytest.raises(UsageError, match="is left as it is"):
        run(root)


def test_an_engine_that_does_not_exist_leaves_no_folder(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        demo.demo(Context(root.parent, {}, Quiet(), "dokcer"), DemoRequest(root.name))
    assert caught.value.code == "unknown-engine"
    assert not root.exists()


@pytest.mark.parametrize("where", ["_config", "_workspace", "_service", "_set_verify", "_train"])
def test_it_goes_on_after_an_interruption(
    root: Path, engine: Engine, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def interrupted(*_: object) -> Any:
            raise Stopped(2)

        patched.setattr(demo, where, interrupted)
        with pytest.raises(Stopped):
            run(root)
    assert run(root).data["verified"]
    assert Context(root, {}, Quiet()).service("digits").hints.verify == demo.VERIFY


def test_it_goes_on_after_a_kill_at_the_first_file_and_inside_add(
    root: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "configs" / "digits").mkdir(parents=True)
    (root / "configs" / "digits" / ".demo.json.x1y2").write_text("{")

    def interrupted(*_: object) -> Any:
        raise Stopped(2)

    with monkeypatch.context() as patched:
        patched.setattr(add, "_folders", interrupted)
        with pytest.raises(Stopped):
            run(root)
    assert not (root / "digits").exists()
    assert run(root).data["verified"]


def test_ctrl_c_inside_is_ctrl_c(root: Path, engine: Engine) -> None:
    for code in (130, 143):
        engine.codes = [code]
        with pytest.raises(Stopped) as caught:
            run(root)
        assert caught.value.exit_code == code


def test_a_training_that_fails(root: Path, engine: Engine) -> None:
    engine.codes = [3]
    with pytest.raises(WorkError) as caught:
        run(root)
    error = caught.value
    assert (error.code, error.what) == ("command-failed", "the training ended with exit code 3")
    assert error.fix == "kobako train --workspace kobako-demo digits --config=configs/digits/demo.json"
    (root / demo.RESULTS).mkdir(parents=True)
    (root / demo.RESULTS / "result.json").write_text("{}")
    (root / demo.RESULTS).chmod(0o755)
    engine.root = root / "elsewhere"
    with pytest.raises(WorkError, match="does not say how the training went"):
        run(root)


def test_what_is_not_verified_fails(root: Path, engine: Engine) -> None:
    engine.codes = [0, 1]
    result = run(root)
    assert (result.status, result.exit_code, result.data["verified"]) == ("failed", 1, False)
    assert [problem.code for problem in result.problems] == ["not-verified"]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"demo_{name}", FILES / "digits" / "classifier" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


options = load("options")
progress = load("progress")


def test_options_and_configuration_agree(tmp_path: Path) -> None:
    assert options.parse([f"--config={FILES / 'configs' / 'demo.json'}"]) == options.Options()
    assert options.parse([]) == options.Options()
    for key, value in options.Options()._asdict().items():
        assert f"--{key}=" in options.USAGE
        if key not in options.PATHS:
            assert f"(default: {value})" in options.USAGE
    assert options.Options().work_dir == str(FILES / "digits" / "work_dirs" / "demo")


def test_the_command_line_overrules_the_file(tmp_path: Path) -> None:
    config = tmp_path / "c.json"
    config.write_text('{"epochs": 3, "lr": 1, "work_dir": "x"}')
    found = options.parse(["--epochs=5", f"--config={config}", "--work_dir=a=b"])
    assert (found.epochs, found.lr, found.work_dir, found.seed) == (5, 1.0, "a=b", 0)


@pytest.mark.parametrize(
    ("word", "what", "fix"),
    [
        ("--epoch=3", "there is no option --epoch", "did you mean --epochs?"),
        ("--epochs", "--epochs has no value", "--epochs=... (with =, not a space)"),
        ("epochs=3", "`epochs=3` is not understood: options are --key=value", "--help shows all of them"),
        ("--", "`--` is not understood: options are --key=value", "--help shows all of them"),
        ("--epochs=ten", "--epochs=ten is not a whole number of at least 1", ""),
        ("--epochs=0", "--epochs=0 is not a whole number of at least 1", ""),
        ("--seed=-1", "--seed=-1 is not a whole number of at least 0", ""),
        ("--seed=99999999999", "--seed=99999999999 is not a whole number of at least 0", ""),
        ("--lr=inf", "--lr=inf is not a number above 0", ""),
        ("--lr=nan", "--lr=nan is not a number above 0", ""),
        ("--resume=no.pt", "--resume=no.pt: there is no such file", "name a last.pt or best.pt"),
        ("--config=no.json", "--config=no.json: No such file or directory", f"paths are relative to {os.getcwd()}"),
    ],
)
def test_options_that_are_not_understood(word: str, what: str, fix: str) -> None:
    with pytest.raises(options.OptionError) as caught:
        options.parse([word])
    assert (str(caught.value), caught.value.fix) == (what, fix)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "--config=c.json is not JSON: "),
        ("[]", "--config=c.json holds no settings"),
        ('{"epoch": 1}', "c.json has a setting `epoch`, which is not known"),
        ('{"config": "x"}', "c.json has a setting `config`, which is not known"),
        ('{"epochs": true}', "epochs in c.json (true) is not a whole number of at least 1"),
        ('{"epochs": "3"}', 'epochs in c.json ("3") is not a whole number of at least 1'),
        ('{"epochs": 1.5}', "epochs in c.json (1.5) is not a whole number of at least 1"),
        ('{"lr": NaN}', "lr in c.json (NaN) is not a number above 0"),
        ('{"work_dir": 3}', "work_dir in c.json (3) is not a path"),
    ],
)
def test_files_that_are_not_understood(text: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.json").write_text(text)
    with pytest.raises(options.OptionError) as caught:
        options.parse(["--config=c.json"])
    assert str(caught.value).startswith(what)


def test_the_line_fits_any_terminal() -> None:
    state = progress.State(3, 12, 0.5, 0.1234, 0.952, 7.2)
    assert progress.line(state, 80) == "epoch  3/12 [#####...................]  loss 0.1234  acc  95.2 %  ETA 0:07"
    assert progress.line(state, 60) == "epoch  3/12 [##.......]  loss 0.1234  acc  95.2 %  ETA 0:07"
    assert progress.line(state, 54) == "epoch  3/12  loss 0.1234  acc  95.2 %  ETA 0:07"
    assert progress.line(state, 20) == "epoch  3/12  loss 0"
    for width in range(2, 200):
        assert len(progress.line(state, width)) < width
    assert "acc  --.- %" in progress.line(state._replace(accuracy=None), 80)
    assert progress.clock(3725.4) == "1:02:05"


def test_a_pipe_gets_a_line_for_each_epoch() -> None:
    stream = io.StringIO()
    told = progress.Progress(stream, 2)
    told.step(1, 0.5, 1.0)
    told.epoch(1, 0.5, 0.9)
    told.epoch(2, 0.25, 1.0)
    told.close()
    assert stream.getvalue().splitlines() == [
        "epoch 1/2  loss 0.5000  acc  90.0 %  ETA 0:00",
        "epoch 2/2  loss 0.2500  acc 100.0 %  ETA 0:00",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    told = progress.Progress(stream, 2)
    for part in (0.5, 1.0):
        told.step(1, part, 1.0)
    told.epoch(2, 0.25, 1.0)
    told.close()
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("ETA 0:00\n")
    assert text.isascii()
    assert all(len(line) < 80 for line in text.split("\r"))
