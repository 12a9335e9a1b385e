"""Files with the packages of a repository's own family, installed apart (OpenMMLab's mim reads them)."""

from __future__ import annotations

from dataclasses import replace

from kobako.scan.declaring import requirements_txt
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.requirement_files import MM_INSTALL
from kobako.scan.tree import Tree

NAMES = (MM_INSTALL,)


def read(tree: Tree) -> Declared | None:
    """What mim would install first; None where there is no such file.

    The origin is "platform": the packages are needed because of what the code is, and their builds depend on torch.
    """
    names = [name for name in NAMES if tree.is_file(name)]
    if not names:
        return None
    found = Declared()
    for name in names:
        found.merge(requirements_txt.read(tree, name))
    found.requirements = [replace(one, origin="platform", role="project") for one in found.requirements]
    return found
