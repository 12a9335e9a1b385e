"""What Kobako reads from compose files is what `docker compose config` makes of them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.engine import Engine
from infra.workspaces import write_files
from kobako.compose import files, project
from kobako.compose.environment import environment_of
from kobako.errors import UsageError
from kobako.model.service import Project, Service

pytestmark = pytest.mark.docker

MISSION = (Path(__file__).parent / "mission" / "excerpt.yaml").read_text(encoding="utf-8")

ENV_FILE = r"""# a comment
A=one
B='s${OUTER}$OUTER'
C="d${OUTER}$A\$A \n\t\\n $$Z"
D=u$OUTER${Y:-def}${A} # c
E=a#b
F="a" # c
OUTER
NOPE
G=${H} ${SAID}
H=h
export J=j
K = k
L: l
N='a\'b\\c\n'
O="q\"q"
P="multi
line"
Q=a\nb
R=$$A
U=
V= # c
"""

CASES: dict[str, dict[str, str]] = {
    "the mission's excerpt": {"docker-compose.yaml": f"services:\n{MISSION}"},
    "names": {
        "compose.yaml": "name: ${WHO:-My}_Project\nservices: {a: {image: x, container_name: 'A ${WHO}b'}}\n".replace(
            "'A ${WHO}b'", "'A${WHO}b'"
        ),
    },
    "a name in .env": {
        ".env": "COMPOSE_PROJECT_NAME=from-env\n",
        "compose.yaml": "name: x\nservices: {a: {image: x}}\n",
    },
    "quoting in .env": {
        ".env": "A='a b'\nexport B=\"b#c\" # why\nC=c # why\nD=${B}d\nE=\nF=x=y\n",
        "compose.yaml": "services: {a: {image: x, command: ['$A', '$B', '$C', '$D', '${E-e}', '$F']}}\n",
    },
    "interpolation": {
        ".env": "A=val\nE=\n",
        "compose.yaml": """\
services:
  a:
    image: x
    command:
      - "$"
      - "a$ b$1$(x)"
      - "$$A $$$$"
      - "${A}$A_b|$A-b"
      - "${A-d}|${A:-d}|${A+d}|${A:+d}"
      - "${E-d}|${E:-d}|${E+d}|${E:+d}"
      - "${U-d}|${U:-d}|${U+d}|${U:+d}"
      - "${U:-${A}}|${U:-a${U:-b}c}|${A:+${E:-x}y}"
      - "${U:-a b{c}}"
      - "${U:-$$}|${A:?x}|${E?x}|é$A$é"
""",
    },
    "volumes": {
        "compose.yaml": """\
services:
  a:
    image: x
    volumes:
      - ./data:/workspace/data/
      - ../up:/up:ro
      - .hidden:/hidden
      - ~/home:/home:ro,z
      - ${WHERE:-./where}:/where
      - named:/named
      - /anonymous
      - {type: bind, source: ./long, target: /long/, read_only: true}
      - {type: volume, source: named, target: /named2}
      - {type: tmpfs, target: /tmp}
volumes: {named: }
""",
    },
    "builds": {
        "compose.yaml": """\
services:
  short: {build: ./app}
  long: {build: {context: app, dockerfile: ../docker/App}}
  default: {build: {dockerfile: docker/App}}
  inline: {build: {context: ., dockerfile_inline: FROM x}}
  both: {build: ., image: "${REGISTRY:-local}/both:1"}
  remote: {build: {context: "https://example.com/x.git#main"}}
""",
    },
    "an override file": {
        "docker-compose.yaml": """\
services:
  a:
    image: one
    build: ./app
    command: [sleep, "1"]
    user: me
    volumes: ["./a:/a", "${B:-./b}:/b", "./c:/c"]
""",
        "docker-compose.override.yaml": """\
services:
  a:
    image: two
    build: {dockerfile: Other}
    command: sleep 2
    volumes: ["./other:/b/", {type: volume, source: v, target: /d}]
  b: {image: b}
