import pytest

from xrgan.config import all_keys
from xrgan.config_resolve import resolve
from xrgan.report.options import options_of, plain, settings_of, typed, value_of


def test_options_are_sorted_by_whose_choice_they_are() -> None:
    wish = [
        "train.epochs=7",
        "train.penalty_every=4",
        "model.progressive=16,32",
        "train.batch_size=16",
        "sample.seed=3",
    ]
    config = resolve(settings=wish)
    changed, automatic, left = options_of(config)
    assert [(one.key, one.value, one.usual) for one in changed] == [
        ("train.epochs", "7", "50"),
        ("train.penalty_every", "4", "8"),
    ]
    assert [(one.key, one.value) for one in automatic] == [("model.progressive", "16,32"), ("train.batch_size", "16")]
    assert "train.minutes" in {one.key for one in left} and all(one.meaning for one in (*changed, *left))
    sections = {one.key.partition(".")[0] for one in (*changed, *automatic, *left)}
    assert sections == {"model", "train"} and len(changed) + len(automatic) + len(left) < len(all_keys())


def test_settings_make_the_same_configuration() -> None:
    config = resolve(settings=["train.epochs=7", "model.progressive=16,32", "train.compile=true", "train.lr=0.001"])
    changed, automatic, _ = options_of(config)
    assert resolve(settings=settings_of([*changed, *automatic], config)) == config


@pytest.mark.parametrize(("value", "text"), [(True, "yes"), ((), "none"), ((1, 2), "1,2"), ("", "none"), (0.5, "0.5")])
def test_values_are_said_plainly(value: object, text: str) -> None:
    assert plain(value) == text


def test_a_text_that_looks_like_something_else_is_quoted() -> None:
    assert typed("yes") == "'yes'" and typed(True) == "true" and typed([1, 2]) == "1,2"
    assert value_of(resolve(), "train.epochs") == 50
