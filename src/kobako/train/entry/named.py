"""Scripts that are called for training where none was seen to train: they may import what trains from elsewhere."""

from __future__ import annotations

import re

from kobako.train.entry.repository import Repository

_NAME = re.compile(r"(?:run_|do_|main_)?(?:pre)?(?:train|finetune|fine_tune)(?:ing|er|_net|_model)?\.py|train_\w+\.py")
_ASIDE = frozenset({"test", "tests", "doc", "docs", "third_party", "vendor", "external", "build", "dist"})
_PARSERS = ("argparse", "ArgumentParser", "click", "typer", "absl", "Fire(", "docopt", "tyro", "parse_args", "sys.argv")
_DEEPEST = 3


def of(repository: Repository) -> tuple[str, ...]:
    """Those with a main guard that read arguments, the likeliest first."""
    found = []
    for name in repository.files:
        *folders, file = name.split("/")
        if len(folders) > _DEEPEST or _ASIDE & set(folders) or not _NAME.fullmatch(file.lower().replace("-", "_")):
            continue
        text = repository.read(name) or ""
        if "__main__" in text and any(one in text for one in _PARSERS):
            found.append((len(folders), file != "train.py", name))
    return tuple(name for _, _, name in sorted(found))
