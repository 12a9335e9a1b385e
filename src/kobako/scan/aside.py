"""Files that are not what a repository is about: its tests, documents, examples, deployment and so on."""

from __future__ import annotations

import re
from functools import lru_cache

_OUTSIDE = frozenset(
    {
        *("test", "tests", "testing", "unittest", "unittests", "doc", "docs", "documentation", "ci", "benchmark"),
        *("benchmarks", "deploy", "deployment", "export", "onnx", "tensorrt", "demo", "demos", "packaging", "docker"),
        *("serving", "torchserve", "analysis_tools", "dataset_converters", "model_converters", "test_utils", "dev"),
        *("dev_scripts", "build", "dist", "android", "ios", "web", "website", "app", "apps"),
    }
)
_VENDORED = frozenset(
    {
        *("third_party", "thirdparty", "3rdparty", "third-party", "external", "externals", "extern", "vendor"),
        *("vendored", "submodules", "deps"),
    }
)
_EXAMPLES = frozenset({"example", "examples", "sample", "samples", "tutorial", "tutorials", "playground", "notebooks"})
_SIDE_WORDS = frozenset(
    {
        *("test", "tests", "testing", "eval", "evaluate", "evaluation", "evaluator", "val", "validate", "validation"),
        *("infer", "inference", "predict", "prediction", "demo", "export", "deploy", "convert", "converter", "onnx"),
        *("benchmark", "visualize", "visualise", "visualization", "vis", "plot", "analyze", "analyse", "analysis"),
        *("download", "prepare", "preprocess", "preprocessing", "upload", "setup", "conftest", "speed", "flops"),
        *("server", "serve", "webui", "gradio", "app", "show", "browse", "profile", "profiler"),
        *(
            "trt",
            "tensorrt",
            "quantize",
            "quant",
            "prune",
            "publish",
            "split",
            "merge",
            "extract",
            "postprocess",
            "recog",
        ),
        *("decode", "score", "annotate", "label", "crawl", "stats", "statistics", "generate", "sample", "sampling"),
    }
)
_TRAINS = ("train", "finetune", "fit")
_WORD = re.compile(r"[a-z0-9]+")


@lru_cache(maxsize=4096)
def _folder(folder: str) -> str:
    parts = [part.strip("._") for part in folder.lower().split("/")]
    if any(part in _OUTSIDE or part.startswith("test_") for part in parts):
        return "outside"
    if any(part in _VENDORED for part in parts):
        return "vendored"
    return "examples" if any(part in _EXAMPLES for part in parts) else ""


def folder_kind(name: str) -> str:
    """Of a file: "outside" when it lies among tests, documents, deployment or the like; "vendored"; "examples"; ""."""
    return _folder(name.rpartition("/")[0])


def side_word(name: str) -> str:
    """The word of a file's own name that says that it does something besides training ("eval", "export"); else ""."""
    stem = name.rpartition("/")[2].rpartition(".")[0].lower()
    words = _WORD.findall(stem.replace("_", " "))
    found = next((word for word in words if word in _SIDE_WORDS), "")
    if found and found != words[0] and any(word.startswith(_TRAINS) for word in words):
        return ""  # train_val, run_train_eval; but not prepare_train_data
    return found


def is_aside(name: str) -> bool:
    """Whether what a file says holds for itself only, not for the repository's main work."""
    return bool(folder_kind(name) or side_word(name)) and name != "setup.py"
