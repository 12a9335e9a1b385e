"""A workspace whose repository leaves traces of runs, with no program and no engine."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kobako.actions import runs
from kobako.actions.context import Context
from kobako.console import Console
from kobako.model.result import Result
from kobako.train import records_trace
from kobako.train.records import Records

COMPOSE = """\
services:
  box:
    container_name: Box
    build: {context: ., dockerfile: docker/Box}
    volumes: ["./Box:/workspace/Box", "./data:/workspace/data", "./configs:/workspace/configs"]
    x-kobako: {entry: "python Box/tools/clearml_train.py", source: {git: "https://example.org/a/box", commit: "cccc"}}
"""
HOUR = 3600.0


def at(seconds: float) -> str:
    """So long after now."""
    return (datetime.now().astimezone() + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


class Place:
    """A workspace with a repository that leaves traces."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records = Records(root)
        for name, text in (
            ("docker-compose.yaml", COMPOSE),
            ("docker/Box", "FROM python:3.11\n"),
            ("docker/pylock.box.toml", "lock\n"),
            ("configs/a.py", "lr = 0.1\ntoken = 'a-long-secret-two'\n"),
            ("data/sample", "1\n"),
            ("Box/train.py", "x = 2\n"),
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")

    def folder(self, run_id: str) -> Path:
        return records_trace.folder(self.root / "Box") / run_id

    def trace(self, run_id: str, *, patch: bytes = b"", silent: float = 0.0, **said: Any) -> None:
        folder = self.folder(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        command = ["/usr/bin/python3", "Box/tools/clearml_train.py", "--config=configs/a.py"]
        whole = {"schema": records_trace.SCHEMA, "id": run_id, "status": "done", "exit_code": 0, "command": command}
        (folder / records_trace.FILE).write_text(json.dumps({**whole, **said}), encoding="utf-8")
        (folder / records_trace.LOG).write_text("hello\n", encoding="utf-8")
        (folder / records_trace.ALIVE).touch()
        if patch:
            (folder / records_trace.PATCH).write_bytes(patch)
        for name in (records_trace.FILE, records_trace.ALIVE):
            os.utime(folder / name, (time.time() - silent, time.time() - silent))

    def runs(self, *words: str, **how: Any) -> Result:
        # no engine of that name: which one runs the service is not asked for here
        context = Context(self.root, {}, Console({}, yes=how.get("yes", False), colour=False), "none")
        return runs.runs(context, runs.Request(words, **how))

    def metrics(self, name: str, when: float, **values: float) -> None:
        path = self.root / "Box" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"step": 1, **values}) + "\n", encoding="utf-8")
        os.utime(path, (when, when))
