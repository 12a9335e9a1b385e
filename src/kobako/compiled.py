"""Where a Dockerfile keeps wheels that it compiled, from one build of the image to the next. Pure.

A step that compiles against PyTorch has a folder of its own in a cache mount, named after all that its wheels depend
on, and looked for in it before anything is compiled. uv's own cache does not do: it knows a built wheel by its version
and Python alone, and asks the index again whether the source is still the same, to which some mirrors never say yes.
"""

from __future__ import annotations

from kobako.model.recipe import Command

FOLDER = "/root/.cache/built"
MOUNT = f"--mount=type=cache,target={FOLDER},sharing=locked"
"""Locked: two builds at a time would compile the same twice."""

TORCH = "$(python3 -c 'import torch; print(torch.__version__)')"
SETTINGS = "env | grep -E 'CUDA|TORCH' | cat - /proc/$$/cmdline /etc/os-release | sha256sum | head -c 12)"
"""What a compiled wheel depends on beside its own version and its Python. ``/proc/$$/cmdline`` is the step itself as
the shell got it: with the settings before the command, and what a person may have added to them.
"""

PLACE = (f"{FOLDER}/{TORCH}-$( \\", f"    {SETTINGS}")
"""The folder, as two lines of a step."""

_WORK = f"{FOLDER}/uv"
BEFORE = (f"rm -rf {_WORK}", "mkdir -p $built")
VARIABLES = f"UV_CACHE_DIR={_WORK} UV_FIND_LINKS=$built"
AFTER = (f"find {_WORK}/sdists-* -name '*.whl' -exec mv -t $built {{}} +", f"rm -rf {_WORK}")
"""uv leaves what it built in its cache, beside trees of many times its size. A wheel moves in one go: a build that is
killed leaves no half one, and the next build clears up after it.
"""

_AROUND = frozenset({*BEFORE, *AFTER})


def belongs(command: Command) -> bool:
    """Whether a command of a step only says or tidies where wheels are kept."""
    if command.kind == "assignment":
        return all(one.text.startswith(f"built={FOLDER}/") for one in command.assignments)
    return not command.assignments and " ".join(word.text for word in command.words) in _AROUND


def is_place(assignment: str) -> bool:
    """Whether a variable before an install says the same: an engine that keeps wheels by itself leaves it out."""
    return assignment.startswith("PIP_CACHE_DIR=") or assignment in VARIABLES.split()
