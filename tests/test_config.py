"""The options: each says what it means, and what is impossible is refused with its key."""

import pytest

from tests.test_config_resolve import refusal
from xrgan import config as options
from xrgan.config import Config
from xrgan.config_resolve import resolve


def test_every_key_has_a_description() -> None:
    for key in options.all_keys():
        assert len(options.meaning(key)) > 10, key
        assert "\n" not in options.meaning(key)


def test_meaning_and_default_are_those_of_the_fields() -> None:
    assert options.meaning("train.beta1") == "Adam's first momentum"
    assert options.default("train.beta1") == Config().train.beta1
    assert options.default("device") == "auto"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("train.epochs=many", "'many'"),
        ("train.epochs=1.5", "1.5"),
        ("train.epochs=[1]", "[1]"),
        ("train.epochs={a: 1}", "{'a': 1}"),
        ("train.epochs=", "None"),
        ("train.epochs=yes", "True"),
        ("train.lr=true", "True"),
        ("train.lr=fast", "'fast'"),
        ("train.tensorboard=maybe", "'maybe'"),
        ("prepare.channels=true", "True"),
        ("prepare.channels='1'", "'1'"),
        ("prepare.split=0.8", "0.8"),
        ("prepare.split=[1.0]", "[1.0]"),
        ('prepare.split="0.8,0.2"', "it takes three shares"),
        ("model.conditional=perhaps", "'perhaps'"),
        ("dataset=2024-01-01", "2024"),
        ("dataset=[a]", "['a']"),
    ],
)
def test_a_wrong_type_is_named_with_key_and_value(setting: str, value: str) -> None:
    key = setting.partition("=")[0]
    error = refusal(setting)
    assert error.message.startswith(f"{key} = ")
    assert value in error.message
    assert error.hint == f"{key}: {options.meaning(key)}."


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("prepare.size=7", "7"),
        ("prepare.size=4096", "4096"),
        ("prepare.channels=2", "2"),
        ("prepare.fit=squeeze", "'squeeze'"),
        ("prepare.fraction=0", "0"),
        ("prepare.fraction=1.01", "1.01"),
        ("prepare.fraction=.nan", "nan"),
        ("prepare.limit=-1", "-1"),
        ("prepare.split=[0.8, 0.1, 0.2]", "[0.8, 0.1, 0.2]"),
        ("prepare.split=[0, 0.5, 0.5]", "[0, 0.5, 0.5]"),
        ("prepare.split=[1.2, -0.1, -0.1]", "[1.2, -0.1, -0.1]"),
        ("prepare.split=[.nan, 0.5, 0.5]", "[nan, 0.5, 0.5]"),
        ("prepare.patient_pattern='a('", "'a('"),
        ("prepare.patient_pattern=abc", "'abc'"),
        ("prepare.window=p99-p1", "'p99-p1'"),
        ("prepare.map=Opacity", "'Opacity'"),
        ("prepare.labels=3", "3"),
        ("device=gpu", "'gpu'"),
        ("model.name=stylegan", "'stylegan'"),
        ("train.batch_size=1", "1"),
        ("train.lr=0", "0"),
        ("train.lr=.nan", "nan"),
        ("train.beta1=1", "1"),
        ("train.real_label=0.5", "0.5"),
        ("train.gradient_clip=.inf", "inf"),
        ("train.seed=-1", "-1"),
        ("train.seed=99999999999999999999", "99999999999999999999"),
        ("train.epochs=0x" + "f" * 5000, "thousands of digits"),
        ("evaluate.fid_layer=100", "100"),
        ("classify.k_folds=1", "1"),
        ("classify.k_folds=21", "21"),
        ("classify.k_folds=-1", "-1"),
        ("classify.k_folds=some", "'some'"),
        ("classify.ratio=.inf", "inf"),
        ("classify.ratio=0", "0"),
        ("classify.arms=real+nothing", "real+nothing"),
        ("classify.arms=[]", "[]"),
        ("classify.arms=','", "','"),
        ("classify.arms=[1]", "[1]"),
        ("classify.fractions=0,1", "'0,1'"),
        ("classify.fractions=[0.5, 1.01]", "[0.5, 1.01]"),
        ("classify.fractions=.nan", "nan"),
        ("classify.fractions=half", "'half'"),
        ("classify.fractions=[]", "[]"),
        ("classify.fractions=true", "True"),
        ("classify.seeds=0", "0"),
        ("classify.leaks=ignore", "'ignore'"),
        ("classify.pretraining=1", "1"),
        ("classify.patience=-1", "-1"),
        ("classify.resamples=99", "99"),
        ("classify.gan_per_fold=often", "'often'"),
    ],
)
def test_an_impossible_value_is_named_with_its_key(setting: str, value: str) -> None:
    key = setting.partition("=")[0]
    error = refusal(setting)
    assert error.message.startswith(f"{key} = ")
    assert value in error.message
    assert error.hint == f"{key}: {options.meaning(key)}."


@pytest.mark.parametrize("key", ["labels", "view"])
def test_names_by_commas_are_a_list(key: str) -> None:
    wish = resolve(settings=[f"prepare.{key}=PA, AP"]).prepare
    assert getattr(wish, key) == ("PA", "AP")


@pytest.mark.parametrize("key", ["labels", "view", "table"])
def test_none_is_no_name(key: str) -> None:
    assert getattr(resolve(flags={f"prepare.{key}": "none"}).prepare, key) == ()


def test_columns_may_be_numbers() -> None:
    prepare = resolve(settings=["prepare.label_column=3", "prepare.patient_column=1"]).prepare
    assert (prepare.label_column, prepare.patient_column) == (("3",), "1")
    assert resolve(settings=["prepare.label_column=[1, Mass]"]).prepare.label_column == ("1", "Mass")
    assert resolve(flags={"prepare.label_column": "No Finding, Mass"}).prepare.label_column == ("No Finding", "Mass")


@pytest.mark.parametrize("section", ["classify", "segment"])
@pytest.mark.parametrize(
    ("text", "arms"),
    [
        ("synthetic->real", ("synthetic→real",)),
        ("synthetic-to-real", ("synthetic→real",)),
        ("synthetic→real", ("synthetic→real",)),
        ("synthetic, real+classic ,real,real", ("real", "real+classic", "synthetic")),
        ("[synthetic-to-real, real]", ("real", "synthetic→real")),
    ],
)
def test_arms_come_once_and_in_their_order_however_the_arrow_is_written(
    section: str, text: str, arms: tuple[str, ...]
) -> None:
    assert getattr(resolve(settings=[f"{section}.arms={text}"]), section).arms == arms
    if not text.startswith("["):  # a flag's value is no YAML
        assert getattr(resolve(flags={f"{section}.arms": text}), section).arms == arms


@pytest.mark.parametrize(
    ("text", "fractions"), [("0.05,0.25,1", (0.05, 0.25, 1.0)), ("1, 0.1,0.1", (0.1, 1.0)), ("0.5", (0.5,))]
)
def test_fractions_come_once_from_the_smallest_on(text: str, fractions: tuple[float, ...]) -> None:
    assert resolve(flags={"classify.fractions": text}).classify.fractions == fractions
    assert resolve(settings=[f"segment.fractions={text}"]).segment.fractions == fractions
