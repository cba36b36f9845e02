import shlex
from dataclasses import replace
from pathlib import Path

from tests.cards.cases import known, unknown
from tests.report.cases import facts_of, put_run
from xrgan.report.recipe import citations, commands


def test_the_commands_hold_what_differs_from_the_defaults(tmp_path: Path) -> None:
    lines = commands(facts_of(put_run(tmp_path)))
    fetch, prepare, train, sample, evaluate, classify, segment = lines
    assert fetch == "xrgan fetch --folder mine"
    assert prepare == (
        "xrgan prepare mine --name tiny --set=prepare.size=16 --set=prepare.fit=crop "
        "--set=prepare.labels=NORMAL,PNEUMONIA --set=prepare.table=labels.csv"
    )
    assert train.startswith("xrgan train --data tiny --run exp1 --set=train.epochs=3")
    assert sample == "xrgan sample --run exp1 --n 6 --seed 4" and evaluate == "xrgan evaluate --run exp1"
    assert "--set=classify.seeds=3" in classify and segment.startswith("xrgan segment")


def test_names_are_quoted_for_a_shell(tmp_path: Path) -> None:
    line = commands(facts_of(put_run(tmp_path, "a b; rm -rf $HOME")))[2]
    assert "a b; rm -rf $HOME" in shlex.split(line)


def test_phantoms_are_drawn_as_they_were(tmp_path: Path) -> None:
    facts = known(tmp_path)
    assert facts.dataset is not None
    card = facts.dataset | {"source": {"name": "phantom", "from": "drawn, n 60, size 128, seed 3"}}
    environment = {**facts.environment, "dataset": {**facts.trained_on, "source": "phantom"}}
    lines = commands(replace(facts, dataset=card, environment=environment))  # type: ignore[arg-type]
    assert lines[0] == "xrgan fetch phantom --n 60 --size 128 --seed 3"


def test_data_method_and_software_are_cited(tmp_path: Path) -> None:
    software, data = citations(known(tmp_path))[:2]
    assert "xrgan 0.1.0" in software and "CC BY 4.0" in data and "of children" in data
    assert len(citations(unknown(tmp_path))) == 1
