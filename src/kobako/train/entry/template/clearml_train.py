#!/usr/bin/env python3
"""Trains this repository: one command for a person, a script and a queue.

    python <Name>/tools/clearml_train.py --config=... [--nproc_per_node=2] [--resume] [--clearml=offline] ...

`--help` lists all options, `--dry_run` tells what would be run. Every option is --key=value (dashes and underscores
are equal), because a ClearML queue can pass nothing else. One process trains right here; several are started by
torchrun, each as this same file again, which then becomes the training script. What was run, with what and how it
ended stands in work_dirs/.runs/<id>/. ClearML is used where it is installed and configured, and is not needed.

Written by Kobako, for this repository to keep: it needs Python 3.6 and its standard library, nothing else.
From top to bottom: settings, texts, options, checks, the trace of a run, its console and logs, ClearML, running, main.
"""

# flake8: noqa: E402
import os
import sys

TOOLS = os.path.dirname(os.path.abspath(__file__))
if sys.path and os.path.realpath(sys.path[0] or ".") == os.path.realpath(TOOLS):
    del sys.path[0]  # what lies beside this file is for the training script to import, not for this one

import builtins
import collections
import difflib
import glob
import hashlib
import importlib
import io
import json
import re
import select
import shlex
import shutil
import signal
import subprocess
import threading
import time
import traceback
import types
import warnings

# ---- Settings: what is known of this repository. Change them where they are wrong. ----
NAME = "example"
SCRIPT = "tools/train.py"
STYLE = "argparse"
OPTIONS = (("config", "", "value", True, "the configuration"),)
COMPLETE = True
PYTHONPATH = (".",)
CONFIG = "config"
WORK_DIR = ("--work-dir", "{}")
RESUME = ("--resume-from", "{}")
RESUME_AUTO = ()
LAUNCHER = "torchrun"
DISTRIBUTED = ("--launcher", "pytorch")
DEVICES = ()
LOCAL_RANK = "--local_rank"
MODULE = ""
FIRST = ()
# ---- End of the settings ----

REPO = os.path.dirname(TOOLS)
RUNS = os.path.join(REPO, "work_dirs", ".runs")
START = os.path.join(os.getcwd(), "")
JOB = "TRAIN_ENTRY_JOB"  # the variable that tells a process of torchrun what to do

# ---- Texts: problems, secrets, files ----


class Refused(Exception):
    """Why no training starts: its arguments are all problems that were found."""


def problem(what, why=None, fix=None):
    return {"what": what, "why": why, "fix": fix}


def refuse(what, why=None, fix=None):
    raise Refused(problem(what, why, fix)) from None


def quietly(do, *words):
    """For what may fail without harm: None then."""
    try:
        return do(*words)
    except (OSError, ValueError, AttributeError, subprocess.SubprocessError):
        return None


def say(text):
    quietly(lambda: (sys.stderr.write(text + "\n"), sys.stderr.flush()))


def tell(found, kind="error"):
    lines = ["  {}: {}".format(key, found[key]) for key in ("why", "fix") if found[key]]
    say(masked("\n".join(["{}: {}".format(kind, found["what"])] + lines)))


# What names a credential, in the same words as Kobako's own rule. A model's tokens are none, nor are keys to sort by.
ORDINARY = (
    "add|all|audio|begin|bos|by|class|cls|count|decoder|dist|drop|end|eos|extra|first|frame|global|image|img|keep|last"
    "|latent|level|mask|max|memory|merge|min|n|new|next|no|num|object|pad|patch|per|prefix|prompt|prune|query|register"
    "|sep|seq|soft|sos|special|start|stop|sub|summary|task|text|time|trigger|unk|use|video|visual|vocab|with|word"
)
OF_KEYS = (
    "access|account|api|auth|aws|azure|bearer|client|comet|encryption|kaggle|license|openai|private|refresh|secret"
    "|session|signing|ssh|storage|wandb"
)
SECRET = (
    r"(?=[\w-]{0,200}?(?:key|token|pass|pwd|secret|credential|auth|jwt|pat|string))"  # quickly past all other words
    r"(?!(?:[\w-]{0,200}[_-])?(?:%s)[_-]?token(?:[_-]?v?\d{1,3})?(?![\w-]))"
    r"(?:[\w-]{0,200}(?:(?:%s)[_-]?(?:key|token)s?|(?:password|passwd|passphrase|secret|credential)s?|token"
    r"|authorization|connection[_-]?string|jwt)"
    r"|(?-i:[A-Z0-9_]{1,200}_(?:KEY|PASS|PWD|PAT|AUTH_CONFIG)))(?:[_-]?v?\d{1,3})?"
) % (ORDINARY, OF_KEYS)
ADDRESS = r"(://)[^/\s?#\"'<>]+@"
OPTION = r"(?<![\w-])--%s(?:=|\s{1,20}(?!-))" % SECRET
NO_VALUE = r"(?!(?:str|int|float|bool|bytes|None|null|true|false)\b|[A-Za-z_][\w.]{0,100}[(\[])"  # a type, a call
SCHEME = r"(?:(?:bearer|basic)\s{1,20})?"  # Authorization: Bearer VALUE
SHOWN = r"(?i)%s|(%s|(?<![\w-])[\"']?%s[\"']?(?:[=:](?![=\s])|\s{0,20}[=:](?!=)\s{1,20}%s|\s{1,20}[=:](?![=\s])))"
SHOWN = re.compile(SHOWN % (ADDRESS, OPTION, SECRET, NO_VALUE) + r"(?:\"[^\"]*\"|'[^']*'|%s\S+)" % SCHEME)
LITERAL = r"(?im)%s|((?<![\w-])[\"']?%s[\"']?\]?\s{0,20}[=:](?!=)\s{0,20}[\"']?%s|%s)"
LITERAL %= (ADDRESS, SECRET, SCHEME, OPTION)
LITERAL += r"(?:(?<=[\"'])(?:[^\"'\s]{6,}|(?![^\"'\n]*[{%])[^\"'\s][^\"'\n]{4,}[^\"'\s])(?=[\"'])"
LITERAL += r"|(?<=[=:\s])(?=\S*\d)[\w+/.~-]{8,}(?=\s*$|[\"']))"
PAIR = r"(?i)(?<![\w-])%s[\"']?[=:]\s{0,20}%s(?=\"([^\"]+)|'([^']+)|([^\s\"')}\]]{1,4000}))" % (SECRET, SCHEME)
SECRETS = []


def is_secret(name):
    return re.match("(?i)(?:" + SECRET + ")$", name.lstrip("-+~")) is not None  # Hydra: +api_key=...


def learn(words):
    """Values that are not to be read in any file: of variables and of options that are named for a credential."""
    found = [value for name, value in os.environ.items() if is_secret(name)]
    for before, word in zip([""] + words, words):
        name, equals, value = word.partition("=")
        found += [value] * is_secret(name.rpartition(".")[2]) + [word] * is_value(before, word)
    for value in ["".join(pair) for text in words + found for pair in re.findall(PAIR, text)]:
        found += [value, re.split("[,;&]", value)[0]]  # a=1 wandb.api_key=VALUE
    for text in words + list(os.environ.values()):
        found += re.findall(r"://(?:[^/\s?#\"'<>:@]*:)?([^/\s?#\"'<>]+)@", text)
    forms = {form for one in found for form in (one, repr(one)[1:-1], json.dumps(one)[1:-1]) if len(one) > 5}
    SECRETS[:] = sorted(forms, key=len, reverse=True)


def is_value(before, word):
    return before.startswith("--") and is_secret(before) and not word.startswith("-")


def masked(text, rule=SHOWN):
    """No credential goes into a file or to a server: none that is known, in an address, or behind such a name."""
    for secret in SECRETS:
        text = text.replace(secret, "***")
    return re.sub(rule, lambda found: found.group(1) + "***@" if found.group(1) else found.group(2) + "***", text)


def cleaned(value):
    """The same for all texts in a value that becomes JSON; also for the word after --api-key."""
    if isinstance(value, dict):
        return collections.OrderedDict((key, cleaned(one)) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        before = [""] + [one if isinstance(one, str) else "-" for one in value]
        return ["***" if is_value(*pair) else cleaned(one) for pair, one in zip(zip(before, before[1:]), value)]
    return masked(value) if isinstance(value, str) else value


def near(path):
    """As seen from the working directory, where it is below it."""
    path = os.path.abspath(path)
    return path[len(START) :] if path.startswith(START) else path


def read(path, last=0):
    """The text of a file, or its last bytes; "" where there is none."""
    try:
        with io.open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - last) if last else 0)
            return file.read(4000000).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def walk(folder):
    """Files below a folder, without what is not the training's."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".git", ".runs", "__pycache__"))
        for name in files:
            yield os.path.join(here, name)


def holds(path):
    return os.path.isfile(path) or bool(quietly(os.listdir, path))


def filled(words, value):
    return [word.replace("{}", value) for word in words]


def installed(*names):
    """Where a module's file lies, found without importing anything."""
    paths = (os.path.join(folder or ".", *names) for folder in sys.path)
    return next((path for path in paths if os.path.exists(path)), None)


