"""Images that are not in the table of NGC's: PyTorch's own and Python's, where no release of NGC fits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kobako.choose import offers, specifier
from kobako.choose.judge import judge
from kobako.choose.wants import Constraint
from kobako.data import tables
from kobako.data.tables import TorchRelease, numbers


class Alternative(NamedTuple):
    """An image that nothing speaks against. ``note`` says what is to be done or not known; "" where all is known."""

    image: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.image} ({self.note})" if self.note else self.image


def alternatives(constraints: Sequence[Constraint]) -> tuple[Alternative, ...]:
    """The best of pytorch/pytorch, and a python image for which the index has a torch; where they are any use."""
    asked = [one for one in constraints if one.kind != "as-of"]
    if not any(one.kind in {"torch", "cuda", "python"} for one in asked):
        return ()
    found = [next(iter(_pytorch(asked)), None), next(iter(_python(asked)), None)]
    return tuple(one for one in found if one is not None)


def _pytorch(asked: Sequence[Constraint]) -> list[Alternative]:
    """The newest first; with the compiler (``devel``). The tables do not say for which GPUs they were built."""
    found: list[Alternative] = []
    for row in reversed(tables.pytorch_images()):
        image = f"pytorch/pytorch:{row.tag}-devel"
        verdicts = [(one.kind, judge(offers.named(image), one)) for one in asked]
        if all(one.state == "yes" or (one.state == "unknown" and kind == "gpu") for kind, one in verdicts):
            unknown = [one.said for _, one in verdicts if one.state == "unknown"]
            found.append(Alternative(image, f"not known: {'; '.join(unknown)}" if unknown else ""))
    return found


def _python(asked: Sequence[Constraint]) -> Iterator[Alternative]:
    """A python image and the torch to install in it, the newest first."""
    for release in reversed(tables.torch_releases()):
        for python in sorted(release.pythons, key=numbers, reverse=True):
            cuda = _build(release, asked)
            if cuda and _fits(release, python, asked):
                yield Alternative(
                    f"python:{python}-slim", f"with torch {release.version} for CUDA {cuda} from PyTorch's index"
                )


def _fits(release: TorchRelease, python: str, asked: Sequence[Constraint]) -> bool:
    for one in asked:
        if one.kind == "torch" and not specifier.fits(one.wanted, (release.version,)):
            return False
        if one.kind == "python" and not specifier.python_fits(one.wanted, (python,)):
            return False
    return True


def _build(release: TorchRelease, asked: Sequence[Constraint]) -> str:
    """The newest CUDA that the release was built for and that the constraints allow, or ""."""
    for cuda in reversed(release.cudas):
        toolkit = tables.cuda_toolkit(cuda)
        if toolkit is not None and all(_serves(toolkit, cuda, one) for one in asked):
            return cuda
    return ""


def _serves(toolkit: tables.CudaToolkit, cuda: str, one: Constraint) -> bool:
    if one.kind == "cuda":
        return bool(specifier.fits(one.wanted, (cuda,)))
    if one.kind == "driver":
        enough = numbers(toolkit.driver_minor or toolkit.driver)
        have = numbers(one.wanted)
        return have >= enough[: len(have)]
    if one.kind == "gpu" and toolkit.capability_min:
        low, high = numbers(toolkit.capability_min), numbers(toolkit.capability_max)
        return low <= numbers(one.capability) <= high
    return True
