"""Where code stands in Markdown, reStructuredText and HTML, and below which headings."""

from __future__ import annotations

import pytest

from kobako.scan.told.blocks import blocks_of

MARKDOWN = """\
# Spam

Some text.

## Install

Do this:

```shell
pip install a
```

1. And then
   ~~~
   pip install b
   ~~~

> ```bash
> pip install c
> ```

    pip install d

Just run `pip install e` or `conda install -c x f`, not `pip`.

<details>
<summary>More <b>of it</b></summary>
<pre><code>pip install &quot;g&gt;=1&quot;
</code></pre>
</details>

<h2 align="center">Use</h2>
<!-- ```
pip install hidden
``` -->

**Step 1. Go**

```
pip install h

Setext
------
`pip install never-closed-above-is-code`
```
"""


def code(text: str, *, rst: bool = False) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(one.text.strip(), one.line, one.headings) for one in blocks_of(text, rst=rst) if one.kind != "prose"]


def test_markdown() -> None:
    assert code(MARKDOWN) == [
        ("pip install a", 10, ("Spam", "Install")),
        ("pip install b", 15, ("Spam", "Install")),
        ("pip install c", 19, ("Spam", "Install")),
        ("pip install d", 22, ("Spam", "Install")),
        ("pip install e", 24, ("Spam", "Install")),
        ("conda install -c x f", 24, ("Spam", "Install")),
        ('pip install "g>=1"', 28, ("Spam", "Install", "More of it")),
        (
            "pip install h\n\nSetext\n------\n`pip install never-closed-above-is-code`",
            40,
            ("Spam", "Use", "Step 1. Go"),
        ),
    ]


RST = """\
====
Spam
====

Install
=======

Type::

   pip install a

or ``pip install b``.

.. code-block:: console

   $ pip install c
   output

From source
-----------

.. tab:: Windows

   .. prompt:: bash

      pip install d
"""


def test_restructuredtext() -> None:
    assert [(text.split("\n")[0], line, headings[-1]) for text, line, headings in code(RST, rst=True)] == [
        ("pip install a", 10, "Install"),
        ("pip install b", 12, "Install"),
        ("$ pip install c", 16, "Install"),
        (".. prompt:: bash", 24, "Windows"),
    ]


def test_the_paragraph_above_is_kept() -> None:
    blocks = blocks_of("One.\n\nIf you want more:\nreally\n\n```\npip install a\n```\n")
    assert [one.lead for one in blocks if one.kind == "code"] == ["If you want more: really"]


def test_an_indented_paragraph_without_commands_is_prose() -> None:
    blocks = blocks_of("1. One\n\n    It needs Python 3.8+.\n    If you want:\n\n    ```\n    pip install a\n    ```\n")
    assert [(one.kind, one.line, one.lead) for one in blocks] == [
        ("prose", 1, ""),
        ("prose", 3, ""),
        ("prose", 4, ""),
        ("code", 7, "It needs Python 3.8+. If you want:"),
    ]


@pytest.mark.parametrize(
    "text", ["```\npip install a", "<pre>\npip install a", "~~~\n```\n", "#", "", "\n\n", "=\n===", "<!--"]
)
def test_what_is_never_closed(text: str) -> None:
    assert all(one.line >= 1 for one in blocks_of(text))