# ---- Options: this file's own, the training script's, and words that are passed on as they are ----

Option = collections.namedtuple("Option", "name flag takes required help")
HERE = -1  # as a flag: an option of this file; among the script's words: the place for those of --resume
TORCHRUN = (
    "nproc_per_node nnodes node_rank standalone rdzv_backend rdzv_endpoint rdzv_id rdzv_conf max_restarts"
    " monitor_interval start_method role master_addr master_port local_addr"
).split()
OWN = [
    Option("config", HERE, "value", False, "the configuration to train with"),
    Option("work_dir", HERE, "value", False, "folder for all output; default work_dirs/<configuration> here"),
    Option("resume", HERE, "maybe", False, "go on from this checkpoint, or from the newest one in work_dir"),
    Option("dataset_id", HERE, "value", False, "fetch this data set of ClearML Data first"),
    Option("dataset_path", HERE, "value", False, "where the data is, or is fetched to"),
    Option("clearml", HERE, "value", False, "auto (default), on, off or offline"),
    Option("clearml_project", HERE, "value", False, "default: " + NAME),
    Option("clearml_task", HERE, "value", False, "default: the name of the configuration"),
    Option("dry_run", HERE, "flag", False, "tell what would be run, and stop"),
    Option("help", HERE, "flag", False, "this text"),
]
OWN += [Option(n, HERE, "flag" if n == "standalone" else "value", False, "as torchrun has it") for n in TORCHRUN]
THEIRS = [Option(*fields) for fields in OPTIONS]
REST = next((option for option in THEIRS if option.takes == "rest"), None)


HYDRA_SWITCHES = "-m --multirun -r --run --resolve --hydra-help -sc --shell-completion".split() * (STYLE == "hydra")


def alike(key):
    return key.replace("-", "_")


def spellings():
    """Every way to write an option -> the option, and the value that this way stands for ("false" for --no-x)."""
    table, same = {}, {WORK_DIR: "work_dir", RESUME: "resume"}
    # what both have is the script's where this file would not know what to do with it
    theirs = {"config": not CONFIG, "work_dir": not WORK_DIR, "resume": not (RESUME or RESUME_AUTO)}
    for option in THEIRS:
        name, (on, _, off) = option.name, option.flag.partition("/")
        if option.takes == "switch":
            table.update((alike(key), (option, "false")) for key in (off, "--no_" + name, "--no" + name))
        own = "config" if name == CONFIG else same.get((on, "{}"))
        option = option._replace(name=own, flag=HERE) if own else option
        table.update((alike(key), (option, None)) for key in (on, "--" + name))
    for option in OWN:
        if alike("--" + option.name) not in table or not theirs.get(option.name, option.name in TORCHRUN):
            table[alike("--" + option.name)] = (option, None)
    return table


KNOWN = spellings()


class Given:
    """The command line, understood."""

    def __init__(self, argv):
        self.argv, self.own, self.theirs, self.unknown, self.rest, self.problems = argv, {}, [], [], [], []
        self.notes = []
        words, loose = list(argv), []
        while words:
            word = words.pop(0)
            if word == "--":
                self.rest, words = words, []
            elif word.startswith("-") and word != "-":
                self.option(word, words)
            else:
                (self.unknown if STYLE in ("hydra", "free") else loose).append(word)
        self.place(loose)

    def option(self, word, words):
        key, equals, value = word.partition("=")
        option, meant = KNOWN.get(alike(key), (None, None))
        if option is None:
            self.foreign(word, key, words)
            return
        value = meant or (value if equals else following(option.takes, words))
        if value is None and option.takes in ("value", "values", "rest"):
            self.problems.append(problem("{} needs a value".format(key), None, "{}=VALUE".format(key)))
        elif option.takes in ("values", "rest") and quietly(shlex.split, value) is None:
            self.problems.append(problem("the quotes in {} do not match".format(key), value))
        else:
            self.give(option, value)

    def give(self, option, value):
        if option.flag != HERE:
            self.theirs.append((option, value))
        elif option.takes == "flag":
            self.own.update({option.name: ""} if truth(value) else {})
        else:  # a queue can give no option without a value: --resume=true
            bare = ("true", "auto") if RESUME_AUTO else ("true",)
            self.own[option.name] = "" if option.takes == "maybe" and (value or "true").lower() in bare else value

    def foreign(self, word, key, words):
        """An option that is not known here: passed on, as the script spells it, unless it cannot be the script's."""
        source, name = read(os.path.join(REPO, SCRIPT)), alike(key.lstrip("-"))
        ways = (key, key.replace("_", "-"), "--" + name)
        spelled = [one for one in ways if re.search(re.escape(one) + r"(?![\w-])", source)]
        if STYLE == "hydra" and "=" in word:
            self.unknown.append(word.lstrip("-"))
        elif spelled or not COMPLETE or STYLE in ("hydra", "free") or re.search(r"\b%s\b" % re.escape(name), source):
            value = None if "=" in word or word in HYDRA_SWITCHES else following("value", words)
            self.unknown += [(spelled + [key])[0] + word[len(key) :]] + [value] * (value is not None)
        else:
            close = difflib.get_close_matches("--" + name, ["--" + o.name for o in OWN + THEIRS], 1, 0.75)
            fix = "did you mean {}?".format(close[0]) if close and name[1:] else "--help lists all"
            before = "; an option of kobako train stands before the service" if re.match("-[euwT]$", key) else ""
            fix += "" if close and name[1:] else "; words after -- are passed on" + before
            self.problems.append(problem("no option {}".format(key), "{} does not take it".format(SCRIPT), fix))

    def place(self, loose):
        """Give words without an option's name to the script's positional arguments, as its own command line does."""
        have = [option.name for option, _ in self.theirs] + [CONFIG] * ("config" in self.own)
        free = [o for o in THEIRS if not o.flag and o.takes != "rest" and o.name not in have]
        while loose and free:
            self.give(KNOWN[alike("--" + free[0].name)][0], loose.pop(0))
            if free[0].takes != "values":
                free.pop(0)
        if REST or not COMPLETE:
            self.rest = loose + self.rest
        elif loose:
            self.problems.append(problem("cannot place: " + " ".join(loose), "options are written --name=value"))

    def get(self, name, default=None):
        return self.own.get(name) or default

    def as_options(self):
        """What a queue may give back another day: everything that is about the training itself."""
        pairs = [pair for pair in self.own.items() if not pair[0].startswith(("clearml", "dry_run"))]
        return {name: value or "true" for name, value in pairs + [(o.name, value) for o, value in self.theirs]}

    @property
    def stem(self):
        return os.path.splitext(os.path.basename(self.get("config", "")))[0] or "default"


def following(takes, words):
    """The value as a word of its own, where it cannot be anything else."""
    taken = []
    most = {"value": 1, "values": 999, "rest": 999}.get(takes, 0)
    while len(taken) < most and words and re.match(r"[^-]|-\d|-?$", words[0]):
        taken.append(words.pop(0))
    return " ".join(shlex.quote(word) for word in taken) if len(taken) > 1 else taken[0] if taken else None


def truth(value):
    return value is None or value.lower() not in ("false", "no", "off", "0", "none")


def words_of(option, value):
    """One option as the training script takes it."""
    flag, _, off = option.flag.partition("/")
    if option.takes in ("flag", "off"):
        return [flag] * (int(value) if (value or "").isdigit() else truth(value))
    if option.takes == "switch":
        return [flag if truth(value) else off or ("--no" if STYLE == "absl" else "--no-") + flag.lstrip("-")]
    if value is None:
        return [flag]
    values = [located(word) for word in ([value] if option.takes in ("value", "maybe") else shlex.split(value))]
    if flag and len(values) == 1 and (flag.startswith("--") or values[0].startswith("-")):
        return ["{}={}".format(flag, values[0])]
    return [flag] * bool(flag) + values


def located(value):
    """Where the script runs in its own folder, a path is given whole."""
    return os.path.abspath(value) if not WORK_DIR and value and os.path.exists(value) else value


def script_words(given, work_dir, more):
    """All words for the training script, in an order that every parser understands; HERE go those of --resume."""
    placed, options, last, config = [], list(more), [], given.get("config")
    chosen = [(o, given.get("dataset_path")) for o in THEIRS if o.name == "dataset_path" in given.own] + given.theirs
    if config and STYLE == "hydra" and os.path.isfile(config):
        folder, base = os.path.split(os.path.abspath(config))
        options += ["--config-path", folder, "--config-name", os.path.splitext(base)[0]]
    elif config:
        chosen[:0] = [(option, config) for option in THEIRS if option.name == CONFIG]
    for option, value in sorted(chosen, key=lambda pair: pair[0].takes != "values"):
        (last if option.takes == "rest" else options if option.flag else placed).extend(words_of(option, value))
    if WORK_DIR:
        pair = REST and not REST.flag and not WORK_DIR[0].startswith("-")  # YOLOX: output_dir x, among its last words
        (last if pair else options).extend(filled(WORK_DIR, work_dir))
    options.append(HERE)
    # a list of values right before a positional argument would swallow it; what takes all the rest comes last
    middle = options + placed if REST or STYLE == "absl" else placed + options
    words = middle + given.unknown + last + given.rest
    return list(FIRST) + (hydra_words(words, work_dir) if STYLE == "hydra" else words)


