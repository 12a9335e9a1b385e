"""What a script's code says about it: whether it can be started, whether it trains, who is to launch it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kobako.scan.code.arguments.sources import Definition, Scope

_NO_DATA = (
    r"(?!.*(?:loader|data|set|split|transform|sampler|cfg|conf|arg|opt|param|logger|iter|input|file|path|mode|__))"
)
_TRAIN_CALL = re.compile(
    rf"{_NO_DATA}(?:(?:do_|run_|start_|launch_|main_|_)?(?:pre)?train(?:ing)?(?:_\w+)?|_?fine_?tune(?:_\w+)?|trainEpoch"
    r"|trainModel|learn|training_loop)|fit_one_cycle|fit_flat_cos|train_?one_?epoch"
)
_OPTIMIZER_CALL = re.compile(r"(?:build|create|get|make|configure|init|setup)_optimi[sz]ers?")
_OPTIMIZERS = frozenset({"Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "LAMB", "Lamb", "Lion", "Momentum", "RAdam"})
_TRAINER = re.compile(r"\w*(?:Trainer|Learner)(?:Cls|Class)?|Runner|EpochBasedRunner|IterBasedRunner")
_MODELS = re.compile(
    r".*(?:model|net|module|encoder|decoder|generator|discriminator|critic|actor|self)\w*", re.IGNORECASE
)
_TRAIN_TOKENS = (".backward(", ".fit(", "optimizer.step(", ".train_step(", ".apply_gradients(", "minimize(", "Trainer(")
_COMMANDS = frozenset({"command", "main", "automain", "wrap", "group"})
_MOST_RESOLVED = 40


class Evidence(NamedTuple):
    """``starts`` says how the script runs, ``trains`` and ``weakly`` what in it trains, ``launch`` who starts it."""

    starts: tuple[str, ...] = ()
    trains: tuple[str, ...] = ()
    weakly: tuple[str, ...] = ()
    launch: str = ""


def read(scope: Scope) -> Evidence:
    nodes = list(ast.walk(scope.module.syntax))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    strong: dict[str, None] = {}
    weak: dict[str, None] = {}
    is_certain = False
    for call in calls:
        word, is_strong = _trains(scope, call)
        if word:
            (strong if is_strong else weak)[word] = None
            is_certain |= is_strong and not (isinstance(call.func, ast.Name) and call.func.id in own)
    if not is_certain:  # functions of its own that are only named for training say little
        weak = {**strong, **weak}
        strong = dict.fromkeys(_delegated(scope, calls))
    return Evidence(tuple(_starts(scope, nodes)), tuple(strong), tuple(weak), _launch(scope, calls))


def _trains(scope: Scope, call: ast.Call) -> tuple[str, bool]:
    """A word for what in a call trains ("" for nothing), and whether it is certain."""
    called, name = call.func, _name(call.func)
    if isinstance(called, ast.Attribute):
        if name in {"backward", "apply_gradients", "minimize", "manual_backward"}:
            return name, True
        if name in {"fit", "fit_generator", "train_on_batch"}:
            return name, bool(call.args or call.keywords)
        if name == "train":
            return _train_method(called.value, call)
    if name in {"LightningCLI", "GradientTape", "value_and_grad"}:
        return name, True
    if name in _OPTIMIZERS or _OPTIMIZER_CALL.fullmatch(name) or ".optim." in f".{scope.dotted(called)}.":
        return "optimizer", True
    if _TRAINER.fullmatch(name) or name in {"launch_training", "get_trainer", "build_trainer"}:
        return name, True
    return (f"{name}()", True) if _TRAIN_CALL.fullmatch(name) and name != "train" else _train_function(called)


def _train_method(owner: ast.expr, call: ast.Call) -> tuple[str, bool]:
    """``trainer.train()`` trains; ``model.train()`` and ``net.train(True)`` only set a mode."""
    text = _name(owner)
    arguments = [one for one in call.args if not isinstance(one, ast.Constant)] or call.keywords
    is_mode = not arguments and (_MODELS.fullmatch(text) is not None or bool(call.args))
    return (f"{text}.train()" if text else "train()"), not is_mode


def _train_function(called: ast.expr) -> tuple[str, bool]:
    return ("train()", True) if isinstance(called, ast.Name) and called.id == "train" else ("", False)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _delegated(scope: Scope, calls: list[ast.Call]) -> list[str]:
    """Functions and classes of other modules of the repository that the script calls and that train.

    One step more is taken: a module's ``run`` may only hand over to another function.
    """
    found: list[str] = []
    seen: set[str] = set()
    for inner, definition in _called(scope, calls, seen):
        if inner is scope:
            continue
        further = (node for node in ast.walk(definition) if isinstance(node, ast.Call))
        if _holds(inner, definition, _TRAIN_TOKENS) or any(
            _holds(last, one, _TRAIN_TOKENS) for last, one in _called(inner, further, seen)
        ):
            found.append(f"{definition.name} of {inner.module.name}")
    return found[:2]


def _called(scope: Scope, calls: Iterable[ast.Call], seen: set[str]) -> Iterator[tuple[Scope, Definition]]:
    """What the calls lead to, within the repository; no name twice, and not too many of them."""
    for call in calls:
        name = scope.dotted(call.func)
        if not name or f"{scope.module.name}:{name}" in seen or len(seen) >= _MOST_RESOLVED:
            continue
        seen.add(f"{scope.module.name}:{name}")
        resolved = scope.resolve(call.func)
        if resolved is not None:
            yield resolved


def _holds(scope: Scope, definition: Definition, tokens: Iterable[str]) -> bool:
    lines = scope.module.text.split("\n")[definition.lineno - 1 : definition.end_lineno]
    return any(token in line for line in lines for token in tokens)


def _starts(scope: Scope, nodes: list[ast.AST]) -> list[str]:
    found = []
    body = scope.module.syntax.body
    if any(isinstance(node, ast.If) and _is_main_guard(node.test) for node in body):
        found.append("has `if __name__ == '__main__'`")
    elif _runs_when_read(body):
        found.append("runs when it is read (no main guard)")
    if not found:
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        if any(_makes_command(one) for function in functions for one in function.decorator_list):
            found.append("has a command (a decorated function)")
    return found


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _runs_when_read(body: list[ast.stmt]) -> bool:
    """Whether the module does something by itself: loops, or calls that are no declaration."""
    loops = sum(isinstance(node, ast.For | ast.While | ast.With) for node in body)
    calls = sum(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in body)
    return loops > 0 or calls > 1 or any(_is_main_call(node) for node in body)


def _is_main_call(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"main", "train", "run"}


def _makes_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in _COMMANDS


def _launch(scope: Scope, calls: list[ast.Call]) -> str:
    """Who is to start the script when there are several GPUs."""
    text = scope.module.text
    names = {
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
        for call in calls
    }
    if "Accelerator" in names:
        return "for `accelerate launch`"
    if "deepspeed" in text and ("add_config_arguments" in names or "initialize" in names):
        return "for the deepspeed launcher"
    if "local_rank" in text or "local-rank" in text or "LOCAL_RANK" in text:
        return "for a distributed launcher such as torchrun (local_rank)"
    if "spawn" in names or "launch" in names:
        return "starts a process per GPU itself"
    if "init_process_group" in text or "init_distributed" in text or "init_dist" in text:
        return "for a distributed launcher such as torchrun (torch.distributed)"
    if "DataParallel" in text or "Trainer" in names or "LightningCLI" in names:
        return "can use several GPUs by itself"
    return ""
