"""What is a credential: Kobako and the entry script, which cannot import it, are asked the same and answer the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import kobako.train.entry
from kobako import masking
from kobako.actions import artifacts
from kobako.train import masked
from kobako.train.entry import discover

TEMPLATE = Path(kobako.train.entry.__file__).with_name("template") / "clearml_train.py"


@pytest.fixture(scope="module")
def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("the_entry_script", TEMPLATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script(loaded: ModuleType) -> Iterator[ModuleType]:
    loaded.SECRETS[:] = []
    yield loaded
    loaded.SECRETS[:] = []


SECRET = (
    *("--api-key", "--api_key", "--apikey", "--password", "--passwd", "--db-password", "--hf-token", "--hf_token"),
    *("--wandb_api_key", "--wandb-key", "--secret", "--client-secret", "--token", "--auth_token", "--access-token"),
    *("--use_auth_token", "--credentials", "--secret-key", "--private_key", "--api-tokens", "--passphrase"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID_SECRET", "AWS_SESSION_TOKEN", "WANDB_API_KEY", "HF_TOKEN"),
    *("CLEARML_API_SECRET_KEY", "CLEARML_API_ACCESS_KEY", "KAGGLE_KEY", "DB_PASS", "MYSQL_PWD", "GITHUB_TOKEN"),
    *("NEPTUNE_API_TOKEN", "COMET_API_KEY", "apiKey", "accessToken"),
    *("GITHUB_PAT", "AZURE_STORAGE_CONNECTION_STRING", "--connection-string", "API_KEY1", "ROBOFLOW_API_KEY_2"),
    *("CI_JOB_JWT", "CI_JOB_JWT_V2", "DOCKER_AUTH_CONFIG", "Authorization", "--hf-token-2", "password2"),
    *("+api_key", "++token", "~password"),  # as Hydra has them
)
ORDINARY = (
    *("--sort-key", "--csv-img-key", "--csv-caption-key", "--key", "--keys", "--pad_token", "--pad-token"),
    *("--max_token", "--max_tokens", "--max-tokens", "--cls-token", "--tokens-per-batch", "--num-tokens", "--tokens"),
    *("--eos_token", "--bos_token", "--mask-token", "--unk-token", "--sep_token", "--token-dropout", "--tokenizer"),
    *(
        "--token_id",
        "--keypoints",
        "--monkey",
        "--pass",
        "--bypass",
        "--compass",
        "--use_token",
        "--decoder_start_token",
    ),
    *("--additional_special_tokens", "--key-metric", "--secretary", "padToken", "PWD", "OLDPWD", "PATH", "KEY"),
    *("PYTHONPATH", "--path", "--pad_token_2", "--connection", "--authors", "KEY1", "token2id", "--string", "PAT"),
)


@pytest.mark.parametrize("name", SECRET)
def test_names_of_credentials(script: ModuleType, name: str) -> None:
    assert masking.is_secret(name)
    assert script.is_secret(name)


@pytest.mark.parametrize("name", ORDINARY)
def test_names_of_anything_else(script: ModuleType, name: str) -> None:
    assert not masking.is_secret(name)
    assert not script.is_secret(name)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("--api-key VALUE --x 1", "--api-key *** --x 1"),
        ("--api_key=VALUE", "--api_key=***"),
        ("--password=a=b", "--password=***"),
        ("--hf-token hf_abc", "--hf-token ***"),
        ("--token --name x", "--token --name x"),
        ("--sort-key=len", "--sort-key=len"),
        ("--csv-img-key url image", "--csv-img-key url image"),
        ("--pad_token <pad> --max_token=5", "--pad_token <pad> --max_token=5"),
        ("--max_tokens 5 --cls-token c", "--max_tokens 5 --cls-token c"),
        ("--tokens-per-batch 4096", "--tokens-per-batch 4096"),
        ("--cfg-options model.api_key=abc lr=1", "--cfg-options model.api_key=*** lr=1"),
        ("AWS_SECRET_ACCESS_KEY=abc train", "AWS_SECRET_ACCESS_KEY=*** train"),
        ("--url=https://TOKEN@host/x", "--url=https://***@host/x"),
        ("--url https://user:pw@host", "--url https://***@host"),
        ("--url=https://user:p@ss@host", "--url=https://***@host"),
        ("--url=https://host/a@b?c=d@e", "--url=https://host/a@b?c=d@e"),
        ("--url=https://host?token=abc", "--url=https://host?token=***"),
        ("+api_key=abc ++token=d ~x", "+api_key=*** ++token=*** ~x"),
    ],
)
def test_command_lines(script: ModuleType, given: str, shown: str) -> None:
    assert " ".join(masked.words(given.split())) == shown
    assert " ".join(script.cleaned(given.split())) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('+api_key = "abc123def"', '+api_key = "***"'),
        ("  'password': 'hunter22',", "  'password': '***',"),
        ('os.environ["HF_TOKEN"] = "hf_abcdefgh"', 'os.environ["HF_TOKEN"] = "***"'),
        ("+  api_key: abcd1234efgh", "+  api_key: ***"),
        ("+export WANDB_API_KEY=abcd1234efgh", "+export WANDB_API_KEY=***"),
        ("origin = 'https://me:pw@host/x'", "origin = 'https://***@host/x'"),
        ("  'password': 'abc def',", "  'password': '***',"),
        ('+db_password: "correct horse battery"', '+db_password: "***"'),
        ("Authorization: Bearer abcd1234efgh", "Authorization: Bearer ***"),
        ("+curl -H 'Authorization: Bearer abcd1234efgh' $x", "+curl -H 'Authorization: Bearer ***' $x"),
        ('{"Authorization": "Bearer abcdefgh"}', '{"Authorization": "***"}'),
        *((one, one) for one in ('{"Authorization": "Bearer " + token}', '"Authorization": "Bearer {}".format(token)')),
        # code that deals with words is left as it is
        *((one, one) for one in ("+token = self.next(words)", "+token = tokens[at]", "+pad_token = '[PADDING]'")),
        *((one, one) for one in ("secret = None", "def f(token=None, key='abcdefgh'):", "if token == 'abcdefgh':")),
        *((one, one) for one in ("parser.add_argument('--api-key', help='x')", "token: str = ''", "x @ y  # ://")),
    ],
)
def test_code(script: ModuleType, given: str, shown: str) -> None:
    assert masked.code(given.encode()) == shown.encode()
    assert script.masked(given, script.LITERAL) == shown


def test_what_is_known_is_found_wherever_it_stands(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--api-key=opt\"ion'1", "--hf-token", "second", "--pad_token=<padding>", "--git=https://me:address@host/x"]
    variables = {"WANDB_API_KEY": "variable", "SHORT_TOKEN": "abc", "HOME": "/home/somebody"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    script.learn(words)
    blots = masked.Blots(masked.secrets(variables, words))
    text = "a variable, opt\"ion'1, second, opt\\\"ion'1; abc <padding> /home/somebody address http://a:b@c"
    shown = "a ***, ***, ***, ***; abc <padding> /home/somebody *** http://***@c"
    assert blots(text.encode()).decode() == shown
    assert script.masked(text, script.ADDRESS) == shown


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (["--cfg_options=a=1 wandb.api_key=SECRETVALUE12"], "SECRETVALUE12"),
        (["--cfg-options", "a=1,wandb.api_key=SECRETVALUE12,b=2"], "SECRETVALUE12"),
        (["--cfg-options=wandb.api_key=SECRETVALUE12"], "SECRETVALUE12"),
        (["--cfg-options=a=dict(api_key='SECRET VALUE',b=2)"], "SECRET VALUE"),
        (["--extra", '{"hf_token": "SECRETVALUE12"}'], "SECRETVALUE12"),
        (["--header=Authorization: Bearer SECRETVALUE12"], "SECRETVALUE12"),
        (["+api_key=SECRETVALUE12"], "SECRETVALUE12"),
        (["--store", "AccountName=me;AccountKey=SECRETVALUE12==;EndpointSuffix=net"], "SECRETVALUE12=="),
    ],
)
def test_values_within_a_word_are_known(script: ModuleType, words: list[str], known: str) -> None:
    script.learn(words)
    blots = masked.Blots(masked.secrets({}, words))
    text = f"wandb: logged in with {known}, a=1 b=2"
    assert blots(text.encode()).decode() == "wandb: logged in with ***, a=1 b=2"
    assert script.masked(text, script.ADDRESS) == "wandb: logged in with ***, a=1 b=2"


def test_what_stands_in_a_variable_of_that_name_is_known_in_its_parts(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=somebody;AccountKey=SECRETVALUE12==;Suffix=net"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    script.learn([])
    assert masked.Blots(masked.secrets(variables, []))(b"somebody SECRETVALUE12==") == b"somebody ***"
    assert script.masked("somebody SECRETVALUE12==", script.ADDRESS) == "somebody ***"


def test_both_know_what_the_entry_script_keeps_for_itself(script: ModuleType) -> None:
    handed_on = {"config", "work_dir", "resume", "dataset_path", "help", *script.TORCHRUN}
    assert {option.name for option in script.OWN} - handed_on == discover.OURS


def test_both_know_the_same_checkpoints(script: ModuleType) -> None:
    assert set(script.CHECKPOINTS) == set(artifacts.ENDINGS)