def hydra_words(words, work_dir):
    """Hydra takes its overrides in one piece: first what begins with a dash, then all of them."""
    options, overrides, words = [], [], list(words)
    while words:
        word = words.pop(0)
        dashed = word != HERE and word.startswith("-")
        (options if dashed else overrides).append(word)
        alone = not dashed or "=" in word or word in HYDRA_SWITCHES
        if not alone and words and words[0] != HERE and not words[0].startswith("-"):
            options.append(words.pop(0))
    several = {"-m", "--multirun", "hydra.mode=MULTIRUN"} & set(options + overrides)
    if several and "hydra.run.dir={}" in WORK_DIR:
        overrides.insert(0, "hydra.sweep.dir=" + work_dir)
    return options + overrides


def with_resume(words, resume):
    at = words.index(HERE)
    return words[:at] + resume + words[at + 1 :]


def help_text():
    def row(option, more=""):
        name = "--" + option.name + ("" if option.takes in ("flag", "off", "switch") else "=...")
        return "  {:24} {}{}{}".format(name, option.help, " (required)" if option.required else "", more)

    known = {option: KNOWN[alike("--" + option.name)][0] for option in OWN + THEIRS}
    meant = [word.partition("=")[0] for word in WORK_DIR + RESUME + RESUME_AUTO]
    # an option of both stands once: here where this file hands it on, else there
    own = [row(o) for o in OWN if known[o].flag == HERE]
    theirs = [row(o) for o in THEIRS if known[o] not in OWN]
    hidden = [o for o in THEIRS if known[o] in OWN and o.name not in (CONFIG, "dataset_path")]
    theirs += [row(o, " (give it after --)") for o in hidden if o.flag.partition("/")[0] not in meant]

    lines = ["usage: python {} --key=value ... [-- words passed on]".format(near(__file__)), "", "of this command:"]
    lines += own + ["", "of {}:".format(SCRIPT)] + theirs
    return "\n".join(lines + ["  ... and others: what is not known here is passed on"] * (not COMPLETE))


# ---- Checks: all that can be known before anything slow is started ----


def config_chain(path):
    """The configuration and the files that it inherits from, as far as they are named in plain words."""
    found, queue = [], [path]
    while queue:
        path = os.path.normpath(queue.pop(0))
        if path not in found and os.path.isfile(path):
            found.append(path)
            blocks = re.findall(r"(?im)^[\"']?_base_[\"']?\s*[:=](.*(?:\n[ \t]+.*|\n[\])-].*)*)", read(path))
            bases = re.findall(r"[^\s\"'\[\](),]+\.(?:py|ya?ml|json)\b", " ".join(blocks))
            queue += [os.path.join(os.path.dirname(path), base) for base in bases]
    return found


DATA = r"(?:data|dataset|image|img|ann)_?(?:root|dir|path|file|prefix)|dataset|ann_?file"


def named_data(files):
    """(path, file:line) of the data below data/ that a configuration names; what else lies there may be its output."""
    pattern = r"^[^#]*?\b(?:" + DATA + r")[\"']?\s*[:=][\s\[(]*[\"']?(?:\./)?(data/[^\"'\s#,{}*%()\]]*)"
    lines = [(file, at, line) for file in files for at, line in enumerate(read(file).splitlines(), 1)]
    return [(path, "{}:{}".format(near(file), at)) for file, at, line in lines for path in re.findall(pattern, line)]


def beside(path):
    """What is there and is called nearly so; else some of what is there at all."""
    folder, base = os.path.split(path)
    names = sorted(quietly(os.listdir, folder or ".") or [])
    close = [os.path.join(folder, name) for name in difflib.get_close_matches(base, names, 3)]
    if close:
        return "did you mean {}?".format(" or ".join(close))
    if folder and not os.path.isdir(folder):
        return beside(folder)
    same = [name for name in names if os.path.splitext(name)[1] == os.path.splitext(base)[1] and name[0] != "."]
    more = " and {} more".format(len(same) - 5) if len(same) > 5 else ""
    return "{} holds {}{}".format(folder or "this folder", ", ".join(same[:5]), more) if same else None


def check_options(given):
    edit = " in " + near(__file__)
    have = {o.name for o, _ in given.theirs} | set(given.own) | ({CONFIG} if given.get("config") else set())
    for option in THEIRS if not given.unknown + given.rest else ():  # else it may be among those
        if option.required and option.name not in have and option.flag not in WORK_DIR + RESUME:
            name = "--config" if option.name == CONFIG else "--" + option.name
            yield problem(name + " is missing", SCRIPT + " needs it", "{}=...  {}".format(name, option.help))
    for name, words in (("config", CONFIG), ("work_dir", WORK_DIR)):
        if given.get(name) and not words:
            fix = "leave it out, or set {}{}".format(name.upper(), edit)
            yield problem("--{} cannot be passed on".format(name), SCRIPT + " has no option for it", fix)
    if not os.path.isfile(os.path.join(REPO, SCRIPT)):
        yield problem("no training script " + near(os.path.join(REPO, SCRIPT)), None, "set SCRIPT" + edit)
    for name in ("nnodes", "nproc_per_node", "max_restarts"):
        if not re.match(r"\d+$|\d+:\d+$" if name == "nnodes" else r"\d+$|(gpu|cpu|auto|xpu)$", given.get(name, "1")):
            yield problem("--{}={} is not a number".format(name, given.get(name)))
    if given.get("clearml", "auto") not in ("auto", "on", "off", "offline"):
        yield problem("--clearml={}".format(given.get("clearml")), "it is auto, on, off or offline")


def check_config(given):
    config = given.get("config", "")
    if STYLE == "hydra" and "/" not in config:
        return  # a name, which Hydra looks for in the script's own folder of configurations
    if CONFIG and not os.path.isfile(config) and re.search(r"\.(py|ya?ml|json|toml|cfg|ini)$", config):
        inner = os.path.join(REPO, config)
        fix = "--config={}".format(near(inner)) if os.path.isfile(inner) else beside(config)
        yield problem("no configuration {}".format(config), "looked for it from {}".format(os.getcwd()), fix)


def check_resume(given, work_dir):
    path = given.own.get("resume")
    if path is None:
        return
    if not RESUME and (path or not RESUME_AUTO):
        what = "--resume{} cannot be passed on".format("=FILE" if path else "")
        yield problem(what, SCRIPT + " has no option for it", "set RESUME in " + near(__file__))
    elif path and "://" in path:
        return  # the script fetches it
    elif path and not os.path.exists(path):
        yield problem("no checkpoint " + path, None, beside(path))
    elif path and os.path.isfile(path) and not is_whole(path):
        yield problem("{} is no whole checkpoint".format(path), "it was not written to its end", "take an earlier one")
    elif path and path.endswith((".pth", ".pt", ".ckpt")) and os.path.isfile(path) and start_of(path) not in TORCH:
        yield problem("{} is no checkpoint".format(path), "it does not begin as a file of PyTorch does")
    elif not path and not RESUME_AUTO and not newest_checkpoint(work_dir):
        yield problem("nothing to resume", "no checkpoint in " + near(work_dir), "--resume=FILE, or leave --resume out")


def check_data(given, files):
    path = given.get("dataset_path")
    base, named = START if path or WORK_DIR else REPO, [(path, None)] if path else named_data(files)
    # other words may move it; a torchvision-like data set fetches itself; one that is partly there may be enough
    moved = re.search(DATA, " ".join(given.argv))
    fetched = re.search(r"(?i)cifar|mnist|download", "".join(read(file) for file in files))
    if given.get("dataset_id") or not named or any(holds(os.path.join(base, name)) for name, _ in named):
        return
    state = "is empty" if os.path.isdir(os.path.join(base, named[0][0])) else "does not exist"
    if path:
        yield problem("--dataset_path={} {}".format(path, state), None, "put the data there, or name another folder")
    elif not moved and not fetched:
        why = "{} names it, and nothing that the configuration names below data/ is there".format(named[0][1])
        where = os.path.join(base, named[0][0])
        fix = "put the data there: {}; or, if it is elsewhere, go on with --dataset_path=FOLDER".format(where)
        yield problem("the data folder {} {}".format(named[0][0], state), why, fix)


CHECKPOINTS = (
    *(".pth", ".pth.tar", ".pt", ".ckpt", ".safetensors", ".pdparams", ".pkl", ".h5", ".hdf5", ".keras", ".onnx"),
    *(".npz", ".joblib"),
)


def is_checkpoint(path):
    return path.lower().endswith(CHECKPOINTS) and not os.path.islink(path)


def start_of(path):
    return quietly(lambda: io.open(path, "rb").read(2))


TORCH = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # an archive, or a pickle


def is_whole(path):
    """A process that was killed while saving leaves half a file; torch's are archives, whose list stands at the end."""
    import zipfile

    start = start_of(path)
    return bool(start) and (start != b"PK" or zipfile.is_zipfile(path))


