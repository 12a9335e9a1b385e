"""Imports that no table knows, and that the repository itself names a package for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kobako.scan.code.imports import Imported
from kobako.scan.code.names import own_name
from kobako.scan.declaring.declared import Declared

HOSTED = frozenset({"google.colab", "kaggle_secrets", "kaggle_datasets", "dbutils"})
"""Modules that a hosted notebook has and nobody can install: code that imports them asks where it runs."""


def known_by_name(imports: Sequence[Imported], sources: Iterable[Declared]) -> tuple[Imported, ...]:
    """The imports, those without a distribution given the one that is declared, listed or told by the same name.

    ``taming`` is taken for ``taming-transformers`` where that is the only name of this kind: the author, who knows
    what is imported, asked for it.
    """
    named = {one.name for source in sources for one in (*source.requirements, *source.listed)}
    taken = {one.distribution for one in imports}
    return tuple(one if one.distribution else _named(one, named, taken) for one in imports)


def _named(one: Imported, names: set[str], taken: set[str]) -> Imported:
    own = own_name(one.module.partition(".")[0])
    longer = [name for name in names - taken if name.startswith(f"{own}-")]
    if own in names:
        return replace(one, distribution=own)
    return replace(one, distribution=longer[0]) if len(longer) == 1 else one
