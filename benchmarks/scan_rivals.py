"""pipreqs, fawltydeps and deptry, in a virtual environment of their own, each driven as its user would drive it best.

Of each tool several ways were tried over the public corpus; the one with the best mean F1 is the one here:

- **pipreqs** reads imports alone, whatever else a tree holds. Folders of tests, documents and examples are left out
  (mean F1 .55; with them .54). A file that it cannot parse ends it: that file's folder is left out too then.
- **fawltydeps** lists the requirements declared (``--list-deps``) in the files that it is pointed to: a requirements
  file for running where there is one, else setup.py, setup.cfg and pyproject.toml; where that gives nothing, its
  imports speak (.74; declarations alone .57, sought in the whole tree .44). Its mapping of imports to packages knows
  what is installed and takes the name itself for the rest. ``--install-deps``, which downloads and installs what is
  declared, is not used: no other tool here needs the packages themselves.
- **deptry** takes its declarations from pyproject.toml, else from the requirements file that it is pointed to; where
  there is neither, the imports that it reports as missing speak (.63; alone .28). Its mapping is like fawltydeps'.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import measure

PINNED = {"pipreqs": "0.5.0", "fawltydeps": "0.20.0", "deptry": "0.25.1"}

ABSENT = frozenset({
    *("_jsonnet", "_k2", "accimage", "cauchy_mult", "core", "cv2", "deformable_detr_ops", "ext_op"),
    *("fast_transformers", "get_ipython", "habana_frameworks", "icefall", "imagenetv2_pytorch", "llama_cpp"),
    *("longformer", "mc", "mpl_toolkits", "msamp", "oneccl_bindings_for_pytorch", "panopticapi", "petrel_client"),
    *("poptorch", "pytorch_grad_cam", "pywt", "smdistributed", "tacotron_cleaner", "torch2trt", "torch_ccl"),
    *("torch_dipu", "torch_mlu", "torch_musa", "torchdistx", "umap", "vietnamese_cleaner", "warprnnt_pytorch"),
})  # fmt: skip
"""Of the 296 names that pipreqs asks for over the public corpus, those that a list of PyPI's names (2026-11) lacks."""

ASIDE = (
    *("tests", "test", "docs", "doc", "examples", "example", "tutorials", "tutorial", "notebooks"),
    *("benchmarks", "scripts", "projects"),
)
RUNNING = (
    *("requirements.txt", "requirements/runtime.txt", "requirements/requirements.txt"),
    *("requirements/base.txt", "requirements/core.txt"),
)
PACKAGE = ("pyproject.toml", "setup.cfg", "setup.py")


@dataclass(frozen=True)
class Answer:
    """The names a tool gives for a tree, as it writes them, and what that cost."""

    names: frozenset[str]
    spent: measure.Spent


Ask = Callable[[Path], Answer]


@dataclass(frozen=True)
class Tool:
    """Two ways to ask: with all files, and by imports only."""

    files: Ask
    imports: Ask


@contextmanager
def installed(venv: Path, names: Path | None = None) -> Iterator[Mapping[str, Tool]]:
    """The tools, installed to ``venv`` with uv where they are not there yet.

    pipreqs asks the index for each name that it has seen imported and drops those that are not there. Hundreds of
    guessed names are no way to treat an index, and its answers change: a stand-in on this machine answers instead,
    from ``names`` (a text whose lines begin with a name that exists) or, without it, by saying no to ``ABSENT`` alone.
    """
    program = _install(venv)
    with _index(_existing(names)) as address:
        pipreqs = _pipreqs(program("pipreqs"), address)
        yield {
            "pipreqs": Tool(pipreqs, pipreqs),
            "fawltydeps": _fawltydeps(program("fawltydeps")),
            "deptry": _deptry(program("deptry")),
        }


def _install(venv: Path) -> Callable[[str], str]:
    uv = measure.uv()
    stamp = venv / "pinned.json"
    if not stamp.exists() or json.loads(stamp.read_text()) != PINNED:
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, venv], check=True)
        wanted = [f"{name}=={version}" for name, version in PINNED.items()]
        subprocess.run([uv, "pip", "install", "-q", "-p", venv / "bin" / "python", *wanted], check=True)
        stamp.write_text(json.dumps(PINNED))
    return lambda name: str(venv / "bin" / name)