def newest_checkpoint(folder, since=0.0):
    times = {path: quietly(os.path.getmtime, path) or 0 for path in walk(folder) if is_checkpoint(path)}
    newest = sorted((path for path in times if times[path] >= since), key=times.get, reverse=True)
    return next(filter(is_whole, newest), None)


# ---- The trace of a run: files in work_dirs/.runs/<id>/ ----

KEYS = (
    "schema id status command cwd script passed launcher nproc_per_node nnodes node_rank started ended exit_code signal"
    " session host config work_dir packages source dataset clearml error restarts artifacts problems"
)


def unknown(keys):
    return collections.OrderedDict.fromkeys(keys.split())


def now():
    moment = time.time()
    text = time.strftime("%Y-%m-%dT%H:%M:%S.{:03d}%z", time.localtime(moment)).format(int(moment % 1 * 1000))
    return text[:-2] + ":" + text[-2:]


class Trace:
    """What is known of a run, or of one process of it. That it cannot be written never stops a training."""

    def __init__(self, folder, name, facts):
        self.folder, self.name, self.facts, self.failed, self.warned = folder, name, facts, None, False
        self.lock = threading.RLock()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def update(self, **facts):
        with self.lock:
            self.facts.update(facts)
            self.write(self.name, json.dumps(cleaned(self.facts), indent=1) + "\n")

    def write(self, name, text, errors="backslashreplace"):
        try:
            with io.open(self.path(name + ".new"), "w", encoding="utf-8", errors=errors, newline="") as file:
                file.write(text)
            os.replace(self.path(name + ".new"), self.path(name))
            self.failed = None
        except OSError as error:
            self.failed = error

    def warn(self):
        if self.failed and not self.warned:
            self.warned = True
            say("warning: the trace of this run cannot be written: {}".format(self.failed))

    def add(self, found):
        """A problem, told as it is seen."""
        with self.lock:
            if found["what"] in [one["what"] for one in self.facts["problems"]]:
                return
            self.facts["problems"].append(found)
        tell(found, "warning")
        self.update()

    def end(self, code, error=None, number=None, **facts):
        quietly(os.unlink, self.path("reserve"))
        status = "interrupted" if number else "failed" if code else "done"
        self.update(exit_code=code, error=error, signal=number, ended=now(), status=status, **facts)
        self.warn()


def open_trace(given):
    # it is for this run alone: a script that is started by the training has one of its own
    wanted, node = os.environ.pop("KOBAKO_RUN", ""), given.get("node_rank", "0")
    tail = "" if node == "0" else "-node" + node
    taken = not re.match(r"\w[\w.-]*$", wanted) or os.path.exists(os.path.join(RUNS, wanted + tail, "run.json"))
    name = time.strftime("%Y%m%d-%H%M%S-") + os.urandom(3).hex() if taken else wanted
    facts = unknown(KEYS)
    facts.update(schema="kobako-trace/1", id=name, status="running", started=now(), restarts=0, artifacts=[])
    facts.update(command=[sys.executable] + sys.argv, cwd=os.getcwd(), script=near(os.path.join(REPO, SCRIPT)))
    facts.update(passed=[], problems=[], session=os.environ.get("KOBAKO_SESSION"), host=host(), packages=packages())
    facts.update(config=dict(unknown("path files snapshot"), files=[]), source=unknown("commit dirty patch"))
    facts.update(dataset=unknown("id path files bytes fingerprint"), clearml=unknown("mode task session url"))
    trace = Trace(os.path.join(RUNS, name + tail), "run.json", facts)
    quietly(os.makedirs, trace.folder)
    if not os.path.exists(os.path.join(RUNS, "../.gitignore")):
        trace.write("../../.gitignore", "*\n")
    trace.write("reserve", "0" * 262144)
    trace.write("alive", "")
    trace.update()
    trace.warn()
    return trace


def packages():
    """Names and versions of what is installed, from the names of folders: nothing is imported for it."""
    found = {}
    pattern = re.compile(r"([A-Za-z0-9._]+)-([^-]+)(?:-py\d[^-]*)?(?:-[^-]*)?\.(?:dist|egg)-info$")
    names = [name for folder in sys.path for name in quietly(os.listdir, folder or ".") or ()]
    for match in filter(None, map(pattern.match, names)):
        found.setdefault(re.sub(r"[-_.]+", "-", match.group(1)).lower(), match.group(2))
    return dict(sorted(found.items()))


def host():
    def said(pattern, text):
        return (re.findall(pattern, text) or [None])[0]

    version, name = read(installed("torch", "version.py") or ""), os.uname()
    system = said(r'(?m)^PRETTY_NAME="?([^"\n]+)', read("/etc/os-release"))
    return {
        "hostname": name.nodename,
        "system": "{} {}".format(name.sysname, name.release) + (", " + system if system else ""),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": sys.version.split()[0],
        "torch": said(r"__version__\s*(?::[^=]*)?=\s*'([^']+)'", version),
        "cuda": said(r"cuda\s*(?::[^=]*)?=\s*'([^']+)'", version),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "gpus": [],
    }


def ask(*words):
    """What a program answers on stdout; None where it is not there, fails or takes long."""
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 20}
    return quietly(lambda: subprocess.check_output(words, **quiet).decode("utf-8", "surrogateescape"))


GIT = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", REPO)
CHANGES = GIT + ("-c", "diff.autoRefreshIndex=false", "diff", "--no-ext-diff", "--no-textconv")


def hide_changes():
    """ClearML sends what was changed since the commit: where credentials stand in it, it is told without them."""
    patch = ask(*CHANGES + ("--submodule=diff", "HEAD")) or ""
    if masked(patch, LITERAL) != patch:
        text = masked(patch, LITERAL).encode("utf-8", "surrogateescape")
        if len(text) > 90000:  # Linux takes no variable of 128 KiB, and ends every program that is given one
            text = b"# too large to be sent without its credentials: it is in source.patch beside the run's log"
        os.environ["CLEARML_VCS_DIFF"] = importlib.import_module("base64").b64encode(text).decode("ascii")


def note_slow_facts(trace, data):
    """GPUs, commit, changes, the fingerprint of the data: found out beside the training, for it takes a moment."""
    listed = ask("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits") or ""
    for name, memory, driver in re.findall(r"(?m)^(.*), (.*), (.*)$", listed):
        size = int(memory) * 1048576 if memory.isdigit() else None
        trace.facts["host"]["gpus"].append({"name": name, "memory": size, "driver": driver})
    commit = (ask(*GIT + ("rev-parse", "HEAD")) or "").strip() or None
    patch = ask(*CHANGES + ("--binary", "HEAD", "--", ".")) if commit else None
    if patch:
        trace.write("source.patch", masked(patch, LITERAL), "surrogateescape")  # the bytes that git gave
    state = ask(*GIT + ("--no-optional-locks", "status", "--porcelain", "--ignore-submodules=all", "-uall", "--", "."))
    dirty, name = bool(state) if commit and state is not None else None, "source.patch" if patch else None
    trace.update(source={"commit": commit, "dirty": dirty, "patch": name})
    if data:
        trace.update(dataset=dict(trace.facts["dataset"], **fingerprint(data)))


def fingerprint(folder):
    """Of names and sizes: it tells another data set from this one without reading it."""
    digest, files, total = hashlib.sha256(), 0, 0
    for path in walk(folder):
        state = quietly(os.stat, path)
        if state:
            files, total = files + 1, total + state.st_size
            line = "{} {}\n".format(os.path.relpath(path, folder), state.st_size)
            digest.update(line.encode("utf-8", "surrogateescape"))
    return {"files": files, "bytes": total, "fingerprint": "names-sizes:sha256:" + digest.hexdigest()}


def snapshot(trace, files):
    """Copies of the configuration and of what it inherits from, with their places kept among each other."""
    root = os.path.commonpath([os.path.dirname(file) for file in files])
    targets = [os.path.join("config", os.path.relpath(file, root)) for file in files]
    for file, target in zip(files, targets):
        quietly(os.makedirs, os.path.dirname(trace.path(target)))
        trace.write(target, masked(read(file), LITERAL))
    return {"path": near(files[0]), "files": [near(file) for file in files], "snapshot": targets[0]}


def artifacts(root, since):
    """What a run has written; the last checkpoint is the newest one that is not the best one, if there is another."""
    found, newest = [], None
    for path in walk(root):
        state, base = quietly(os.lstat, path), os.path.basename(path)
        if not state or state.st_mtime < since - (state.st_mtime % 1 == 0) or os.path.islink(path):
            continue
        kind = "log" if base.endswith((".log", ".json", ".jsonl", ".txt", ".csv")) else "other"
        kind = "checkpoint" if is_checkpoint(path) else "events" if "tfevents" in base else kind
        whole = kind == "checkpoint" and is_whole(path)
        best = whole and "best" in base
        found.append({"path": near(path), "bytes": state.st_size, "kind": kind, "best": best, "last": False})
        if whole:
            newest = max(newest or (), (not best, state.st_mtime, len(found) - 1))
    if newest:
        found[newest[2]]["last"] = True
    return sorted(found, key=lambda one: (one["kind"] != "checkpoint", one["path"]))[:1000]


