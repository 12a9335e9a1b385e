r"""How programs tell of their training on the console: one row per form, with where that form is known from.

A row has a ``mark``, which is looked for first and costs next to nothing, and a form. Its groups are ``epoch``,
``epochs``, ``iteration``, ``iterations``, ``eta``, ``phase`` and ``rest``: in the rest stand names with numbers. Every
repetition is bounded, or the last one: a stranger's line must not take longer than its length. Letters and digits are
those of ASCII: ``\d`` would also take the digits of other scripts, and the long s for an s.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LIKE = re.IGNORECASE | re.ASCII
_NUMBER = r"\d{1,12}"
_DECIMAL = r"[-+]?(?:\d{1,20}(?:\.\d{0,20})?(?:[eE][-+]?\d{1,3})?|\.\d{1,20}|nan|inf)"
_CLOCK = r"(?:\d{1,5} days?, )?\d{1,5}:\d\d(?::\d\d)?"
_NAMES = {
    "<EPOCH>": rf"(?P<epoch>{_NUMBER})",
    "<EPOCHS>": rf"(?P<epochs>{_NUMBER})",
    "<I/N>": rf"\s{{0,9}}(?P<iteration>{_NUMBER})\s{{0,4}}/\s{{0,12}}(?P<iterations>{_NUMBER})",
    "<N>": _NUMBER,
    "<F>": _DECIMAL,
    "<REST>": r"(?P<rest>.*)",
    " +": r"\s{1,40}",
}


class Pattern(NamedTuple):
    """One form of line."""

    name: str
    known_from: str
    mark: str
    form: re.Pattern[str]
    first: int = 1
    """The number that the program gives to its first epoch; -1 where programs differ."""
    phase: str = "train"
    whole: bool = False
    """Whether the ETA is that of the whole training, not of the epoch."""
    values: str = ":"
    """What stands between a name and its number in the rest: a colon, ``=``, a blank, or ``'``, as in a Python dict."""


def _form(text: str) -> re.Pattern[str]:
    for name, stands_for in _NAMES.items():
        text = text.replace(name, stands_for)
    return re.compile(text, _LIKE)


