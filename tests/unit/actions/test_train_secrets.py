"""What `kobako train` keeps of a run that prints what it was trusted with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contract.memory import Container, MemoryEngine
from kobako import engines
from kobako.actions.context import Context
from kobako.actions.run import Request
from kobako.actions.train import train
from kobako.model.service import Service
from kobako.protocols import Command, Streams
from unit.test_add import Quiet

COMPOSE = """\
services:
  box:
    image: scratch
    env_file: keys.env
    environment: {WANDB_API_KEY: , HF_TOKEN: "${OF_FILE}", DEPTH: "50-layers"}
    x-kobako: {entry: train.py}
"""
SECRETS = ("callers-key", "hf-from-dotenv", "env-file-key", "flag-secret", "option-secret", "clearml-secret")


class Engine(MemoryEngine):
    """Prints everything that the program knows."""

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        os.write(streams.stdout, (" ".join(SECRETS) + " 50-layers https://a:b@host\n").encode())
        return 0


def test_nothing_of_it_stands_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "keys.env").write_text("STORAGE_ACCESS_KEY=env-file-key\n")
    (tmp_path / ".env").write_text("OF_FILE=hf-from-dotenv\n")
    engine = Engine()
    engine.containers["box"] = Container()
    monkeypatch.setattr(engines, "make", lambda *_: engine)
    env = {"WANDB_API_KEY": "callers-key", "CLEARML_API_SECRET_KEY": "clearml-secret", "HOME": str(tmp_path)}
    request = Request("box", ("--api-key=option-secret", "--pad_token=<padding>"), env={"DB_PASSWORD": "flag-secret"})
    context = Context(tmp_path, env, Quiet())
    assert train(context, request).exit_code == 0
    folder = next((tmp_path / ".kobako/runs").iterdir())
    log = (folder / "log.txt").read_text()
    assert log == "*** *** *** *** *** *** 50-layers https://***@host\n"
    for path in folder.rglob("*"):
        if path.is_file():
            assert [one for one in SECRETS if one in path.read_text()] == [], path
    assert "--pad_token=<padding>" in (folder / "record.json").read_text()