# ---- The console, and what it and the logs tell while it runs ----


class Tee(io.TextIOWrapper):
    """A standard stream that also goes to a file. It is the same terminal or pipe to whoever asks."""

    def __init__(self, stream, log, heard):
        stream.flush()
        through = getattr(stream, "write_through", bool(os.environ.get("PYTHONUNBUFFERED")))  # Python 3.6 does not tell
        ways = {"line_buffering": stream.line_buffering, "write_through": through}
        io.TextIOWrapper.__init__(self, stream.buffer, stream.encoding, stream.errors, **ways)
        self.under, self.log, self.heard, self.tail, self.size = stream, log, heard, [], 0

    def write(self, text):
        count = io.TextIOWrapper.write(self, text)
        self.tail.append(text)
        self.size += len(text)
        if "\n" in text or "\r" in text or self.size > 65536:  # else joined later: a dot at a time is a long line
            lines = [last_state(line) for line in "".join(self.tail).split("\n")]
            rest = lines.pop()
            self.heard.extend(lines)
            self.note("".join(line.rstrip("\r") + "\n" for line in lines) + (rest if len(rest) > 65536 else ""))
            self.tail = [rest] if len(rest) <= 65536 else []
            self.size = len("".join(self.tail))
        return count

    def note(self, text):
        try:
            if self.log is not None and text:
                os.write(self.log, masked(text, ADDRESS).encode("utf-8", "backslashreplace"))
        except OSError as error:
            self.log = None
            say("warning: the log of this run cannot be written any more: {}".format(error))

    def finish(self):
        quietly(self.flush)
        rest, self.tail = "".join(self.tail).rstrip("\r"), []
        if rest:
            self.note(rest + "\n")


def last_state(line):
    """Of a progress bar only the last state counts: what comes behind a \\r takes the place of what was before."""
    body = line.rstrip("\r")
    return body.rpartition("\r")[2] + line[len(body) :]