PATTERNS = (
    Pattern(
        "OpenMMLab",
        "mmengine's LogProcessor; mmcv's TextLoggerHook when it evaluates",
        "Epoch(",
        _form(r"Epoch\((?P<phase>train|val|test)\) +\[<EPOCH>\](?:\[<I/N>\])?<REST>"),
        whole=True,
    ),
    Pattern(
        "mmengine, by iteration",
        "mmengine's LogProcessor with by_epoch=False",
        "Iter(",
        _form(r"Iter\((?P<phase>train|val|test)\) +\[<I/N>\]<REST>"),
        whole=True,
    ),
    Pattern(
        "mmcv 1.x",
        "mmcv's TextLoggerHook",
        "Epoch [",
        _form(r"Epoch \[<EPOCH>\]\[<I/N>\]<REST>"),
        whole=True,
    ),
    Pattern(
        "mmcv 1.x, by iteration",
        "mmcv's TextLoggerHook with by_epoch=False",
        "Iter [",
        _form(r"Iter \[<I/N>\]<REST>"),
        whole=True,
    ),
    Pattern("mmcv 1.x, at its start", "mmcv's EpochBasedRunner", ", max: ", _form(r", max: <EPOCHS> epochs")),
    Pattern("mmengine's configuration", "mmengine's Runner", "max_epochs=", _form(r"\bmax_epochs=<EPOCHS>,")),
    Pattern(
        "YOLOX",
        "yolox.core.Trainer.after_iter",
        "iter_time:",
        _form(r"epoch: <EPOCH>/<EPOCHS>, iter: <I/N>, <REST>"),
        whole=True,
    ),
    Pattern(
        "detectron2",
        "detectron2's CommonMetricPrinter",
        "iter: ",
        _form(rf"(?:eta: (?P<eta>{_CLOCK}) +)?iter: (?P<iteration><N>) +(?P<rest>.*loss.*)"),
        whole=True,
    ),
    Pattern(
        "PaddleDetection",
        "ppdet's LogPrinter",
        " ips: ",
        _form(r"Epoch: \[<EPOCH>\] +\[<I/N>\]<REST>"),
        first=0,
        whole=True,
    ),
    Pattern(
        "MetricLogger",
        "torchvision's references; DETR, DeiT and MAE have it from there",
        "Epoch: [",
        _form(r"Epoch: \[<EPOCH>\] +\[<I/N>\]<REST>"),
        first=0,
    ),
    Pattern(
        "PyTorch's ImageNet example",
        "pytorch/examples, imagenet: ProgressMeter",
        "Epoch: [",
        _form(r"Epoch: \[<EPOCH>\]\[<I/N>\]<REST>"),
        first=0,
        values=" ",
    ),
    Pattern(
        "PyTorch's MNIST example",
        "pytorch/examples, mnist: train()",
        "Train Epoch: ",
        _form(r"Train Epoch: <EPOCH> \[<I/N> \(<N>%\)\]<REST>"),
    ),
    Pattern(
        "timm",
        "timm's train.py: train_one_epoch",
        "Train: ",
        _form(r"Train: <EPOCH>(?:/<EPOCHS>)? \[<I/N> \(\s{0,4}<N>%\)\]<REST>"),
        first=0,
    ),
    Pattern(
        "Megatron-LM",
        "megatron.training: training_log",
        "consumed samples",
        _form(r"iteration +<I/N> \|<REST>"),
        whole=True,
    ),
    Pattern("nanoGPT", "karpathy/nanoGPT", "iter ", _form(r"^iter (?P<iteration><N>): (?P<rest>loss .*)"), values=" "),
    Pattern(
        "nanoGPT, evaluation",
        "karpathy/nanoGPT",
        "step ",
        _form(r"^step (?P<iteration><N>): (?P<rest>(?:train|val) loss .*)"),
        values=" ",
    ),
    Pattern(
        "darknet",
        "AlexeyAB/darknet: train_detector",
        "avg loss",
        _form(r"^\s{0,9}(?P<iteration><N>): <F>, (?P<loss><F>) avg loss, (?P<lr><F>) rate, (?P<seconds><F>) seconds"),
    ),
    Pattern(
        "Hugging Face",
        "transformers' PrinterCallback and ProgressCallback",
        "{'",
        _form(r"^(?P<rest>\{'(?:loss|eval_\w{1,80})'.*'epoch'.*)"),
        values="'",
    ),
    Pattern(
        "Kobako's demo",
        "kobako demo",
        "epoch ",
        _form(r"^epoch +<EPOCH>/<EPOCHS> +(?:\[[#.]{0,200}\] +)?(?P<rest>loss .*)"),
        whole=True,
        values=" ",
    ),
    Pattern(
        "ultralytics",
        "ultralytics' BaseTrainer; YOLOv5's train.py",
        "G ",
        _form(r"^\s{0,20}<EPOCH>/<EPOCHS> +[\d.]{1,12}G +(?P<columns>[-+\d.enaif \t]{1,300})(?::\s{0,9}(?P<bar>.*))?"),
        first=-1,
    ),
    Pattern(
        "Keras",
        "keras.utils.Progbar",
        "/",
        _form(r"^<I/N> +(?:\[[=>.]{1,100}\]|[\u2501\u2500 ]{3,100})\s{0,9}(?P<rest>.*)"),
        first=-1,
    ),
    Pattern(
        "Lightning's rich bar",
        "lightning's RichProgressBar",
        "\u2022",
        _form(
            r"^Epoch <EPOCH>/<EPOCHS> +[\u2501\u2578\u257a ]{1,200}<I/N> [-\d: ]{1,20}\u2022 [-\d:]{1,20} +"
            r"(?P<pace>[\d.]{1,20})it/s<REST>"
        ),
        first=0,
    ),
    Pattern(
        "tqdm",
        "tqdm's format_meter; Lightning, Hugging Face and many scripts use it",
        "%|",
        _form(
            r"^(?P<said>[^%|]{0,120}?)\s{0,9}\d{1,3}%\|[^|]{0,400}\| ?<I/N> \[[\d:]{1,20}<(?P<left>[\d:?]{1,20}),"
            r"\s{0,9}(?P<pace>[\d.?]{1,20})\s{0,4}(?P<unit>[a-z]{1,20}/s|s/[a-z]{1,20})(?:, (?P<rest>[^\]]{0,2000}))?\]"
        ),
        first=-1,
        values="=",
    ),
    Pattern(
        "a tutorial's line",
        "yunjey/pytorch-tutorial and its many children",
        "tep",
        _form(r"\bEpoch:? \[?<EPOCH>/<EPOCHS>\]?,? (?:Batch)?Step:? \[?<I/N>\]?,?<REST>"),
    ),
    Pattern(
        "an epoch's head", "Keras and scripts of many hands", "poch", _form(r"^Epoch:? \[?<EPOCH> ?/ ?<EPOCHS>\]?$"), -1
    ),
    Pattern(
        "an epoch's line",
        "scripts of many hands",
        "poch",
        _form(r"(?:^|[\s\]])Epoch[ :=#\[(]{0,3}<EPOCH>(?: ?/ ?<EPOCHS>)?\b(?P<rest>.*loss.*)"),
        first=-1,
    ),
)

