"""A study's own generators, per fold, or per fold, fraction and seed: `xrgan classify`, typed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.toy_studies import QUICK, TOYS, put_dataset, put_run, said, scores_of, summary_of
from tests.downstream.blobs import changed, set_at, toy_dataset
from tests.terminal import Terminal, tree
from xrgan.config import ClassifyConfig
from xrgan.downstream import study
from xrgan.downstream.classification import task
from xrgan.downstream.classification.task import Classification
from xrgan.gan import training
from xrgan.gan.job import Job

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]

PER_FOLD = f"--run a --gan-per-fold --k-folds 2 --arms real,synthetic {QUICK}"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, np.ndarray]]:
    """The name of each generator that was trained since, and the rows of the dataset that it learned from."""
    found: list[tuple[str, np.ndarray]] = []
    train = training.train

    def watched(job: Job, *args: Any) -> Any:
        found.append((job.run.name, job.dataset.of_split("train")))
        return train(job, *args)

    monkeypatch.setattr(training, "train", watched)
    return found


def test_the_generator_of_a_fold_never_sees_what_is_left_out(
    type_: Terminal, seen: list[tuple[str, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = put_dataset(changed(TOYS, hashes=set_at(TOYS.hashes, 2, TOYS.hashes[20])))  # two patients, one picture
    put_run("a", dataset)
    asked = []
    check = study.check_generator
    monkeypatch.setattr(study, "check_generator", lambda *args: (asked.append(args[1]), check(*args)))
    answer = type_(f"classify {PER_FOLD} --set sample.checkpoint=best")  # it has none: the last draws
    assert [name.split("of")[0] for name, _ in seen] == ["fold1", "fold2"]
    pool, folds = study.check(Classification(ClassifyConfig(**summary_of("a")["options"])), dataset)
    assert [fold.number for fold in asked] == [1, 2]
    for (_, rows), fold in zip(seen, folds, strict=True):
        left_out = pool.rows[fold.test]
        assert not set(dataset.groups[rows]) & set(dataset.groups[left_out])
        assert not set(rows) & set(dataset.of_split("test"))
        assert set(rows) == set(pool.rows[fold.training])
    assert "A generator for fold 1 of 2" in answer.err
    for n_synthetic, (_, rows) in zip(scores_of("a").query("arm == 'synthetic'").n_synthetic, seen, strict=True):
        assert 0.6 * len(rows) < n_synthetic <= len(rows)
    assert summary_of("a")["comparisons"][0]["folds"]["n"] == 2


def test_generators_per_fold_are_trained_once_and_resumed(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    put_run("a", put_dataset(TOYS))
    train, calls = training.train, 0

    def stopping(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return train(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", stopping)
        type_(f"classify {PER_FOLD}", code=130)
    generators = Path("runs/a/classify/generators")
    first = {file: time for file, time in tree(generators).items() if "fold1" in file and "checkpoints" in file}
    answer = type_(f"classify {PER_FOLD}")
    assert "2 of 2 trainings were there already" in said(answer)
    after = tree(generators)
    assert first and first.items() <= after.items(), "the first one was not trained again"
    scores = scores_of("a")
    again = type_(f"classify {PER_FOLD}")
    assert said(again).count("2 of 2 trainings were there already") == 2
    pd.testing.assert_frame_equal(scores_of("a"), scores)


PER_FRACTION = f"--run a --gan-per-fraction --fractions 0.4,1 --seeds 2 --arms real,real+synthetic {QUICK}"


def test_with_a_generator_per_fraction_each_learns_from_what_its_networks_have(
    type_: Terminal, seen: list[tuple[str, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = put_dataset(TOYS)
    put_run("a", dataset)
    learned: list[set[bytes]] = []
    train = task.train

    def watched(learner: Any, examples: Any, phase: Any, *args: Any) -> Any:
        learned.append({image.numpy().tobytes() for image in examples.inputs[phase.training]})
        return train(learner, examples, phase, *args)

    monkeypatch.setattr(task, "train", watched)
    pictures = []
    of_generator = training.train

    def looked_at(job: Job, *args: Any) -> Any:
        pictures.append({image.tobytes() for image in job.dataset.images[job.dataset.of_split("train")]})
        return of_generator(job, *args)

    monkeypatch.setattr(training, "train", looked_at)
    type_(f"classify {PER_FRACTION}")
    names = [name for name, _ in seen]
    assert names == ["fold0of0-seed0-0.4of1-training1", "fold0of0-seed0", "fold0of0-seed0-0.4of1-training2"]
    scores, summary = scores_of("a"), summary_of("a")
    real = {image.tobytes() for image in dataset.images}
    first_few, all_of_them = learned[0], learned[2]
    assert pictures[0] == first_few < all_of_them == pictures[1]
    assert pictures[2] != pictures[0] and len(pictures[2]) < len(pictures[1])
    assert learned[1] & real == first_few, "real+synthetic has the same real images"
    assert len({len(rows) for _, rows in seen}) == 1, "as many steps for all"
    behind = {(one["arm"], one["fraction"]): one["n_behind"] for one in summary["results"]}
    few, every = scores.query("fraction == 0.4").n_real.mean(), scores.query("fraction == 1").n_real.mean()
    assert behind == {
        ("real", 0.4): few,
        ("real+synthetic", 0.4): few,
        ("real", 1.0): every,
        ("real+synthetic", 1.0): every,
    }
    assert any("exactly the real images" in caveat for caveat in summary["caveats"])
    again = said(type_(f"classify {PER_FRACTION}"))
    assert again.count("2 of 2 trainings were there already") == 2 and "4 of 4 trainings were there already" in again
    pd.testing.assert_frame_equal(scores_of("a"), scores)


def test_generators_learn_from_another_dataset_too_and_the_report_names_it(
    type_: Terminal, seen: list[tuple[str, np.ndarray]]
) -> None:
    put_run("a", put_dataset(TOYS))
    other = toy_dataset(train=20, test=20, name="other", seed=5)
    put_dataset(changed(other, labels=set_at(other.labels, range(10), -1)))
    line = f"classify --run a --generator-data other {QUICK}"
    assert "--generator-data goes with --gan-per-fold" in said(type_(line, code=2))
    type_(f"{line} --gan-per-fold --k-folds 0")
    ((name, rows),) = seen
    train = len(TOYS.of_split("train"))
    assert name == "fold0of0-seed0-with-other" and len(rows) == train + 40
    summary = summary_of("a")
    behind = {one["arm"]: one["n_behind"] for one in summary["results"]}
    assert behind == {"real": train, "real+synthetic": train + 40}
    assert any("learned from images of other, too: 40 real images" in caveat for caveat in summary["caveats"])
    (n_synthetic,) = scores_of("a").query("arm == 'real+synthetic'").n_synthetic
    assert n_synthetic > 0.5 * train, "images of no class of the study are left out, and others drawn for them"


def test_one_generator_stands_behind_its_arms_with_all_it_saw(here: Terminal) -> None:
    here(f"classify {QUICK} --fractions 0.4,1")
    behind = {(one["arm"], one["fraction"]): one["n_behind"] for one in summary_of("a")["results"]}
    train = len(TOYS.of_split("train"))
    assert behind["real", 0.4] < train == behind["real", 1.0]
    assert behind["real+synthetic", 0.4] == behind["real+synthetic", 1.0] == train
    report = Path("runs/a/classify/report.md").read_text(encoding="utf-8")
    assert "real images behind it, its generator's included" in report


def test_generators_of_another_dataset_are_not_reused(type_: Terminal) -> None:
    """Their folds are others: what one left out, the other may have learned from."""
    put_run("a", put_dataset(TOYS))
    put_dataset(toy_dataset(name="other", seed=9))
    type_(f"classify {PER_FOLD}")
    assert "is not the dataset" in said(type_(f"classify {PER_FOLD} --data other", code=1))
    assert summary_of("a")["dataset"]["name"] == "toys"
