"""What the name of an image says about the environment it was built for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kobako.catalogue import final, recognise
from kobako.errors import KobakoError
from kobako.model.finding import Finding
from kobako.scan.declaring.declared import Declared
from kobako.scan.told.versions import SUBJECTS, Minor, bound_of, is_sane, minor_of

_FAMILIES = frozenset({"ngc", "pytorch", "python", "cuda"})
"""Images that somebody chose for what is in them; a distribution's Python came along by chance."""


@dataclass
class Points:
    """Releases that something was tested with, by subject."""

    told: dict[str, list[tuple[Minor, Finding]]] = field(default_factory=lambda: {subject: [] for subject in SUBJECTS})

    def add(self, subject: str, version: str, finding: Finding) -> bool:
        minor = minor_of(version)
        if minor is None or not is_sane(subject, minor):
            return False
        self.told[subject].append((minor, finding))
        return True

    def add_image(self, reference: str, finding: Finding) -> None:
        """The versions that an image holds, where its name or the tables tell them."""
        try:
            image = recognise(reference)
        except KobakoError:  # no name of an image: a variable, or nothing at all
            return
        if image.family not in _FAMILIES:
            return
        versions = {"python": image.python if image.family != "cuda" else "", "torch": image.torch, "cuda": image.cuda}
        for subject, version in versions.items():
            self.add(subject, _release(version), finding)

    def add_bounds(self, found: Declared) -> None:
        """Single releases among the bounds of another reader."""
        for subject in SUBJECTS:
            for bound in getattr(found, subject):
                version = bound.specifier.removeprefix("==")
                if bound.specifier.startswith("==") and "," not in version:
                    for finding in bound.findings:
                        self.add(subject, version, finding)

    def declared(self, subjects: Sequence[str] = SUBJECTS) -> Declared:
        """One wish for each subject: from the lowest to the highest."""
        found = Declared()
        for subject in subjects:
            bound = bound_of(self.told[subject])
            if bound:
                getattr(found, subject).append(bound)
        return found


def _release(version: str) -> str:
    """NGC's ``1.11.0a0+17540c5`` is 1.11.0 for this purpose."""
    return final(version) if version else ""
