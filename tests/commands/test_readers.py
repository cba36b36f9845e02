"""`xrgan readers`: the page, and the judgement of what came back."""

from pathlib import Path

from tests.readers.cases import guesses, knows, put_answers
from tests.report.pages import Page
from tests.terminal import Terminal, words
from xrgan.files import read_yaml
from xrgan.rundir import RunDir


def test_from_the_page_to_the_conclusion(type_: Terminal, run: RunDir) -> None:
    answer = type_("readers mine --n 8 --ask-class")
    assert answer.out.strip() == "runs/mine/readers/readers.html" and "keep it from the readers" in words(answer.err)
    page, key = Page(Path(answer.out.strip()).read_text()), run.path / "readers/key.csv"
    kinds = [line.split(",")[1] for line in key.read_text().splitlines()[1:]]
    assert len(page.all("img")) == len(kinds) and kinds.count("real") == kinds.count("synthetic")
    assert {one["value"] for one in page.all("input") if one.get("name") == "class"}
    assert "--overwrite" in words(type_("readers mine", code=1).err)
    type_("report mine")
    files = [put_answers(key, "anna", knows), put_answers(key, "ben", guesses(1))]
    judged = type_("readers mine --answers", *map(str, files))
    assert "anna" in judged.out and "100 %" in judged.out and "right (95 % interval" in words(judged.out)
    summary = read_yaml(run.path / "readers/summary.yaml")
    assert [one["reader"] for one in summary["readers"]] == ["anna", "ben"]
    assert "Can readers tell?" in (run.path / "report.html").read_text()
    assert '"conclusion"' in type_("readers --json --answers", *map(str, files)).out
    type_("readers mine --n 6 --overwrite --seed 3")
    assert "it is of the study" in words(type_("readers mine --answers", str(files[0]), code=1).err)
    assert not (run.path / "readers/summary.yaml").exists()


def test_what_goes_wrong_is_one_sentence(type_: Terminal, run: RunDir) -> None:
    assert "There is no key" in words(type_("readers mine --answers a.csv", code=1).err)
    assert "behind --answers" in words(type_("readers mine a.csv", code=2).err)
    assert "one run at a time" in words(type_("readers mine other", code=2).err)
    assert "--ask-class goes with the page" in words(type_("readers --ask-class --answers a.csv", code=2).err)
    for option in ("--overwrite", "--data tiny"):
        refused = type_(f"readers {option} --answers a.csv", code=2)
        assert f"{option.split()[0]} goes with the page" in words(refused.err)
    assert "--json prints what was answered" in words(type_("readers --json", code=2).err)
    assert "There is no run" in words(type_("readers nobody", code=1).err)