def tee(path):
    """Both standard streams also into a file; what is heard on them comes into the list that is given back."""
    heard = collections.deque(maxlen=10000)
    log = quietly(os.open, path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for name in ("stdout", "stderr"):
        if isinstance(getattr(sys, name), io.TextIOWrapper):
            stream = Tee(getattr(sys, name), log, heard)
            setattr(sys, name, stream)
            setattr(sys, "__{}__".format(name), stream)
    return heard


OTHER_MODEL = "give a checkpoint of this configuration's model, or leave --resume out"
LOGS = ("*.log.json", "*/vis_data/scalars.json", "vis_data/scalars.json")  # OpenMMLab's: mmcv's and mmengine's


class Watch:
    """Looks at the console and the logs while the script runs: numbers for ClearML, trouble for the person."""

    def __init__(self, job, trace, heard):
        self.job, self.trace, self.heard, self.tracker = job, trace, heard, None
        self.places, self.steps = {}, {}

    def look(self):
        lines = [self.heard.popleft() for _ in range(len(self.heard))]
        for line in lines:
            self.line(line)
        if lines and self.tracker:
            self.tracker.task.get_logger().report_text(masked("\n".join(lines), ADDRESS), print_console=False)
        for path in self.written(*LOGS):
            quietly(self.records, path)

    def line(self, text):
        if re.search(r"(?i)\b\w*loss\w*\W{1,4}nan\b", text):
            self.nan("the console", text)
        keys = r"(unexpected|missing) keys? in (source )?state_dict: |size mismatch for "
        if self.job["resumed"] and re.search(keys, text):
            self.trace.add(problem("the checkpoint does not fit the model", text.strip()[:300], OTHER_MODEL))

    def nan(self, where, text):
        fix = "lower the learning rate, clip gradients, or look for bad labels; the training goes on"
        self.trace.add(problem("the loss is not a number (NaN)", "{}: {}".format(where, text.strip()[:200]), fix))

    def written(self, *patterns):
        """Files that this run has written to its folder."""
        folder = glob.escape(self.job["output"])
        found = [path for one in patterns for path in sorted(glob.glob(os.path.join(folder, one), recursive=True))]
        return [path for path in found if os.path.getmtime(path) >= self.job["since"] - 1]

    def records(self, path):
        with io.open(path, "rb") as file:
            file.seek(self.places.get(path, 0))
            whole = file.read(8000000).rpartition(b"\n")[0]
        self.places[path] = self.places.get(path, 0) + len(whole) + bool(whole)
        # TensorBoard's numbers reach ClearML by its own hook; these would be the same again
        tracker = self.tracker if whole and not self.written("**/*tfevents*") else None
        for line in whole.splitlines():
            record = quietly(json.loads, line.decode("utf-8", "replace"))
            if isinstance(record, dict) and not ("env_info" in record or "config" in record):
                self.record(path, record, tracker)

    def record(self, path, record, tracker):
        mode = record.get("mode") or ("train" if any("loss" in key for key in record) else "val")
        step = self.step(path, mode, record)
        for key, value in record.items():
            if key in ("epoch", "iter", "step") or type(value) not in (int, float):
                continue
            if value != value and "loss" in key:
                self.nan(near(path), "{} at step {}".format(key, step))
            elif tracker:
                name = key[len(mode) + 1 :] if key.startswith(mode + "/") else key
                tracker.task.get_logger().report_scalar(mode, name, value, iteration=int(step or 0))

    def step(self, path, mode, record):
        """mmcv counts iterations anew in each epoch, except where it counts iterations alone."""
        seen = self.steps.setdefault(path, {"epoch": record.get("epoch"), "base": 0, "inner": 0})
        if mode == "val" or "step" in record:
            return record.get("step", seen["base"] + seen["inner"])
        epoch, inner = record.get("epoch"), record.get("iter") or 0
        if epoch != seen["epoch"] and inner <= seen["inner"]:
            seen["base"] += seen["inner"]
        seen.update(epoch=epoch, inner=inner)
        return seen["base"] + inner


# ---- ClearML ----


def clearml_conf():
    """Server, key and secret as ClearML would find them; None for what is not said."""
    path = os.environ.get("CLEARML_CONFIG_FILE") or os.path.expanduser("~/clearml.conf")
    text, values = re.sub(r"(?m)^\s*(#|//).*$", "", read(path)), []
    for name, key in (("api_server", "API_HOST"), ("access_key", "API_ACCESS_KEY"), ("secret_key", "API_SECRET_KEY")):
        found = re.search(r"\"?\b%s\"?\s*[:=]\s*\"?([^\s\"#,}]+)" % name, text)
        values.append(os.environ.get("CLEARML_" + key) or (found and found.group(1)))
    return values


def clearml_mode(given):
    """ "on", "offline" or "off" for this run."""
    wanted, there = given.get("clearml", "auto"), installed("clearml", "__init__.py")
    remote = os.environ.get("CLEARML_TASK_ID")
    known = remote or os.environ.get("CLEARML_AUTH_TOKEN") or all(clearml_conf()[1:])
    if wanted in ("on", "offline") and not there:
        what = "--clearml={} needs clearml".format(wanted)
        refuse(what, "it is not installed here", "pip install clearml")
    if wanted == "on" and not known:
        why = "neither CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY nor a clearml.conf are there"
        refuse("ClearML is not configured", why, "run clearml-init, or --clearml=offline")
    if wanted != "auto":
        return wanted
    tracks_itself = not remote and re.search(r"\bTask\.init\(", read(os.path.join(REPO, SCRIPT)))
    offline = os.environ.get("CLEARML_OFFLINE_MODE", "").lower() in ("1", "true", "yes")
    return "off" if not there or tracks_itself else "offline" if offline else "on" if known else "off"


def ready_clearml(given, ask):
    mode = clearml_mode(given)
    if mode == "on" and ask and not os.environ.get("CLEARML_TASK_ID"):
        silent = preflight(given)
        if silent:  # the person may have no network today; what was asked for outright must be had
            given.notes.append(dict(silent, fix="the run is kept as an offline session, to be imported later"))
            mode = "offline"
    own = [option for option in THEIRS if option.name == "dataset_id"] if mode == "off" else []
    if given.get("dataset_id") and own:
        given.theirs.append((own[0], given.own.pop("dataset_id")))
    elif given.get("dataset_id") and mode != "on":
        fetch_dataset(given, mode)
    return mode


def preflight(given):
    """Ask the server for a token, so that a wrong key is known now and not after an epoch. It may be out of reach."""
    import base64
    import ssl
    import urllib.error
    import urllib.request

    server, key, secret = clearml_conf()
    server = (server or "https://api.clear.ml").rstrip("/")
    token = base64.b64encode("{}:{}".format(key, secret).encode("utf-8")).decode("ascii")
    request = urllib.request.Request(server + "/auth.login", headers={"Authorization": "Basic " + token})
    what, why, fix = "the ClearML server cannot be reached", None, "look at api_server"
    try:
        urllib.request.urlopen(request, timeout=6).read(1)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            what, fix = "ClearML refuses the credentials", "correct the credentials"
        if error.code in (401, 403) or error.code >= 500:
            why = "{} answers {} {}".format(server, error.code, error.reason)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        # certificates are judged by ClearML itself, with its own settings
        why = None if isinstance(reason, ssl.SSLError) else "{}: {}".format(server, reason)
    if why and (what.startswith("ClearML") or given.get("clearml") == "on"):
        refuse(what, why, fix + ", or --clearml=offline, or --clearml=off")
    return problem(what, why) if why else None


def remote_words():
    """Under a ClearML agent the options are those of the task, which a person may have changed in the web page."""
    if not os.environ.get("CLEARML_TASK_ID"):
        return []
    try:
        from clearml import Task

        found = Task.get_task(task_id=os.environ["CLEARML_TASK_ID"]).get_parameters() or {}
    except Exception as error:
        refuse("the options of the ClearML task cannot be read", repr(error))
    pairs = [(name.partition("/")[2], str(value)) for name, value in sorted(found.items()) if name.startswith("Args/")]
    return ["--{}={}".format(name, value) for name, value in pairs if value not in ("", "None", "***")]


def fetch_dataset(given, mode):
    """Bring a data set of ClearML Data to its folder, once."""
    wanted, path = given.get("dataset_id"), given.get("dataset_path")
    for marker in glob.glob(os.path.join(glob.escape(path) if path else "data/*", ".clearml_dataset")):
        if read(marker).strip() == wanted:
            return os.path.dirname(marker)
    if mode != "on":
        why = "it is offline" if mode == "offline" else "it is off, or not installed or configured here"
        refuse("--dataset_id needs ClearML", why, "--clearml=on, or give the data with --dataset_path")
    if path and holds(path):
        why = "{} holds something else".format(path)
        refuse("the data set has no place to go", why, "name an empty folder with --dataset_path")
    try:
        from clearml import Dataset

        dataset = Dataset.get(dataset_id=wanted)
        path = path or os.path.join("data", dataset.name)
        say("fetching the data set {} to {}".format(dataset.name, path))
        partial = path.rstrip("/") + ".partial"
        dataset.get_mutable_local_copy(partial, overwrite=True)
        with io.open(os.path.join(partial, ".clearml_dataset"), "w") as file:
            file.write(wanted + "\n")
        quietly(os.rmdir, path)
        os.rename(partial, path)
    except Exception as error:
        refuse("the data set {} cannot be fetched".format(wanted), str(error) or repr(error))
    return path


CLOSING = 900  # seconds that ClearML has for the rest after the end of the training


class Tracker:
    """This run as a task of ClearML: configuration, numbers, console, environment, checkpoints and its end."""

    def __init__(self, job, trace):
        self.job, self.trace, self.offline = job, trace, job["clearml"] == "offline"
        if self.offline:  # ~/.clearml of a container is lost with it
            os.environ["CLEARML_CACHE_DIR"] = trace.path("clearml")
        from clearml import Task

        if self.offline:
            Task.set_offline(True)
        # a restart goes on with its task; the options, and the best and the last checkpoint are told by this file
        how = {"reuse_last_task_id": False, "continue_last_task": job.get("task") or False, "output_uri": True}
        how.update(auto_connect_arg_parser=False, auto_connect_frameworks={"pytorch": False})
        how.update(auto_connect_streams=False)  # Watch tells the console, for ClearML knows of no credentials
        hide_changes()
        # beside its thread that asks git, ClearML forks a process, which may hold that thread's pipe open for ever
        Task._Task__detect_repo_async = False
        self.task = Task.init(project_name=job["project"], task_name=job["title"], **how)
        os.environ.pop("CLEARML_VCS_DIFF", None)
        url = None if self.offline else self.task.get_output_log_web_page()
        trace.update(clearml={"mode": job["clearml"], "task": self.task.id, "session": None, "url": url})
        if not os.environ.get("CLEARML_TASK_ID"):
            told = {name: "***" if is_secret(name) else masked(one) for name, one in job["options"].items()}
            self.task.connect(told, name="Args")
        self.configuration("config", "".join("# {}\n{}\n".format(near(one), read(one)) for one in job["configs"]))
        lock = ["{}=={}".format(*pair) for pair in packages().items()]
        self.task.set_packages(lock)
        self.task.upload_artifact("environment", artifact_object="\n".join(lock) + "\n")

    def configuration(self, name, text):
        if text:
            self.task.set_configuration_object(name, config_text=masked(text, LITERAL))

    def close(self, code, error, number):
        try:
            self.results()
            if number:
                self.task.mark_stopped(status_message="interrupted")
            elif code:
                reason = headline(error) if error else "exit code {}".format(code)
                self.task.mark_failed(status_reason="failed", status_message=masked(reason)[:500])
            session = "{}.zip".format(self.task.get_offline_mode_folder()) if self.offline else ""
            self.task.flush(wait_for_uploads=True)  # close() drops what still waits where an exception was seen
            self.task.close()
            if os.path.isfile(session):
                shutil.rmtree(session[:-4], ignore_errors=True)
                self.trace.facts["clearml"]["session"] = near(session)
        except Exception as trouble:
            self.trace.add(problem("ClearML did not take all of this run", repr(trouble)))

    def results(self):
        """The configuration as the script has merged it, and the best and the last checkpoint."""
        merged = os.path.join(self.job["output"], os.path.basename(self.job["config"]))
        self.configuration("config_merged", read(merged))
        for one in artifacts(self.job["output"], self.job["since"]):
            name, path = "best" if one["best"] else "last" if one["last"] else "", os.path.join(START, one["path"])
            if name and self.offline:  # an offline session cannot hold models
                self.task.upload_artifact("model-" + name, artifact_object=path)
            elif name:
                from clearml import OutputModel

                model = OutputModel(self.task, name="{} {}".format(self.job["title"], name), framework="PyTorch")
                model.update_weights(weights_filename=path, auto_delete_file=False)


# ---- Failures: what they were, and whose was the first ----

EXPLAINED = (
    (r"No space left on device|Errno 28", "the disk is full", "make room and go on with --resume"),
    (r"Error\(s\) in loading state_dict", "the checkpoint is of another model", OTHER_MODEL),
    (r"CUDA out of memory|OutOfMemoryError", "the GPU's memory is full", "a smaller batch, or more GPUs"),
    (r"insufficient shared memory|[Bb]us error", "shared memory is full", "raise shm_size of the service"),
    (r"[Aa]ddress already in use|EADDRINUSE", "another run uses this port", "--master_port=... or --standalone"),
)
HARD = tuple(-n for n in (signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE))


def headline(error):
    return "{}: {}".format(error["type"], error["message"].strip().split("\n")[0]).rstrip(": ")


def error_of(rank, kind, message, lines=()):
    return {"rank": rank, "type": kind, "message": masked(message)[:4000], "traceback": masked("\n".join(lines))}


def failure(raised, rank):
    """An exception as the trace keeps it, from the training script's own lines on."""
    frames = raised.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == failure.__code__.co_filename and frames.tb_next:
        frames = frames.tb_next
    raised.__traceback__ = frames
    lines = "".join(traceback.format_exception(type(raised), raised, frames)).splitlines()
    return error_of(rank, type(raised).__name__, str(raised), lines[-60:])


def caught(log, rank):
    """What loguru's `@logger.catch` has logged, if the program has logged nothing since: it raises no more, and the
    script ends as if all were well.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", log).rpartition("An error has been caught in function '")[2]
    lines = text.partition("Traceback (most recent call last):\n")[2].splitlines()
    ends = [at for at, line in enumerate(lines) if re.match(r"[A-Za-z_][\w.]*(: .*)?$", line)]
    if not ends or re.search(r"\| (?:TRACE|DEBUG|INFO|SUCCESS|WARNING|ERROR|CRITICAL) *\|", text):
        return None
    kind, _, message = lines[ends[0]].partition(": ")
    return error_of(rank, kind, message, ["Traceback (most recent call last):"] + lines[: ends[0] + 1][-60:])


def first_failure(parts, raised):
    """The error of the rank that failed first, and its exit code: the others fail in consequence.

    Nobody but the system ends a process so hard that it cannot leave a word (torchrun does, but half a minute later).
    Such a rank was first; otherwise the earliest word counts.
    """
    parts = [one for one in parts if one["attempt"] == max(part["attempt"] for part in parts)]
    spoken = sorted((one for one in parts if one["error"]), key=lambda one: one["error"].pop("time"))
    ended = [(one.timestamp, rank, one.exitcode) for rank, one in getattr(raised, "failures", {}).items()]
    if hasattr(raised, "returncode"):  # the old launcher tells no rank: it is one that has left no word
        ended = [(0, ([one["rank"] for one in parts if not one["ended"]] or [None])[0], raised.returncode)]
    hard = [one for one in ended if one[2] in HARD and one[0] < min(ended)[0] + 15]
    soft = [one for one in ended if one[2] not in (0, -signal.SIGTERM)]
    if hard or (soft and not spoken):
        return silent_failure(*min(hard or soft)[1:])
    if spoken:
        return spoken[0]["error"], spoken[0]["exit_code"] or 1
    return failure(raised, None), exit_code(raised)


def silent_failure(rank, code):
    if code >= 0:
        return error_of(rank, "Exit", str(code)), code
    name = next((one.name for one in signal.Signals if one == -code), "?")
    message = "signal {} ({}){}".format(-code, name, ": out of memory?" if -code == signal.SIGKILL else "")
    return error_of(rank, "Signal", message), 128 - code


def exit_code(raised):
    code = getattr(raised, "code", 1)
    return 0 if code is None else code & 0xFF if isinstance(code, int) else 1


def stdout_gone():
    """Whether the reader of `... | head` has left; then stdout is turned away, or Python's own end would fail on it."""
    asked = select.poll()
    asked.register(1, 0)
    if not any(event & (select.POLLERR | select.POLLNVAL) for _, event in asked.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return True


# ---- Running: the script in this process, or a launcher that starts this file several times ----


class Run:
    """One process of a training, from its first line to the last word about it."""

    def __init__(self, job, trace, rank):
        self.job, self.trace, self.rank = job, trace, rank
        self.signal, self.pid, self.parent, self.over = None, os.getpid(), os.getppid(), threading.Event()
        self.log = "log-rank{}.txt".format(rank) if rank else "log.txt"
        self.thread = threading.Thread(target=self.attend, name="watch", daemon=True)

    def __call__(self):
        self.heard = tee(self.trace.path(self.log))
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, self.stop)
        self.true_exit, os._exit, self.true_fork, os.fork = os._exit, self.leave, os.fork, self.fork
        # the second thread is this file's: without it Python would not warn
        warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
        try:
            code, error = self.work()
        except BaseException as raised:
            quietly(os.unlink, self.trace.path("reserve"))  # room for the last words on a disk that is full
            code, error = self.failed(raised)
        self.finish(code, error)
        return code

    def stop(self, number, frame):
        """SIGTERM unwinds the script; one that does not let itself be stopped is ended all the same."""
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != self.pid:  # a child that was forked by something else than Python
            os.kill(os.getpid(), number)
            return
        self.signal = number
        # torchrun, too, gives its workers half a minute
        timer = threading.Timer(35 if self.job["several"] else 5, lambda: self.over.is_set() or os._exit(128 + number))
        timer.daemon = True
        timer.start()
        raise SystemExit(128 + number)

    def fork(self):
        """A child is ended by SIGTERM at once: a handler in Python does not run while it waits for a lock."""
        ours = {number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == self.stop}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ours)
        try:
            pid = self.true_fork()
            for number in ours if pid == 0 else ():
                signal.signal(number, signal.SIG_DFL)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def leave(self, code):
        """os._exit, which skips everything: the trace is completed all the same."""
        if os.getpid() == self.pid and not self.over.is_set():
            self.finish(code, None)
        self.true_exit(code)

    def attend(self):
        while not self.over.wait(2):
            quietly(os.utime, self.trace.path("alive"))
            try:
                self.look()
            except Exception as error:  # a log of an unknown kind must not end the watch
                self.trace.add(problem("a log could not be followed", repr(error)))

    def report(self, what, error, show):
        """First what it was, then where."""
        text = "{type}: {message}".format(**error)
        known = next(((why, fix) for pattern, why, fix in EXPLAINED if re.search(pattern, text)), ())
        tell(problem(what, *known))
        show()
        if not self.trace.failed:
            log = "log-rank{rank}.txt" if error["rank"] else "log.txt"
            say("  log: {}".format(near(self.trace.path(log.format(**error)))))

    def finish(self, code, error):
        self.over.set()
        if self.thread.is_alive():
            self.thread.join(10)
        number = int(self.signal) if self.signal and code == 128 + self.signal else None
        self.close(code, error, number)
        self.end(code, error, number)

    def end(self, code, error, number):
        for stream in (sys.__stdout__, sys.__stderr__):
            if isinstance(stream, Tee):
                stream.finish()
        whole = self.trace.name == "run.json"
        found = artifacts(self.job["output"] if WORK_DIR else REPO, self.job["since"]) if whole else []
        self.trace.end(code, error, number, artifacts=found)


