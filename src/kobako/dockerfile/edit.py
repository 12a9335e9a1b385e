"""Edits of a Dockerfile: text in, new text out, and every byte that was not meant is what it was.

Each edit is a splice at a position that the parser gave; then the result is parsed again and compared with the old
text: all other instructions the same byte for byte, the target different in exactly what was meant. What cannot be
proved so is refused with UsageError("cannot-edit") and the line.
"""

from kobako.dockerfile.edit_base import set_base
from kobako.dockerfile.edit_packages import Install, add_packages, remove_packages
from kobako.dockerfile.edit_step import Place, add_step, remove_step

__all__ = ["Install", "Place", "add_packages", "add_step", "remove_packages", "remove_step", "set_base"]