def _pipreqs(program: str, index: str) -> Ask:
    def ask(tree: Path) -> Answer:
        ignored = list(ASIDE)
        for _ in range(8):
            argv = [program, "--print", "--mode", "no-pin", "--pypi-server", index, "--ignore", ",".join(ignored)]
            done = measure.spend([*argv, str(tree)], tree)
            if done.code == 0:
                return Answer(frozenset(re.findall(r"^[\w.-]+$", done.stdout, re.MULTILINE)), done.spent)
            failed = re.search(r"Failed on file: (.+)", done.stderr)
            if failed is None:
                raise SystemExit(f"pipreqs {tree}: exit code {done.code}\n{done.stderr}")
            ignored.append(Path(failed[1]).parent.name)
        return Answer(frozenset(), done.spent)

    return ask


def _fawltydeps(program: str) -> Tool:
    def run(tree: Path, what: str, *options: str) -> tuple[frozenset[str], measure.Spent]:
        done = measure.spend([program, "--json", f"--list-{what}", *options], tree)
        key = {"deps": "declared_deps", "imports": "imports"}[what]
        found = json.loads(done.stdout)[key] if done.code == 0 else ()
        return frozenset(one["name"] for one in found), done.spent

    def imports(tree: Path) -> Answer:
        aside = [f"{name}/" for name in ASIDE]
        names, spent = run(tree, "imports", "--exclude", ".*", "setup.py", *aside)
        return Answer(frozenset(name.partition(".")[0] for name in names), spent)

    def files(tree: Path) -> Answer:
        spent = measure.Spent()
        package = [name for name in PACKAGE if (tree / name).is_file()]
        running = [name for name in RUNNING if (tree / name).is_file()][:1]
        for options in ([*running, "--deps-parser-choice", "requirements.txt"] if running else [], package):
            if options:
                names, more = run(tree, "deps", "--deps", *options)
                spent += more
                if names:
                    return Answer(names, spent)
        last = imports(tree)
        return Answer(last.names, spent + last.spent)

    return Tool(files, imports)


def _deptry(program: str) -> Tool:
    def run(tree: Path, *options: str) -> tuple[frozenset[str], frozenset[str], measure.Spent]:
        """What it sees declared, what it reports as missing, and what that cost."""
        with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
            output = Path(name, "found.json")
            root = "src" if (tree / "src").is_dir() else "."
            aside = f"(.*/)?({'|'.join(ASIDE)})/"
            argv = [program, root, "--no-ansi", "-v", "-o", str(output), "-ee", aside, *options]
            done = measure.spend(argv, tree)
            found = json.loads(output.read_text()) if output.exists() else ()
        declared = done.stderr.partition("The project contains the following dev dependencies")[0]
        missing = frozenset(one["module"] for one in found if one["error"]["code"] in {"DEP001", "DEP003"})
        listed = re.findall(r"^Dependency '([^']+)' with top-levels", declared, re.MULTILINE)
        return frozenset(listed), missing, done.spent

    def imports(tree: Path) -> Answer:
        with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
            for file in ("pyproject.toml", "requirements.txt"):
                Path(name, file).touch()
            nothing = ("--config", f"{name}/pyproject.toml", "-rf", f"{name}/requirements.txt")
            _, missing, spent = run(tree, *nothing)
        return Answer(missing, spent)

    def files(tree: Path) -> Answer:
        running = [name for name in RUNNING if (tree / name).is_file()][:1]
        declared, _, spent = run(tree, *(["-rf", *running] if running else []))
        if declared:
            return Answer(declared, spent)
        last = imports(tree)
        return Answer(last.names, spent + last.spent)

    return Tool(files, imports)


def _existing(names: Path | None) -> Callable[[str], bool]:
    if names is None:
        return lambda name: name not in ABSENT
    with names.open() as lines:
        existing = {normalised(re.split(r"\s", line, maxsplit=1)[0]) for line in lines}
    return lambda name: normalised(name) in existing


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


@contextmanager
def _index(exists: Callable[[str], bool]) -> Iterator[str]:
    """The address of an index that knows of each name whether it exists, and one version of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.split("/")[1]
            about = {"name": name, "version": "0", "package_url": ""}
            release = {"url": "", "packagetype": "sdist", "md5_digest": "", "filename": "", "size": 0}
            release |= {"upload_time": "2020-01-01T00:00:00", "python_version": "source", "has_sig": False}
            body = json.dumps({"info": about, "releases": {"0": [{**release, "downloads": 0, "comment_text": ""}]}})
            self.send_response(200 if exists(name) else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