class Script(Run):
    """The training script, alone or as one rank of several."""

    def work(self):
        self.watch, self.tracker = Watch(self.job, self.trace, self.heard), None
        if not self.rank and self.job["clearml"] != "off":
            try:
                self.tracker = self.watch.tracker = Tracker(self.job, self.trace)
            except Exception as error:
                self.trace.add(problem("ClearML could not be started; this run is not tracked", repr(error)))
        self.thread.start()
        if not WORK_DIR:
            os.chdir(REPO)
        run_script(self.words())
        return self.swallowed()

    def words(self):
        """A worker that is started again goes on from what this run has saved, if the script can be told to."""
        saved = None
        if self.trace.facts.get("attempt") and RESUME and not RESUME_AUTO:
            saved = newest_checkpoint(self.job["output"], self.job["since"])
        resume = filled(RESUME, located(near(saved))) if saved else self.job["resume"]
        words = with_resume(self.job["words"], resume)
        if LOCAL_RANK and self.job["several"]:
            words.insert(len(FIRST), "{}={}".format(LOCAL_RANK, os.environ.get("LOCAL_RANK", "0")))
        return words

    def look(self):
        if self.job["several"] and os.getppid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)  # the launcher is gone; nobody else would end this one
        if not self.rank:
            self.watch.look()

    def swallowed(self):
        """The exit code and the error of a script that came to its end."""
        loguru = sys.modules.get("loguru")
        if loguru is None:
            return 0, None
        getattr(loguru.logger, "complete", str)()  # what still waits in its queue
        error = caught(read(self.trace.path(self.log), 200000), self.rank)
        if error and not self.job["several"]:
            tell(problem(headline(error), "the script caught this, logged it, and ended with exit code 0"))
        return (1, error) if error else (0, None)

    def failed(self, raised):
        if isinstance(raised, KeyboardInterrupt):
            self.signal = signal.SIGINT
        elif isinstance(raised, BrokenPipeError) and stdout_gone():
            self.signal = signal.SIGPIPE
        if self.signal:
            return 128 + self.signal, None
        code = exit_code(raised)
        error = failure(raised, self.rank) if code else None

        def show():
            try:
                sys.excepthook(type(raised), raised, raised.__traceback__)
            except BaseException:
                traceback.print_exception(type(raised), raised, raised.__traceback__)

        if isinstance(raised, SystemExit):
            say(raised.code) if isinstance(raised.code, str) else None
        elif self.job["several"]:
            show()  # who failed first is the launcher's to say
        else:
            self.report(headline(error), error, show)
        return code, error

    def close(self, code, error, number):
        if not self.rank:
            quietly(self.watch.look)
        if self.tracker:
            timer = threading.Timer(CLOSING, self.cut, (code, error, number))
            timer.daemon = True
            timer.start()
            self.tracker.close(code, error, number)
        if error:
            self.trace.write("error-rank{}.txt".format(self.rank), error["traceback"] + "\n")
            error.update({"time": time.time()} if self.job["several"] else {})


    def cut(self, code, error, number):
        """ClearML's uploads, and what it does at the very end, hold nobody for ever."""
        if not self.trace.facts["ended"]:
            why = "it was still at it after {} seconds".format(CLOSING)
            self.trace.add(problem("ClearML did not take all of this run", why))
            self.end(code, error, number)
        self.true_exit(code)


class Launcher(Run):
    """torchrun, or what an older torch has in its place: each of its workers is this file again."""

    def work(self):
        os.environ[JOB] = json.dumps(self.job)
        # newer torchruns keep one store over all restarts, where new workers find the addresses of dead ones
        os.environ.setdefault("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")
        sys.argv = [self.job["launcher"]] + self.job["launch"] + [os.path.abspath(__file__)]
        # torch puts its own handlers of signals in the place of these; which signal came is read here
        self.signals, writing = os.pipe()
        os.set_blocking(self.signals, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing)
        os.makedirs(self.trace.path("ranks"), exist_ok=True)
        self.thread.start()
        importlib.import_module(self.job["launcher"]).main()
        return 0, None

    def look(self):
        """What the workers have told so far, into the one trace."""
        parts = [told(self.trace.folder, name[:-5]) for name in quietly(os.listdir, self.trace.path("ranks")) or []]
        self.parts = [one for one in parts if one]
        with self.trace.lock:
            facts = self.trace.facts
            for one in self.parts:
                facts["problems"] += [found for found in one["problems"] if found not in facts["problems"]]
                facts["restarts"] = max(facts["restarts"], one["attempt"])
                facts["clearml"] = one["clearml"] or facts["clearml"]
            self.trace.update()

    def failed(self, raised):
        came = [number for number in quietly(os.read, self.signals, 99) or b"" if number in (1, 2, 3, 15)]
        self.signal = self.signal or (came + [None])[0]
        if self.signal or exit_code(raised) == 0:
            return 128 + self.signal if self.signal else 0, None
        self.look()
        error, code = first_failure(self.parts, raised)
        who = "the launcher" if error["rank"] is None else "rank {rank}".format(**error)
        how = " was ended by " + error["message"] if error["type"] == "Signal" else " failed: " + headline(error)
        self.report(who + how, error, lambda: error["traceback"] and say(error["traceback"]))
        return code, error

    def close(self, code, error, number):
        self.look()
        shutil.rmtree(self.trace.path("ranks"), ignore_errors=True)


