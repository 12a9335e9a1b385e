"""What is remembered of the compose files: the same as what was read, no secrets, and nothing that is out of date."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kobako.compose import cache, files, project
from kobako.model.service import Service

MISSION = """\
services:
  mmdetection:
    container_name: mmdetection
    build:
      context: .
      dockerfile: ./docker/mmdetection
    shm_size: '8gb'
    volumes:
      - "./mmdetection:/workspace/mmdetection"
      - "./data:/workspace/data"
    command: /bin/sh -c "while sleep 1000; do :; done"
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              capabilities: [gpu]
"""


@pytest.mark.parametrize(
    "content",
    [
        MISSION,
        "services: {a: {image: x, x-kobako: {entry: [a, b], source: {url: u}}, volumes: [~/x:/x]}}\n",
        "name: n\nservices: {a: {build: {context: ., args: {A: , B: 1}}, command: [a]}}\n---\nservices: {b: }\n",
        "services: {a: {environment: [A=1, B], env_file: [a.env, {path: b, required: false, format: raw}]}}\n",
        "services: {a: {entrypoint: [a, b], ports: ['1:1'], x-kobako: {base: {python: 3.10}}}, b: {entrypoint: a}}\n",
    ],
)
def test_what_is_remembered_is_what_was_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "compose.yaml").write_text(content, encoding="utf-8")
    found = files.find(tmp_path, {"HOME": "/home/me"})
    read = project.load(found)[0]
    assert cache.load(found, tmp_path / ".kobako") == read
    assert cache.load(found, tmp_path / ".kobako") == read
    assert (tmp_path / ".kobako" / "cache" / "project.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda service: [*service[:11], service[-1]],
        lambda service: [*service[:10], service[10][:-1], *service[11:]],
        lambda service: [*service, None],
        lambda service: {},
        lambda service: None,
        lambda service: [*service[:12], [["a.env", True, None]], *service[13:]],
        lambda service: [*service[:14], [["image", None]], *service[15:]],
    ],
)
def test_what_another_version_remembered_is_read_again(tmp_path: Path, spoil: Callable[[Any], Any]) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x}}\n", encoding="utf-8")
    found = files.find(tmp_path, {})
    read = cache.load(found, tmp_path / ".kobako")
    path = tmp_path / ".kobako" / "cache" / "project.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert list(Service._fields).index("hints") == 10
    kept["project"][4]["a"] = spoil(kept["project"][4]["a"])
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert cache.load(found, tmp_path / ".kobako") == read
    assert cache.load(found, tmp_path / ".kobako") == read


@pytest.mark.parametrize("services", [[], None, "x"])
def test_what_is_remembered_in_no_known_shape_is_read_again(tmp_path: Path, services: Any) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x}}\n", encoding="utf-8")
    found = files.find(tmp_path, {})
    read = cache.load(found, tmp_path / ".kobako")
    path = tmp_path / ".kobako" / "cache" / "project.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["project"][4] = services
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert cache.load(found, tmp_path / ".kobako") == read


def test_values_of_variables_are_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {a: {build: {context: ., args: {T: '${TOKEN}'}}}}\n", encoding="utf-8"
    )
    found = files.find(tmp_path, {"TOKEN": "hunter2"})
    made = cache.load(found, tmp_path / ".kobako").services["a"].build
    assert made is not None
    assert made.args == {"T": "hunter2"}
    assert not (tmp_path / ".kobako").exists()


def test_what_is_remembered_is_forgotten_with_its_reasons(tmp_path: Path) -> None:
    def image(env: Mapping[str, str]) -> str | None:
        return cache.load(files.find(tmp_path, env), tmp_path / ".kobako").services["a"].image

    (tmp_path / "compose.yaml").write_text("include: [b.yaml]\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("services: {a: {image: '${A:-x}'}}\n", encoding="utf-8")
    assert [image({}), image({"A": "y"}), image({"B": "z"})] == ["x", "y", "x"]
    (tmp_path / "b.yaml").write_text("services: {a: {image: 'w'}}\n", encoding="utf-8")
    assert image({}) == "w"
    (tmp_path / "compose.override.yaml").write_text("services: {a: {image: v}}\n", encoding="utf-8")
    assert image({}) == "v"