volumes: {v: }
""",
    },
    "reset and override": {
        "compose.yaml": """\
services:
  a: {image: x, user: me, command: [a], volumes: ["./a:/a"], build: .}
  gone: {image: x}
""",
        "compose.override.yml": """\
services:
  a: {user: !reset null, command: !reset [], volumes: !override ["./b:/b"], build: !reset null}
  gone: !reset null
""",
    },
    "anchors and merge keys": {
        "compose.yaml": """\
x-base: &base
  image: base
  volumes: &mounts ["./data:/data"]
x-more: &more {user: "1000", working_dir: /w}
services:
  a: {<<: *base, user: me}
  b: {<<: [*more, *base], image: b}
  c: {image: c, volumes: *mounts}
  d: &d {image: d}
  e: *d
""",
    },
    "extends": {
        "compose.yaml": """\
services:
  base: {image: base, volumes: ["./a:/a"], command: [x]}
  a: {extends: base, image: a, volumes: ["./b:/a", "./c:/c"]}
  b: {extends: {service: base}}
  c: {extends: {file: lib/common.yaml, service: one}, user: me}
""",
        "lib/common.yaml": """\
services:
  one: {extends: zero, build: ., volumes: ["./here:/here"]}
  zero: {image: "${ZERO:-zero}"}
""",
    },
    "include": {
        "compose.yaml": """\
include:
  - sub/compose.yaml
  - path: [two/one.yaml, two/two.yaml]
  - {path: three/compose.yaml, project_directory: elsewhere}
  - {path: four/compose.yaml, env_file: four/vars.env}
services: {a: {image: a}}
""",
        ".env": "OUTER=outer\n",
        "sub/.env": "INNER=inner\nOUTER=hidden\n",
        "sub/compose.yaml": "services: {sub: {image: '${INNER}/${OUTER}', volumes: ['./x:/x']}}\n",
        "two/one.yaml": "services: {two: {image: one, volumes: ['./x:/x']}}\n",
        "two/two.yaml": "services: {two: {image: two, volumes: ['./y:/x', './z:/z']}}\n",
        "elsewhere/README": "",
        "three/compose.yaml": "services: {three: {build: ., volumes: ['./x:/x']}}\n",
        "four/vars.env": "FOUR='four'\n",
        "four/compose.yaml": "services: {four: {image: '${FOUR}'}}\n",
    },
    "several documents": {
        "compose.yaml": """\
name: first
services: {a: {image: one, user: me}}
---
name: second
services: {a: {image: two}, b: {image: b}}
""",
    },
    "profiles": {"compose.yaml": "services: {a: {image: a, profiles: [gpu]}, b: {image: b}}\n"},
    "commands": {
        "compose.yaml": """\
services:
  a: {image: x, command: /bin/sh -c "while sleep 1000; do :; done"}
  b: {image: x, command: [/bin/sh, -c, "echo 'a  b'"]}
  c: {image: x, command: "a 'b c' \\"d e\\" f\\\\ g"}
  d:
    image: x
    command: >
      one
      two
  e: {image: x}
""",
    },
    "plain words that look like something else": {
        "compose.yaml": """\
services:
  a: {image: x, user: "0", working_dir: /1e3}
  on: {image: "1.10"}
  "no": {image: 'null'}
  1x: {image: "2022-01-01"}
""",
    },
    "a folder that leaves no letters": {"機械学習/compose.yaml": "name: x\nservices: {a: {image: x}}\n"},
    "a folder with capitals": {"My Work.2/compose.yaml": "services: {a: {image: x}}\n"},
    "listed files": {
        ".env": "COMPOSE_FILE=one.yaml:sub/two.yaml\n",
        "one.yaml": "services: {a: {image: one, volumes: ['./x:/x']}}\n",
        "sub/two.yaml": "services: {a: {volumes: ['./y:/y']}, b: {build: .}}\n",
    },
    "line ends and a byte order mark": {
        "compose.yaml": "\ufeffservices:\r\n  a:\r\n    image: x\r\n    command: [a, b]\r\n",
    },
    "build arguments": {
        "compose.yaml": "services: {a: {build: {context: ., args: {A: 1, B: x}}}}\n",
        "compose.override.yaml": "services: {a: {build: {args: ['A=2', 'C=3']}}}\n",
    },
    "build arguments without a value": {
        ".env": "B=outer\n",
        "compose.yaml": "services: {a: {build: {context: ., args: {A: 1.0, B: x, C: 3.10, D: '3.10'}}}}\n",
        "compose.override.yaml": "services: {a: {build: {args: {B: , C: 0x10}}}}\n",
    },
    "environments": {
        ".env": "OUTER=outer\n",
        "compose.yaml": """\
