"""Who starts the processes of several GPUs, by the script and what it imports from the repository."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kobako.model.requirement import Launch
from kobako.scan.code.arguments.sources import Scope

_MOST = 60
"""Modules that are looked at, those nearest to the script first."""

_LIGHTNING = frozenset({"pytorch_lightning", "lightning", "lightning_fabric"})
_SPAWNS = ("mp.spawn(", "multiprocessing.spawn(", "start_processes(", "notebook_launcher(", "xmp.spawn(")
_FORKS = re.compile(r"get_context\(\s*['\"]spawn['\"]")
_DISTRIBUTED = (
    *("init_process_group", "DistributedDataParallel", "init_distributed", "init_dist(", "LOCAL_RANK", "local_rank"),
    *("ddp_model", "DDP(", "FullyShardedDataParallel"),
)


def read(scope: Scope) -> Launch:
    """What is certain of the script itself comes first; then what is reached from it."""
    found = _of_script(scope)
    if found:
        return found
    texts = [one.module.text for one in _reached(scope)]
    if any("pytorch_lightning" in text or "import lightning" in text for text in texts) and _mentions(
        texts, "Trainer("
    ):
        return "lightning"
    if any(_FORKS.search(text) and "Process(" in text and "gpu" in text for text in texts):
        return "spawns"
    for words, launch in _BY_WORDS:
        if any(word in text for text in texts for word in words):
            return launch
    return ""


_BY_WORDS: tuple[tuple[tuple[str, ...], Launch], ...] = (
    (("Accelerator(",), "accelerate"),
    (_SPAWNS, "spawns"),
    (("deepspeed.initialize(",), "deepspeed"),
    (_DISTRIBUTED, "distributed"),
    (("DataParallel(",), "parallel"),
)


def _mentions(texts: list[str], word: str) -> bool:
    return any(word in text for text in texts)


def _of_script(scope: Scope) -> Launch:
    text = scope.module.text
    calls = [node for node in ast.walk(scope.module.syntax) if isinstance(node, ast.Call)]
    names = {scope.dotted(call.func) for call in calls}
    roots = {name.partition(".")[0] for name in names}
    if any(
        name.rpartition(".")[2] in {"Trainer", "LightningCLI"} and name.partition(".")[0] in _LIGHTNING
        for name in names
    ):
        return "lightning"
    if any(_launches(scope, call) for call in calls) or any(word in text for word in _SPAWNS):
        return "spawns"
    if "Accelerator(" in text and "accelerate" in text:
        return "accelerate"
    if "deepspeed" in roots and ("deepspeed.initialize" in names or "deepspeed.add_config_arguments" in names):
        return "deepspeed"
    if any(word in text for word in _DISTRIBUTED) or _is_transformers(scope, names):
        return "distributed"
    return ""


def _is_transformers(scope: Scope, names: set[str]) -> bool:
    """transformers' Trainer joins whatever torchrun started."""
    del scope
    return any(name.startswith(("transformers.", "trl.")) and name.endswith("Trainer") for name in names)


def _launches(scope: Scope, call: ast.Call) -> bool:
    """``launch(main, gpus, ...)`` of detectron2, or one of the repository's own that spawns."""
    name = scope.dotted(call.func)
    if name.rpartition(".")[2] != "launch" or not (call.args or call.keywords):
        return False
    found = scope.resolve(call.func)
    if found is None:
        return name.startswith(("detectron2", "yolox", "fvcore"))
    return any(word in found[0].module.text for word in ("spawn(", "Process("))


def _reached(scope: Scope) -> Iterator[Scope]:
    """The script and the modules of the repository that it imports, and those that they import."""
    seen, waiting = {scope.module.name}, [scope]
    while waiting and len(seen) <= _MOST:
        here = waiting.pop(0)
        yield here
        for module, member, level in here.imported.values():
            for dotted in (f"{module}.{member}".strip("."), module) if member else (module,):
                inner = here.sources.find(dotted, level, here.module.name) if dotted else None
                if inner is not None:
                    if inner.module.name not in seen:
                        seen.add(inner.module.name)
                        waiting.append(inner)
                    break