def told(folder, rank):
    """What a rank has left of itself."""
    return quietly(json.loads, read(os.path.join(folder, "ranks", "{}.json".format(rank)))) or {}


def work():
    """One of the processes that torchrun starts."""
    job = json.loads(os.environ.pop(JOB))  # what the training starts is not a worker
    options = ["--{}={}".format(*pair) for pair in job["options"].items()]
    learn([word for word in job["words"] if word != HERE] + options)
    rank, attempt = int(os.environ.get("RANK", "0")), int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    before = told(job["folder"], rank)
    job["task"] = (before.get("clearml") or {}).get("task")
    facts = dict(unknown("clearml error exit_code ended"), rank=rank, attempt=attempt)
    trace = Trace(job["folder"], "ranks/{}.json".format(rank), dict(facts, problems=before.get("problems", [])))
    trace.update()
    return Script(job, trace, rank)()


def run_script(words):
    """The training script becomes __main__ of this process, as `python SCRIPT words` would have made it.

    With MODULE it is `python -m MODULE`. It stays that after its end, for what it has registered with atexit and for
    threads. Multiprocessing's children import it under its own path.
    """
    path = os.path.join(REPO, SCRIPT)
    sys.modules["clearml_train_entry"] = sys.modules["__main__"]  # whose functions are still at work
    sys.argv = [path] + words
    sys.path[:0] = [] if MODULE else [os.path.dirname(path)]
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    loader = importlib.import_module("importlib.machinery").SourceFileLoader("__main__", path)
    module.__dict__.update(__file__=path, __builtins__=builtins, __cached__=None, __loader__=loader)
    if MODULE:
        module.__spec__ = importlib.import_module("importlib.util").find_spec(MODULE)
        module.__package__ = MODULE.rpartition(".")[0]
    with io.open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    # Python waits for threads before it ends, and the run has not ended before; idle workers of a pool do not count
    pools = getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", {})
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread() and thread not in pools:
            thread.join()


# ---- All of it ----


def prepare(given):
    """Everything is looked at before anything starts, and all that is wrong is said at once."""
    work_dir = os.path.abspath(given.get("work_dir", os.path.join(REPO, "work_dirs", given.stem)))
    files = config_chain(os.path.abspath(given.get("config"))) if given.get("config") and CONFIG else []
    checks = (given.problems, check_options(given), check_config(given), check_resume(given, work_dir))
    found = [one for check in checks + (check_data(given, files),) for one in check]
    made, dry = [], "dry_run" in given.own
    for make in (lambda: ready_clearml(given, not found and not dry), lambda: processes(given)):
        try:
            made.append(make())
        except Refused as refused:
            found += refused.args
    if found:
        raise Refused(*found)
    mode, (launcher, launch, more) = made
    return {
        "words": script_words(given, near(work_dir), more),
        "resume": resume_words(given, work_dir),
        "several": launcher not in (None, "own"),
        "launcher": launcher,
        "launch": launch,
        "clearml": mode,
        "project": given.get("clearml_project", NAME),
        "title": given.get("clearml_task", given.stem),
        "output": work_dir,
        "config": given.get("config", ""),
        "configs": files,
        "resumed": "resume" in given.own,
        "options": given.as_options(),
        "since": time.time(),
    }


def resume_words(given, work_dir):
    path = given.own.get("resume")
    if not path and (RESUME_AUTO or path is None):
        return list(RESUME_AUTO) * (path is not None)
    return filled(RESUME, located(path or near(newest_checkpoint(work_dir))))


def processes(given):
    """(the launcher, its words, words for the script)"""
    several = given.get("nproc_per_node", "1") != "1" or given.get("nnodes", "1") not in ("1", "1:1")
    several = several or any(name.startswith("rdzv") for name in given.own) or given.get("max_restarts", "0") != "0"
    if not several:
        return None, [], []
    if LAUNCHER == "torchrun":
        return launcher_words(given) + (list(DISTRIBUTED),)
    if LAUNCHER == "own" and DEVICES and set(given.own) & set(TORCHRUN) <= {"nproc_per_node", "standalone"}:
        return "own", [], filled(DEVICES, given.get("nproc_per_node"))
    why = "{} {}".format(SCRIPT, "starts its processes itself" if LAUNCHER == "own" else "trains in one process")
    refuse("several processes cannot be started by this command", why, "use its own options: --help")


def launcher_words(given):
    """The launcher that this torch has, and its words."""
    options = collections.OrderedDict((name, given.own[name]) for name in TORCHRUN if name in given.own)
    module, more = "torch.distributed.run", []
    if not installed("torch", "version.py"):
        refuse("several processes need torch", "it is not installed here", "leave the launcher's options out")
    if not installed("torch", "distributed", "run.py"):
        module, more, known = "torch.distributed.launch", ["--use_env"], TORCHRUN[:3] + ["master_addr", "master_port"]
        options.pop("standalone", None)
        why = "the torch here has only torch.distributed.launch, which does not know it"
        new = [problem("--{} needs torch 1.9".format(n), why, "leave it out") for n in options if n not in known]
        if new:
            raise Refused(*new)
    elif options.get("nnodes", "1") == "1" and not any(n.startswith(("rdzv", "master", "stand")) for n in options):
        options["standalone"] = ""  # a port of its own: two runs on a machine do not meet
    return module, ["--{}={}".format(*pair) if pair[1] else "--" + pair[0] for pair in options.items()] + more


def dry_run(job):
    script = near(os.path.join(REPO, SCRIPT))
    launcher = ["-m", job["launcher"]] + job["launch"] if job["several"] else []
    started = ["-m", MODULE] if MODULE else [script]
    command = ["python"] + launcher + started + with_resume(job["words"], job["resume"])
    lines = ["cd " + shlex.quote(REPO)] if not WORK_DIR else []
    lines += ["export PYTHONPATH=" + shlex.quote(os.environ.get("PYTHONPATH", ""))] if PYTHONPATH else []
    print("\n".join(lines + [" ".join(shlex.quote(word) for word in command)]))


def set_python_path():
    """As the repository's own scripts have it, here and for every process that is started."""
    paths = [os.path.normpath(os.path.join(REPO, path)) for path in PYTHONPATH]
    before = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in paths]
    if paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(paths + before)
    sys.path[:] = paths + [path for path in sys.path if path not in paths]


def main(argv):
    learn(argv)
    given = Given(argv + remote_words())
    learn(given.argv)
    if "help" in given.own or argv == ["-h"]:
        print(help_text())
        return 0
    set_python_path()
    if "dry_run" in given.own:
        dry_run(prepare(given))
        return 0
    trace = open_trace(given)
    try:
        return train(given, trace)
    except Refused as refused:
        trace.end(2, problems=list(refused.args))
        raise
    except KeyboardInterrupt:
        trace.end(130, number=int(signal.SIGINT))
        raise
    except BaseException as raised:  # whatever this file did not foresee: no trace stays "running"
        trace.end(exit_code(raised), failure(raised, 0))
        raise


def train(given, trace):
    job, base = dict(prepare(given), folder=trace.folder), START if WORK_DIR else REPO
    path = fetch_dataset(given, job["clearml"]) if given.get("dataset_id") else given.get("dataset_path")
    roots = [os.path.join(base, *named.split("/")[:2]) for named, _ in named_data(job["configs"])]
    data = path or next((near(root) for root in roots if os.path.isdir(root)), None)
    for name, default in (("nproc_per_node", "1"), ("nnodes", "1"), ("node_rank", "0")):
        value = given.get(name, default)
        trace.facts[name] = int(value) if value.isdigit() else None  # torchrun knows "gpu" and "1:4", too
    trace.facts["dataset"].update(id=given.get("dataset_id"), path=data)
    trace.facts["clearml"]["mode"] = job["clearml"]
    for note in given.notes:
        trace.add(note)
    if job["configs"]:
        trace.facts["config"] = snapshot(trace, job["configs"])
    words = with_resume(job["words"], job["resume"])
    trace.update(passed=words, launcher=job["launcher"], work_dir=near(job["output"]) if WORK_DIR else None)
    slow = threading.Thread(target=note_slow_facts, args=(trace, data), daemon=True)
    slow.start()
    code = Launcher(job, trace, None)() if job["several"] else Script(job, trace, 0)()
    slow.join(0.5)
    return code


def entry():
    try:
        code = work() if JOB in os.environ else main(sys.argv[1:])
        sys.stdout.flush()
    except Refused as refused:
        for found in refused.args:
            tell(found)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        stdout_gone()
        code = 128 + signal.SIGPIPE
    sys.exit(code)


if __name__ == "__main__":
    entry()
