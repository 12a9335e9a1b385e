"""Where a Dockerfile keeps wheels that it compiled, from one build of the image to the next. Pure.

An install that compiles against PyTorch runs after ``keep-wheels``, a script that the Dockerfile writes. It gives the
install a folder of a cache mount, named after all that its wheels depend on and looked into before anything is
compiled. uv's own cache does not do: it knows a built wheel by its version and Python alone, and asks the index again
whether the source is still the same, to which some mirrors never say yes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kobako.model.recipe import Step

FOLDER = "/root/.cache/built"
MOUNT = f"--mount=type=cache,target={FOLDER},sharing=locked"
"""Locked: two builds at a time would compile the same twice, and one would clear the other's work away."""

NAME = "keep-wheels"
PROGRAM = f"/opt/kobako/{NAME}"

_KEY = (
    "#!/bin/sh -e",
    'torch=$(python3 -c "import torch; print(torch.__version__, torch.version.cuda)")',
    "numpy=$(python3 -m pip list --format=freeze | grep ^numpy= || :)",
    'settings=$(env | grep -viE "^(kobako_fresh|max_jobs|tz|[a-z]+_proxy)=")',
    'key=$(echo "$torch $numpy $settings $*" | cat - /etc/os-release | sha256sum | head -c 16)',
)
"""What a compiled wheel depends on beside its own version and its Python. ``$*`` is the install, ``env`` has the
settings before it and those of the image.
"""

UV = (
    *_KEY,
    f"export UV_CACHE_DIR={FOLDER}/uv UV_FIND_LINKS={FOLDER}/$key",
    "rm -rf $UV_CACHE_DIR && mkdir -p $UV_CACHE_DIR $UV_FIND_LINKS",
    '"$@"',
    'find $UV_CACHE_DIR -path "*/sdists-*" -name "*.whl" -exec mv -t $UV_FIND_LINKS {} +',
    "rm -rf $UV_CACHE_DIR",
)
"""uv leaves what it built in its cache, beside trees of many times its size. A wheel moves in one go: a build that is
killed leaves no half one, and the next build clears up after it.
"""

PIP = (*_KEY, f'PIP_CACHE_DIR={FOLDER}/$key "$@"')
"""pip keeps what it built under the address of its source: it needs no more than a folder of its own."""


def writing(script: Sequence[str]) -> tuple[str, ...]:
    """The lines of the step that writes the script into the image."""
    lines = _lines(script)
    return (*(f"{line} \\" for line in lines[:-1]), lines[-1])


def written(step: Step) -> tuple[str, ...] | None:
    """The script that a step writes into the image, where it is one of these; None for any other step."""
    return _STEPS.get(" ".join(step.value.split())) if step.kind == "run" else None


def _lines(script: Sequence[str]) -> tuple[str, ...]:
    return ("RUN printf '%s\\n'", *(f"    '{line}'" for line in script), f"    > {PROGRAM} && chmod +x {PROGRAM}")


_STEPS = {" ".join(" ".join(_lines(script)).split()).removeprefix("RUN "): script for script in (UV, PIP)}
