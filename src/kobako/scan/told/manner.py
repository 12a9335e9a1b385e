"""How something is told: as needed, as optional, or for another purpose than running the repository. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Manner(NamedTuple):
    """``why`` is the reason not to propose it, "" when there is none."""

    why: str = ""
    optional: bool = False

    def with_(self, other: Manner) -> Manner:
        return Manner(self.why or other.why, self.optional or other.optional)


PLAIN = Manner()
WEAK = Manner(optional=True)

_ASIDE: tuple[tuple[str, str], ...] = (
    ("for development", r"\bdevelop(?:ers?|ment)\b|\bcontribut\w+|\bdev\b(?![-.])|\bpre-?commit\b|开发|貢献|贡献|開発"),
    (
        "for tests",
        (
            r"\bunit ?tests?\b|\brun(?:ning)? (?:the )?tests?\b|^\W*(?:tests?|testing|code style|linting"
            r"|formatting)\W*$|テストの?実行|单元测试"
        ),
    ),
    ("for documents", r"\bdocumentation\b|\b(?:build|generat)\w* (?:the )?docs?\b|^\W*docs\W*$|\bsphinx\b"),
    ("for Docker", r"\bdocker\w*|\bsingularity\b|\bapptainer\b|\bpodman\b"),
    (
        "for another system",
        (
            r"\bwindows\b|\bwin(?:32|64|10|11)\b|\bmac ?os\b|\bosx\b|\bm[12] mac\b|\bapple\b|\bandroid\b|\bios\b"
            r"|\braspberry\b|\bjetson\b"
        ),
    ),
    (
        "for another device",
        (
            r"\bcpu[- ]only\b|\bonly cpu\b|\bcpu platforms?\b|\bcpu (?:version|build|环境|版)|\brocm\b|\bamd gpu"
            r"|\bascend\b|\bnpu\b|\bmps\b|\btpu\b|\bxpu\b|\bhpu\b|^\W*cpu\W*$"
        ),
    ),
    (
        "for deployment",
        (
            r"\bdeploy\w*|\bonnx\w*|\btensor ?rt\b|\bopenvino\b|\bncnn\b|\btorchserve\b|\bserving\b|\bcoreml\b"
            r"|\btriton server\b|\bexport(?:ing)?\b|部署|デプロイ"
        ),
    ),
    ("for a demo", r"\bdemos?\b|\bgradio\b|\bcolab\b|\bhugging ?face spaces?\b|\bweb ?ui\b|\breplicate\b|デモ|演示"),
    (
        "for upgrading or removing",
        r"\bupgrad\w+|\buninstall\w*|\btroubleshoot\w*|\bfaq\b|\bknown issues?\b|常见问题|よくある質問",
    ),
    ("history", r"\bchange ?logs?\b|\brelease notes?\b|\bhistory\b|更新日志|更新履歴|変更履歴"),
)
_ASIDE_PATTERNS = tuple((why, re.compile(pattern, re.IGNORECASE)) for why, pattern in _ASIDE)
_NOT_ASIDE = re.compile(
    r"\bget(?:ting)? started\b|\btrain\w*|\bwindows (?:and|or|/)|\blinux\b|\bubuntu\b|\bor windows\b", re.IGNORECASE
)
_OPTIONAL = re.compile(
    r"\boption(?:al(?:ly)?|s)?\b|\bif you(?:'d| would)? (?:want|wish|need|like|plan|intend|also|prefer)\b"
    r"|\bif needed\b|\bif necessary\b"
    r"|\b(?:extra|additional) (?:features?|functionalit\w+|dependenc\w+|requirements?)\b|\bplug-?ins?\b"
    r"|\bcan also\b|\bnice to have\b|\bnot (?:required|necessary|mandatory)\b"
    r"|\bto (?:enable|speed ?up|accelerate)\b|\bonly (?:needed|required) (?:if|for|when)\b"
    r"|可选|可選|如果需要|如需|オプション|任意|必要に応じて|必要な場合",
    re.IGNORECASE,
)
_FOR_WHOM = re.compile(
    r"(?:for|on|under|with|using|if you(?:'re| are)?|when|to)\b|\S+\s*(?:の場合|では|用户|用戶)", re.IGNORECASE
)
_INSTALL = re.compile(
    r"\binstall\w*|\brequire(?:d|s|ments?)?\b|\bprerequisites?\b|\bdependenc\w+|\benvironments?\b|\bset ?-?up\b"
    r"|\bsetting up\b"
    r"|\bquick ?-?start\b|\bget(?:ting)? started\b|\bpreparations?\b|\bprepare\b|\bbuild(?:ing)?\b|\bcompil\w+"
    r"|\busage\b"
    r"|安装|安裝|环境|環境|依赖|依賴|依存|インストール|セットアップ|準備|准备|要件|快速开始|快速開始|はじめに|使い方|导入",
    re.IGNORECASE,
)
_DATA = re.compile(r"\bdata ?-?sets?\b|\bdata prepar\w*|\bprepar\w* (?:the )?data\b|数据|データ", re.IGNORECASE)
_NO_VERSIONS = re.compile(
    r"\bchange ?logs?\b|\bnews\b|\bwhat.?s new\b|\bupdates?\b|\breleases?\b|\bhistory\b|\bcitations?\b"
    r"|\bciting\b|\breferences?\b"
    r"|\bmodel zoo\b|\bbenchmarks?\b|\bresults?\b|\bperformance\b|\backnowledge?ments?\b|\blicen[cs]e\b|\bfaq\b"
    r"|\btroubleshoot\w*"
    r"|\bto-?do\b|\broadmap\b|\bpre-?trained (?:models?|weights?)\b|\bprojects?\b|\bdocker\b|\bcontribut\w+"
    r"|更新|引用|模型库|基准|结果|変更履歴|ニュース|謝辞|致谢",
    re.IGNORECASE,
)


def of_headings(headings: Sequence[str], *, has_chapter: bool) -> Manner:
    """What the headings above a block make of it. ``has_chapter``: somewhere in the file is a chapter on installing."""
    for heading in headings:
        for why, pattern in _ASIDE_PATTERNS:
            if pattern.search(heading) and not _NOT_ASIDE.search(heading):
                return Manner(f"told {why}: below `{heading[:80]}`")
    if any(_OPTIONAL.search(heading) for heading in headings):
        return WEAK
    return PLAIN if not has_chapter or any(is_chapter(one) for one in headings) else WEAK


def of_remark(text: str) -> Manner:
    """What a comment beside a command, or the sentence above a block, makes of it."""
    text = text[-400:]
    for why, pattern in _ASIDE_PATTERNS:
        if pattern.search(text) and not _NOT_ASIDE.search(text):
            return Manner(f"told {why}: `{text[:80]}`")
    return WEAK if _OPTIONAL.search(text) else PLAIN


def of_lead(paragraph: str) -> Manner:
    """What the paragraph above a block makes of it: its last sentence, where that begins by saying for whom it is."""
    sentence = re.split(r"(?<=[.!?])\s+|(?<=。)", paragraph.strip()[-400:])[-1].lstrip("*-> 0123456789.")
    if len(sentence) < 160 and _FOR_WHOM.match(sentence):
        return of_remark(sentence)
    return WEAK if _OPTIONAL.search(sentence) else PLAIN


def is_chapter(heading: str) -> bool:
    """Whether a heading promises how to install the repository (data sets are prepared otherwise)."""
    return bool(_INSTALL.search(heading)) and not _DATA.search(heading)


def tells_versions(headings: Sequence[str]) -> bool:
    """Whether versions below these headings can be what the repository runs with: not news, results or citations."""
    return not any(_NO_VERSIONS.search(heading) for heading in headings)