_NAME = r"(?P<name>[A-Za-z][\w./@-]{0,40}(?: [A-Za-z][\w./@-]{0,40}){0,3})"
_VALUE = rf"(?P<value>{_DECIMAL})(?P<unit>%|[A-Za-z]{{0,4}})"
PAIRS = {
    ":": re.compile(rf"{_NAME}\s{{0,4}}[:=]\s{{0,20}}{_VALUE}", _LIKE),
    "=": re.compile(rf"(?P<name>[A-Za-z][\w./@-]{{0,60}})=\s{{0,4}}{_VALUE}", _LIKE),
    " ": re.compile(rf"(?P<name>[A-Za-z][\w./@]{{0,60}}(?: loss)?)[ \t]{{1,9}}{_VALUE}(?![\w:/])", _LIKE),
    "'": re.compile(rf"'(?P<name>[^']{{1,100}})': ?'?(?P<value>{_DECIMAL})'?(?P<unit>)", _LIKE),
}
ETA = re.compile(rf"\beta:? ?(?P<eta>{_CLOCK}|\d{{1,9}}s\b)", _LIKE)
SAMPLES = re.compile(r"(?<![\w.])(?P<pace>\d{1,9}(?:\.\d{0,9})?) ?(?:images|imgs?|samples|tokens)?/s(?:ec)?\b")
PER_STEP = re.compile(r"(?<![\w.])(?P<pace>\d{1,9})(?P<unit>s|ms|us)/step", re.ASCII)
BAR = re.compile(
    rf"\d{{1,3}}%.{{1,200}}?\s(?P<iteration>{_NUMBER})/(?P<iterations>{_NUMBER})\b"
    r"(?:[^\]]{0,60}?(?P<pace>[\d.]{1,9})it/s)?",
    re.ASCII,
)
HEADER = re.compile(r"^\s{1,20}Epoch\s{1,20}gpu_mem\s{1,20}(?P<names>[\w \t]{1,300})$", _LIKE)
EVALUATED = re.compile(
    rf"^\s{{1,40}}all(?:\s{{1,20}}{_NUMBER}){{2}}(?P<numbers>(?:\s{{1,20}}{_DECIMAL}){{4}})\s{{0,40}}$",
    _LIKE,
)
