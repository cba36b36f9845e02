from dataclasses import replace
from pathlib import Path

from tests.cards.cases import known, unknown
from tests.terminal import words
from xrgan.cards.model_card import model_card


def test_it_says_what_is_known(tmp_path: Path) -> None:
    text = words(model_card(known(tmp_path)))
    assert "# Model card: exp1" in text and "by class (NORMAL, PNEUMONIA)" in text
    assert "1.5 minutes on cpu (2 threads), 1,000 images seen" in text
    assert "| FID | 90.25 | 60.5 | 1.49 | 20 |" in text and "covered least is **NORMAL** (0.31)" in text
    assert "Suspected copies 5.0 % (real images 0.0 %, N = 20), 1 images" in text
    assert "**No suspect is no proof**" in text and "A does not help." in text
    assert "of 80 training images, none made more than 21.0 % of any of the 10 components" in text
    assert "62 % of what sets a training image" in text and "55 % of what does a held-out one" in text
    assert "Patients stand in more than one split" in text and "Scored with 20 images" in text


def test_what_is_not_known_is_not_invented(tmp_path: Path) -> None:
    text = words(model_card(unknown(tmp_path)))
    for sentence in ("Not measured yet", "Copies were not looked for", "Not studied", "was not measured", "not known"):
        assert sentence in text, sentence
    assert "None" not in text and "nan" not in text


def test_a_model_without_averages_says_nothing_of_them(tmp_path: Path) -> None:
    facts = known(tmp_path)
    dcgan = facts.config.model_copy(update={"model": facts.config.model.model_copy(update={"name": "dcgan"})})
    assert "principal components" not in model_card(replace(facts, config=dcgan))