services:
  a:
    image: x
    environment: {A: 1.0, B: 3.10, C: 1e3, D: 0x10, E: true, F: yes, G: , H: 123456789.5, I: 017, J: "1.0", K: "", L: .inf}
  b: {image: x, environment: [A=1.0, OUTER, UNSET, "C=a=b", "D=", A=2, "E=$$x${OUTER}"]}
  c: {image: x, environment: {A: 1, B: 2, OUTER: 3, D: 4}}
  d: {image: x, environment: [A=1, B]}
  e: {extends: c, environment: [A=5]}
""",
        "compose.override.yaml": """\
services:
  c: {environment: [A, "B=", OUTER]}
  d: {environment: {B: 3.10, C: !reset x}}
""",
    },
    "env files": {
        ".env": "OUTER=outer\n",
        "one.env": ENV_FILE,
        "two.env": "A=two\nZ=${A} ${C} ${OUTER}\n",
        "compose.yaml": """\
services:
  a: {image: x, env_file: one.env, environment: {SAID: said, E: , H: other}}
  b: {image: x, env_file: [one.env, {path: none.env, required: false}, two.env, one.env]}
  c: {image: x, env_file: [{path: one.env}, two.env]}
  d: {image: x, env_file: [{path: two.env, format: raw}]}
""",
        "compose.override.yaml": "services: {a: {env_file: [two.env]}, c: {env_file: one.env}}\n",
    },
    "entrypoints": {
        "compose.yaml": """\
services:
  a: {image: x, entrypoint: [a, b], command: [c]}
  b: {image: x, entrypoint: a 'b c'}
  c: {image: x, entrypoint: [a], command: [c]}
  d: {image: x, entrypoint: [a]}
""",
        "compose.override.yaml": "services: {a: {entrypoint: z}, c: {entrypoint: , command: }, d: {entrypoint: ''}}\n",
    },
}

REFUSED: dict[str, dict[str, str]] = {
    "a missing brace": {"compose.yaml": "services: {a: {image: '${A'}}\n"},
    "no name": {"compose.yaml": "services: {a: {image: '${}'}}\n"},
    "an unknown operator": {"compose.yaml": "services: {a: {image: '${A!b}'}}\n"},
    "a variable that must be there": {"compose.yaml": "services: {a: {image: '${A:?why}'}}\n"},
    "services are a list": {"compose.yaml": "services: [a]\n"},
    "a service is a word": {"compose.yaml": "services: {a: b}\n"},
    "extends nothing": {"compose.yaml": "services: {a: {extends: b}}\n"},
    "extends itself": {"compose.yaml": "services: {a: {image: x, extends: a}}\n"},
    "includes nothing": {"compose.yaml": "include: [no.yaml]\nservices: {a: {image: x}}\n"},
    "includes itself": {"compose.yaml": "include: [compose.yaml]\nservices: {a: {image: x}}\n"},
    "a key that stands twice": {"compose.yaml": "services:\n  a: {image: x}\n  a: {image: y}\n"},
    "an anchor that is not there": {"compose.yaml": "services: {a: *b}\n"},
    "a tab": {"compose.yaml": "services:\n\ta: {image: x}\n"},
}


def folder_of(root: Path, content: Mapping[str, str]) -> Path:
    """Where the compose file is: below ``root`` where the case is about the folder's name."""
    write_files(root, content)
    name = next(iter(content))
    return (root / name).parent if name.endswith("/compose.yaml") else root


