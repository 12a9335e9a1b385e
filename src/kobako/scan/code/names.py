"""What an import name belongs to: the standard library, a distribution of the index, or something the index has not.

The tables are made by tools/refresh_import_names.py. Whatever they do not know for certain is a question.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

_GONE = """
_bootlocale _dummy_threading _pydatetime _sha256 _sha512 aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt
distutils dummy_threading formatter imghdr imp lib2to3 macpath mailcap msilib nis nntplib ossaudiodev parser pipes
smtpd sndhdr spwd sunau symbol telnetlib uu xdrlib
"""
"""Modules that some CPython from 3.6 to 3.13 had and a later one has no more. Python 3.12 without `distutils` gets it
from setuptools, which whoever builds anything has."""

_NEWER = "_pyrepl annotationlib compression contextvars dataclasses graphlib tomllib zoneinfo"
"""Modules that a CPython after 3.6 has and the one that runs this may lack."""

_PYTHON_2 = """
BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie Dialog DocXMLRPCServer FileDialog HTMLParser MimeWriter Queue
ScrolledText SimpleDialog SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tix Tkconstants Tkdnd Tkinter
UserDict UserList UserString __builtin__ _winreg anydbm bsddb cPickle cStringIO commands compiler cookielib copy_reg
dbhash dircache dl dumbdbm dummy_thread exceptions fpformat future_builtins gdbm gopherlib hotshot
htmlentitydefs htmllib httplib ihooks imageop imputil linuxaudiodev md5 mhlib mimetools mimify multifile mutex new
popen2 rexec rfc822 robotparser sets sgmllib sha statvfs stringold strop sunaudio thread tkColorChooser
tkCommonDialog tkFileDialog tkFont tkMessageBox tkSimpleDialog toaiff ttk urllib2 urlparse user whichdb xmllib
xmlrpclib
"""
"""The standard library of Python 2 where it is not Python 3's: no question, and nothing to install."""

STANDARD = frozenset({*sys.stdlib_module_names, *_GONE.split(), *_NEWER.split(), *_PYTHON_2.split(), "__main__"})


class Name(NamedTuple):
    """``distribution`` is "" unless ``certain``; ``hint`` helps a person where it is not, and may be "".

    ``module`` is the part of the name that was looked up with success, "" for none.
    """

    distribution: str
    certain: bool
    hint: str = ""
    module: str = ""


_UNKNOWN = Name("", certain=False)


def is_standard(module: str) -> bool:
    """Whether the module comes with some CPython: 2.7, or 3.6 and later."""
    return module.partition(".")[0] in STANDARD


def distribution_of(module: str) -> Name:
    """What a dotted name belongs to; the longest part of it that is known counts."""
    known, elsewhere = _known(), _elsewhere()
    while module:
        if module in elsewhere:
            return Name("", certain=False, hint=elsewhere[module], module=module)
        if module in known:
            return _name(module, known[module])
        module = module.rpartition(".")[0]
    return _UNKNOWN


def is_distribution(name: str) -> bool:
    """Whether the index surely has a distribution of that normalised name that holds Python modules."""
    return name in _distributions()


@cache
def _distributions() -> frozenset[str]:
    found: set[str] = set()
    for module, row in _known().items():
        distribution, confidence, _ = row.split(",", 2)
        if confidence not in {"never", "ambiguous"}:
            found.add(distribution or own_name(module))
    return frozenset(found)


def is_above(module: str) -> bool:
    """Whether some known name lies below that one: what is imported *from* it decides then."""
    return module in _above()


def own_name(module: str) -> str:
    """The distribution that has a module's own name (PEP 503)."""
    return module.replace("_", "-").replace(".", "-").lower()


def _name(module: str, row: str) -> Name:
    distribution, confidence, source = row.split(",", 2)
    if confidence == "ambiguous":
        return Name("", certain=False, hint=f"it may come with {' or '.join(distribution.split())}", module=module)
    if confidence == "never":
        return Name("", certain=False, hint=source.strip('"'), module=module)
    return Name(distribution or own_name(module), certain=True, module=module)


@cache
def _known() -> dict[str, str]:
    """The rest of a module's row, taken apart when it is asked for: no field of it needs quotes but a reason."""
    return dict(line.split(",", 1) for line in _lines("import_names"))


@cache
def _above() -> frozenset[str]:
    found: set[str] = set()
    for module in (*_known(), *_elsewhere()):
        if "." in module:
            parts = module.split(".")
            found.update(".".join(parts[:length]) for length in range(1, len(parts)))
    return frozenset(found)


@cache
def _elsewhere() -> dict[str, str]:
    import csv  # noqa: PLC0415 - not needed by every command

    rows = csv.DictReader(["module,what,how,note", *_lines("import_elsewhere")])
    return {row["module"]: "; ".join(filter(None, (row["what"], row["how"], row["note"]))) for row in rows}


def _lines(table: str) -> list[str]:
    from importlib import resources  # noqa: PLC0415

    text = resources.files("kobako.data").joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return text.splitlines()[1:]
