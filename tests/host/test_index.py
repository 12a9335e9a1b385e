"""An index that cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.errors import UsageError
from kobako.pipconfig import PipConfig
from kobako.sources import index
from kobako.sources.model import Source


def test_an_index_that_does_not_answer(tmp_path: Path) -> None:
    config = PipConfig(index_url="http://127.0.0.1:9/simple", trusted_hosts=("127.0.0.1:9",))
    with pytest.raises(UsageError) as caught:
        index.download(Source("index", "toy==1.0", "toy==1.0", "toy"), tmp_path, config)
    assert (caught.value.code, caught.value.what) == (
        "bad-source",
        "toy==1.0 cannot be had from the package index (127.0.0.1)",
    )