def environment(engine: Engine) -> dict[str, str]:
    return {**engine.environment("v2"), "HOME": "/home/me"}


def ask(folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    argv = ["docker", "compose", "--profile", "*", "config", "--format", "json"]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


def read(folder: Path, env: Mapping[str, str]) -> Project:
    return project.load(files.find(folder, env))[0]


def theirs(service: Mapping[str, Any]) -> dict[str, Any]:
    build = service.get("build")
    return {
        "container_name": service.get("container_name"),
        "image": service.get("image"),
        "user": service.get("user"),
        "working_dir": service.get("working_dir"),
        # config doubles every dollar sign, so that its output can be read again
        "command": [word.replace("$$", "$") for word in service.get("command") or []],
        "entrypoint": service.get("entrypoint"),
        "environment": {
            name: value.replace("$$", "$")
            for name, value in (service.get("environment") or {}).items()
            if value is not None
        },
        "build": None if build is None else their_build(build),
        "volumes": sorted(
            (one["type"], one.get("source", ""), one["target"], bool(one.get("read_only")))
            for one in service.get("volumes", [])
        ),
    }


def their_build(build: Mapping[str, Any]) -> tuple[str, str | None, dict[str, str]]:
    context = build["context"]
    inside = "dockerfile_inline" in build or "://" in context
    recipe = None if inside else os.path.normpath(Path(context, build["dockerfile"]))
    return context, recipe, build.get("args") or {}


def resolved(args: Mapping[str, str | None], env: Mapping[str, str]) -> dict[str, str]:
    """Arguments with the caller's values, as config shows them."""
    found = {name: env.get(name) if value is None else value for name, value in args.items()}
    return {name: value for name, value in found.items() if value is not None}


def ours(service: Service, env: Mapping[str, str]) -> dict[str, Any]:
    build = service.build
    entrypoint = service.entrypoint
    command = shlex.split(service.command) if isinstance(service.command, str) else list(service.command or ())
    return {
        "container_name": service.container_name,
        "image": service.image,
        "user": service.user,
        "working_dir": service.working_dir,
        "command": command,
        "entrypoint": shlex.split(entrypoint) if isinstance(entrypoint, str) else entrypoint and list(entrypoint),
        "environment": environment_of(service, env),
        "build": None if build is None else (build.context, build.dockerfile, resolved(build.args, env)),
        "volumes": sorted((one.kind, one.source or "", one.target, one.read_only) for one in service.mounts),
    }


@pytest.mark.parametrize("case", CASES)
def test_both_read_the_same(case: str, tmp_path: Path, docker_engine: Engine) -> None:
    folder = folder_of(tmp_path / "work", CASES[case])
    env = environment(docker_engine)
    done = ask(folder, env)
    assert done.returncode == 0, done.stderr
    config = json.loads(done.stdout)
    found = read(folder, env)
    assert found.name == config["name"]
    seen = files.find(folder, env).env
    assert {name: ours(one, seen) for name, one in found.services.items()} == {
        name: theirs(one) for name, one in config["services"].items()
    }


@pytest.mark.parametrize("case", REFUSED)
def test_both_refuse(case: str, tmp_path: Path, docker_engine: Engine) -> None:
    write_files(tmp_path, REFUSED[case])
    env = environment(docker_engine)
    assert ask(tmp_path, env).returncode != 0
    with pytest.raises(UsageError) as caught:
        read(tmp_path, env)
    assert caught.value.where is not None
    assert caught.value.where.file == str(tmp_path / "compose.yaml")


def test_what_init_writes_is_read_by_compose(tmp_path: Path, docker_engine: Engine, kobako: Any) -> None:
    for name in ("work", "機械学習"):
        folder = tmp_path / name
        env = environment(docker_engine)
        assert kobako("init", str(folder), cwd=tmp_path, env=env).code == 0
        done = ask(folder, env)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["name"] == read(folder, env).name
