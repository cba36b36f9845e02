"""The page of one run: what it says, that it needs nothing, and that nothing from outside becomes code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cards.cases import CARD
from tests.readers.cases import SUMMARY
from tests.report.cases import facts_of, put_images, put_run, sources_of
from tests.report.pages import Page
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml
from xrgan.report.page import Sources, run_page
from xrgan.rundir import RunDir

EVIL = "<script>alert('x')</script>"


def page_of(run: RunDir, public: bool = False) -> Page:
    return Page(run_page(sources_of(run, public)))


def test_the_first_screen_answers_three_questions(tmp_path: Path) -> None:
    page = page_of(put_run(tmp_path))
    before = page.text.partition("Images ")[0]
    for words in ("Is it any good?", "Far from real", "Does it copy?", "Does it help?", "nothing shown"):
        assert words in before


def test_everything_is_on_it(tmp_path: Path) -> None:
    page = page_of(put_run(tmp_path))
    for words in (
        *("Losses", "What the discriminator says", "Health", "FID over the training", "Realism and variety"),
        *("Closest pairs", "Against real: nothing is shown", "Flow of images", "train.epochs", "Limits", "git_commit"),
        *("xrgan train --data tiny --run exp1", "What each score means", "lungs blue", "(open)", "FID is biased."),
    ):
        assert words in page.text, words
    assert len(page.all("input")) == 1 and len(page.pictures()) == 19


def test_it_fetches_nothing(tmp_path: Path) -> None:
    page = page_of(put_run(tmp_path))
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action"):
            assert attributes.get(name, "#").startswith(("data:image/", "#")), (tag, attributes[name][:80])
    assert "@import" not in page.html and "url(" not in page.html
    assert not any(tag in {"link", "iframe", "object", "embed"} for tag, _ in page.tags)


def test_every_picture_has_an_alternative_text_and_every_id_is_one(tmp_path: Path) -> None:
    page = page_of(put_run(tmp_path))
    images = [image for image in page.all("img") if not image["src"].startswith("data:image/gif")]
    assert all(image["alt"] for image in images)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {link["href"][1:] for link in page.all("a")}
    assert targets <= set(ids)


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    run = put_run(tmp_path, EVIL.replace("/", "∕"))  # a slash is no part of a name
    environment = run.read_environment()
    environment["dataset"] |= {"classes": [EVIL, "b"], "name": EVIL, "source": EVIL}
    run.write_environment(environment | {"device": EVIL})
    study = read_yaml(run.classify / "summary.yaml")
    write_yaml(run.classify / "summary.yaml", study | {"conclusion": EVIL, "caveats": [EVIL]})
    scores = run.read_scores()
    scores["metrics"]["fid"]["note"] = EVIL
    scores["metrics"]["clipped_coverage"]["per_class"] = {EVIL: {"value": 0.1}, '"onload="x': {"value": 0.2}}
    write_yaml(run.evaluation / "scores.yaml", scores)
    (run.synthetic / "index.csv").write_text(f"file,seed,label\nsynthetic_00001.png,0,{EVIL}\n")
    page = page_of(run)
    assert len(page.all("script")) == 1 and "alert('x')" in page.text
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_in_public_no_patient_is_left(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    private, public = page_of(run), page_of(run, public=True)
    patients = [run.evaluation / "memorisation.png", run.evaluation / "overview.png", run.segment / "overlays.png"]
    for file in patients:
        content = file.read_bytes()
        assert content in [picture for _, picture in private.pictures()]
        assert content not in [picture for _, picture in public.pictures()]
    assert "Closest pairs" not in public.text and "Without real patients" in public.text
    assert "not for sharing" in private.text


def test_readers_have_no_name_in_public(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    write_yaml(run.path / "readers" / "summary.yaml", SUMMARY)
    private, public = page_of(run), page_of(run, public=True)
    assert "Dr Who" in private.text and "Dr Who" not in public.text and "reader 1" in public.text
    assert "Can readers tell?" in public.text


def test_a_run_of_which_hardly_anything_is_known_has_a_page(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "old")
    run.path.mkdir()
    run.config_file.write_text("dataset: tiny\n")
    page = page_of(run)
    assert "Not measured yet" in page.text and "xrgan sample --run old" in page.text and "No epoch" in page.text


def test_the_dataset_is_told_where_it_is_here(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    page = Page(run_page(Sources(replace(facts_of(run), dataset=CARD), run.synthetic)))
    assert "Chest X-rays | of children" in page.text and "Images found: 110" in page.text
    assert "mueller" not in page.html


def test_phantoms_are_nobodys(tmp_path: Path) -> None:
    run = put_run(tmp_path)
    environment = run.read_environment()
    environment["dataset"]["source"] = "phantom"
    run.write_environment(environment)
    assert "are phantoms" in page_of(run).text and "not for sharing" not in page_of(run).text


@pytest.mark.parametrize("study", [{"results": [{"arm": "real"}]}, {"comparisons": [3]}, {"results": "none"}])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, study: object) -> None:
    run = put_run(tmp_path)
    write_yaml(run.classify / "summary.yaml", study)  # type: ignore[arg-type]
    with pytest.raises(XrganError, match="not as xrgan writes it"):
        page_of(run)


@pytest.mark.slow
def test_five_thousand_samples_make_a_page_that_can_be_mailed(tmp_path: Path) -> None:
    run = put_run(tmp_path, images=0, size=224)
    put_images(run, 5000, 8, masks=False)
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 256, (56, 56), dtype=np.uint8))
    for k in range(1, 400):  # those that are shown are of full size
        smooth.rotate(k).resize((224, 224)).save(run.synthetic / f"synthetic_{k:05d}.png")
    html = run_page(sources_of(run))
    assert len(html.encode()) < 15e6 and "of 2,500" in html
