"""``NAME==VERSION``: the sdist from the package index that pip is configured for. None of its code is run."""

from __future__ import annotations

import hashlib
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kobako import pipconfig
from kobako.errors import UsageError
from kobako.pipconfig import PipConfig
from kobako.sources.model import Source
from kobako.sources.spec import hide

if TYPE_CHECKING:
    from unearth import Link, PackageFinder

MAX_DOWNLOAD = 4 * 1024**3


def download(source: Source, into: Path, config: PipConfig | None = None) -> tuple[Path, str]:
    """Find the sdist, download it to ``into`` and check its hash. Returns the file and the version."""
    import httpx2  # noqa: PLC0415 - heavy, and needed for this kind of source only

    settings = config or pipconfig.read()
    try:
        finder = finder_of(settings, ignore_compatibility=True, no_binary=[":all:"])
        link, version = _find(finder, source)
        target = into / Path(link.filename).name
        _save(finder, link, target, source)
    except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError) as error:
        raise _unreachable(source, error) from error
    except ValueError as error:  # unearth's word for a find-links entry that is neither path nor URL
        raise UsageError("bad-source", f"{source.location} cannot be looked up", why=hide(str(error))) from error
    return target, version


def finder_of(config: PipConfig, **wanted: Any) -> PackageFinder:
    from unearth import PackageFinder  # noqa: PLC0415 - heavy
    from unearth.auth import MultiDomainBasicAuth  # noqa: PLC0415
    from unearth.fetchers.sync import PyPIClient  # noqa: PLC0415

    default = [one["url"] for one in PackageFinder().sources]
    indexes: list[str] = []
    if not config.no_index:
        indexes = [*([config.index_url] if config.index_url else default), *config.extra_index_urls]
    options: dict[str, Any] = {"timeout": 30.0, "follow_redirects": True}
    if config.cert:
        options["verify"] = ssl.create_default_context(cafile=config.cert)
    if config.client_cert:
        options["cert"] = config.client_cert
    if config.proxy:
        options["proxy"] = config.proxy
    # Any: unearth's protocol for a session is narrower than httpx's client, which it is made for
    client: Any = PyPIClient(trusted_hosts=config.trusted_hosts, **options)
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=indexes)
    finder = PackageFinder(
        client,
        index_urls=indexes,
        find_links=config.find_links,
        trusted_hosts=config.trusted_hosts,
        **wanted,
    )
    # With nothing configured at all (no-index and no find-links) the finder would add an index of its own accord.
    finder.sources = [one for one in finder.sources if one["type"] != "index" or one["url"] in indexes]
    return finder


class _Heard(logging.Handler):
    """Keeps what unearth logs: it goes on without an index that refuses, and says so there alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(hide(record.getMessage()))


@contextmanager
def listening() -> Iterator[list[str]]:
    logger, heard = logging.getLogger("unearth"), _Heard()
    before = logger.propagate
    logger.addHandler(heard)
    logger.propagate = False
    try:
        yield heard.lines
    finally:
        logger.removeHandler(heard)
        logger.propagate = before


def _find(finder: PackageFinder, source: Source) -> tuple[Link, str]:
    with listening() as heard:
        finder_match = finder.find_best_match(source.location, allow_yanked=True, allow_prereleases=True)
        best = finder_match.best
    if best is not None:
        return best.link, best.version or source.location.partition("==")[2]
    versions = list(dict.fromkeys(one.version for one in finder_match.candidates if one.version))
    if versions:
        shown = ", ".join(versions[:5])
        raise UsageError("bad-source", f"no index has an sdist of {source.location}", fix=f"it has {shown}")
    refused = [line for line in heard if "(404)" not in line]
    raise UsageError(
        "bad-source",
        f"no index has an sdist of {source.location}",
        why=refused[0] if refused else "Kobako adds sources: a package that exists as wheels only has none",
        fix="check pip's configuration: pip config list" if refused else "add its git repository instead",
    )


def _save(finder: PackageFinder, link: Link, target: Path, source: Source) -> None:
    wanted = dict(link.hashes or {})
    if link.hash_name and link.hash:
        wanted[link.hash_name] = link.hash
    known = {name: value for name, value in wanted.items() if name in hashlib.algorithms_guaranteed}
    digests = {name: hashlib.new(name) for name in known}
    with finder.session.get_stream(link.normalized, headers={"Accept-Encoding": "identity"}) as response:
        response.raise_for_status()
        with target.open("wb") as file:
            size = 0
            for block in response.iter_bytes(1024 * 1024):
                size += len(block)
                if size > MAX_DOWNLOAD:
                    raise UsageError("bad-source", f"{link.filename} is larger than {MAX_DOWNLOAD // 1024**3} GiB")
                file.write(block)
                for digest in digests.values():
                    digest.update(block)
    if any(digest.hexdigest() != known[name] for name, digest in digests.items()):
        what = f"{link.filename} is not what the index says it is"
        raise UsageError("bad-source", what, why="its hash differs", fix=f"try again: kobako add {source.location}")


def _unreachable(source: Source, error: Exception) -> UsageError:
    request = getattr(error, "_request", None)
    host = urlsplit(str(request.url)).hostname if request is not None else None
    where = f" ({host})" if host else ""
    return UsageError(
        "bad-source",
        f"{source.location} cannot be had from the package index{where}",
        why=hide(str(error)) or type(error).__name__,
        fix="check the connection and pip's configuration: pip config list",
    )
