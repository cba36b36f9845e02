"""Do synthetic pairs help a segmenter? The study from images to verdict, on chests that a tiny U-Net learns."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from tests.downstream.blobs import ALL_ARMS
from tests.downstream.chests import (
    CPU,
    QUICK,
    SIZE,
    chests,
    made_up,
    masked_dataset,
    small_build,
    synthetic_pairs,
)
from xrgan.config import SegmentConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import report
from xrgan.downstream.classic import Classic
from xrgan.downstream.folds import Fold, Part
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.pool import Pool, SyntheticImages
from xrgan.downstream.segmentation import inference, metrics, pictures, task
from xrgan.downstream.segmentation.data import covered, cut, gather
from xrgan.downstream.segmentation.inference import load_segmenters
from xrgan.downstream.segmentation.segmenter import Segmenter, predict
from xrgan.downstream.segmentation.task import Segmentation
from xrgan.downstream.study import check, run_study
from xrgan.downstream.task import Results
from xrgan.downstream.trial import TrialKey
from xrgan.downstream.verdict import summarise
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow

OWN_SPLIT = QUICK.model_copy(update={"k_folds": 0, "epochs": 2})
PICTURES = report.save_pictures
TASK = Segmentation(QUICK)


@dataclass(frozen=True)
class Result:
    folder: Path
    summary: dict[str, Any]

    @property
    def scores(self) -> pd.DataFrame:
        return pd.read_csv(io.StringIO((self.folder / "scores.csv").read_text()))

    @property
    def figures(self) -> pd.DataFrame:
        """The scores but for what the clock says."""
        return self.scores.drop(columns="seconds")


def run(
    folder: Path,
    config: SegmentConfig = QUICK,
    dataset: PackedDataset | None = None,
    pairs: SyntheticImages | None = None,
) -> Result:
    dataset = dataset or masked_dataset()
    shared = pairs or synthetic_pairs(dataset)
    return Result(folder, run_study(Segmentation(config), dataset, CPU, folder, lambda _: shared))


def of(**changes: Any) -> SegmentConfig:
    return OWN_SPLIT.model_copy(update=changes)


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Networks of two convolutions, and no pictures, which take longer than all trainings of a study."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (task, inference):
            patch.setattr(module, "build", small_build)
        patch.setattr(report, "save_pictures", lambda *_: {})
        yield


@pytest.fixture(scope="module")
def result(small: None, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The default study on two folds, with its pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "save_pictures", PICTURES)
        return run(tmp_path_factory.mktemp("study") / "segment")


def studies_in(folder: Path) -> set[str]:
    return {torch.load(file)["about"]["study"] for file in (folder / "checkpoints").iterdir()}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the weights that each training began with."""
    began = []
    train = task.train

    def counted(network: Segmenter, *rest: Any, **more: Any) -> Any:
        began.append(str([float(value.double().sum()) for value in network.state_dict().values()]))
        return train(network, *rest, **more)

    monkeypatch.setattr(task, "train", counted)
    return began


def test_both_arms_learn_and_take_the_same_steps(result: Result) -> None:
    real, augmented = (result.scores.query("arm == @arm").set_index("fold") for arm in ("real", "real+synthetic"))
    assert min(real.test_dice) > 0.85 and min(augmented.test_dice) > 0.85
    assert list(real.index) == list(augmented.index) == [1, 2]
    assert list(real.steps) == list(augmented.steps)
    assert list(real.n_real) == list(augmented.n_real) == list(augmented.n_synthetic)
    assert list(real.n_synthetic) == [0, 0]
    assert list(real.test_dice) != list(augmented.test_dice)


def test_columns_of_scores_csv(result: Result) -> None:
    scores = result.scores
    for part in ("test", "fold"):
        for metric in ("dice", "iou", "hd95"):
            of_structures = scores[[f"{part}_{metric}_lungs", f"{part}_{metric}_heart"]]
            np.testing.assert_allclose(scores[f"{part}_{metric}"], of_structures.mean(axis=1))
    assert (scores.test_iou < scores.test_dice).all() and (scores.test_hd95 < SIZE).all()
    assert not scores.isna().any().any()


def test_the_summary_tells_the_rows_with_intervals_and_holds_no_nan(result: Result) -> None:
    text = (result.folder / "summary.yaml").read_text()
    summary = yaml.safe_load(text)
    assert summary == result.summary and ".nan" not in text
    for one in summary["results"]:
        column = result.scores.query("arm == @one['arm']").test_dice_heart
        figure = one["test"]["dice_heart"]
        assert (figure["mean"], figure["std"]) == pytest.approx((column.mean(), column.std()))
        assert figure["interval"][0] < figure["mean"] < figure["interval"][1]
    (one,) = summary["comparisons"]
    both = [result.scores.query("arm == @arm").test_dice.mean() for arm in ("real+synthetic", "real")]
    assert one["difference"]["dice"]["mean"] == pytest.approx(both[0] - both[1])
    in_folds = [result.scores.query("arm == @arm").fold_dice.to_numpy() for arm in ("real+synthetic", "real")]
    assert one["folds"]["mean"] == pytest.approx((in_folds[0] - in_folds[1]).mean())
    assert 0 < one["patients"]["better"] + one["patients"]["worse"] <= summary["images"]["test_patients"] == 6


def test_everything_stands_in_the_folder_and_the_pictures_show_something(result: Result) -> None:
    found = {file.relative_to(result.folder).as_posix() for file in result.folder.rglob("*") if file.is_file()}
    pictures = {"curves.png", "folds.png", "overlays.png"}
    kept = {f"checkpoints/{arm}-fold{fold}.pt" for arm in ("real", "real+synthetic") for fold in (1, 2)}
    assert {name for name in found if "trainings/" not in name} == {
        *("scores.csv", "summary.yaml", "report.md"),
        *pictures,
        *kept,
    }
    report = (result.folder / "report.md").read_text()
    for name in pictures:
        assert f"({name})" in report
        with Image.open(result.folder / name) as picture:
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50
    assert result.summary["conclusion"] in report and result.summary["comparisons"][0]["sentence"] in report
    assert "Dice, heart" in report and "Wilcoxon" in report and "Hausdorff" in report


def test_a_kept_segmenter_answers_as_it_was_scored(result: Result) -> None:
    """The best of an arm's folds, by its Dice on validation images."""
    pool = gather(masked_dataset(), 2)
    places = {TrialKey(arm, 1.0, fold, 1) for arm in ("real", "real+synthetic") for fold in (1, 2)}
    segmenters = load_segmenters(result.folder, studies_in(result.folder), places)
    true = pool.targets[pool.test].numpy() > 127
    for arm in ("real", "real+synthetic"):
        rows = result.scores.query("arm == @arm")
        answered = metrics.dice(predict(segmenters[arm], pool.images, pool.test, CPU), true)
        assert answered.mean() == pytest.approx(rows.test_dice[rows.validation_dice.idxmax()])
    assert load_segmenters(result.folder, {"of another study"}, places) == {}
    others = {place._replace(fraction=0.5) for place in places}
    assert load_segmenters(result.folder, studies_in(result.folder), others) == {}


def test_overlays_show_the_median_and_the_worst_by_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(report, "save_pictures", PICTURES)
    monkeypatch.setattr(pictures, "save_overlays", lambda _, *more: shown.extend(more))
    run(tmp_path, of(arms=("real", "synthetic"), epochs=3))
    images, true, predicted, structures, titles = shown
    dataset = masked_dataset()
    at_test = dataset.of_split("test")
    segmenter = load_segmenters(tmp_path, studies_in(tmp_path), {TrialKey("real", 1.0, 0, 1)})["real"]
    answered = predict(segmenter, torch.from_numpy(dataset.images[:, :1]), at_test, CPU)
    dice = metrics.dice(answered, dataset.images[at_test, 1:] > 127).mean(axis=1)
    rows = [next(k for k in at_test if np.array_equal(dataset.images[k, :1], image)) for image in images]
    assert sorted(dice[np.searchsorted(at_test, rows[2:])]) == sorted(dice)[:2]
    assert sorted(dice[np.searchsorted(at_test, rows[:2])]) == sorted(dice)[5:7]  # of twelve
    assert np.array_equal(true, dataset.images[rows, 1:] > 127) and structures == ("lungs", "heart")
    assert list(predicted) == ["real", "synthetic"]
    assert titles[2].splitlines()[:2] == ["worst Dice", f"real {min(dice):.3f}"]


def test_test_images_choose_nothing(result: Result, tmp_path: Path) -> None:
    dataset = masked_dataset()
    images = dataset.images.copy()
    at_test = dataset.of_split("test")
    images[at_test, 1:] = 255 - images[at_test, 1:]
    turned = run(tmp_path, dataset=replace(dataset, images=images))
    chosen = ["steps", "best_epoch", "validation_dice", "fold_dice", "fold_hd95_lungs"]
    pd.testing.assert_frame_equal(turned.scores[chosen], result.scores[chosen])
    assert turned.scores.test_dice.max() < 0.3


def test_an_interrupted_study_goes_on_and_ends_as_one_in_one_piece(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    counted, left = task.train, [3]

    def interrupted(*rest: Any, **more: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return counted(*rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(task, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    assert not (tmp_path / "summary.yaml").exists()
    assert len(trained) == 2
    again = run(tmp_path)
    assert len(trained) == 4
    pd.testing.assert_frame_equal(again.figures, result.figures)
    assert run(tmp_path).summary["comparisons"] == result.summary["comparisons"]
    assert len(trained) == 4


def test_other_synthetic_images_train_those_arms_anew_that_used_them(tmp_path: Path, trained: list[str]) -> None:
    old = run(tmp_path, of(epochs=4)).figures.set_index("arm")
    new = run(tmp_path, of(epochs=4), pairs=synthetic_pairs(masked_dataset(), wrong=True)).figures.set_index("arm")
    assert len(trained) == 3
    assert old.loc["real"].equals(new.loc["real"])
    assert old.test_dice["real+synthetic"] > new.test_dice["real+synthetic"] + 0.3


def test_segmenters_that_were_lost_are_trained_again_and_no_others(tmp_path: Path, trained: list[str]) -> None:
    config = of(arms=("real", "real+synthetic", "synthetic"), seeds=2)
    before = run(tmp_path, config)
    (tmp_path / "checkpoints/real-fold0.pt").unlink()
    (tmp_path / "checkpoints/real+synthetic-fold0.pt").write_bytes(b"torn")
    assert len(trained) == 6
    after = run(tmp_path, config)
    assert len(trained) == 8
    places = {TrialKey(arm, 1.0, 0, seed) for arm in config.arms for seed in (1, 2)}
    assert load_segmenters(tmp_path, studies_in(tmp_path), places).keys() == set(config.arms)
    assert after.summary["results"] == before.summary["results"]
    run(tmp_path, config)
    assert len(trained) == 8


def test_what_is_left_out_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dataset = masked_dataset()
    images = dataset.images.copy()
    images[0, 1:] = 0
    dataset = replace(dataset, images=images)
    config = of(arms=("real",), epochs=1)
    run_study(Segmentation(config), dataset, CPU, tmp_path, checked=check(Segmentation(config), dataset))
    assert capfd.readouterr().err.count("1 of 60 images of chests are left out") == 1


def test_all_arms_start_alike_and_take_the_same_steps(
    tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = masked_dataset()
    learned: list[tuple[set[int], bool]] = []
    counted = task.train

    def watched(network: Any, examples: Any, phase: Any, device: Any, seed: int, report: Any, classic: Any) -> Any:
        learned.append((set(phase.training.tolist()), isinstance(classic, Classic)))
        return counted(network, examples, phase, device, seed, report, classic)

    monkeypatch.setattr(task, "train", watched)
    scores = run(tmp_path, of(arms=ALL_ARMS, epochs=4), dataset).scores.set_index("arm")
    assert list(scores.index) == list(ALL_ARMS)
    fine_tuning = {5, 7}
    assert len({trained[k] for k in range(10) if k not in fine_tuning}) == 1
    assert all(trained[k] != trained[0] for k in fine_tuning), "only fine-tuning goes on"
    assert scores.steps.nunique() == 1 and len(learned) == 10
    real = set(np.flatnonzero(dataset.splits == "train"))
    assert learned[0] == (real, False) and learned[1] == (real, True)
    assert learned[2][0] > real and learned[3] == (learned[2][0], True)
    assert learned[5] == (real, False) and learned[7] == (real, True)
    assert learned[9][0] > real, "last who learns from what the network of the arm real left"
    assert min(learned[4][0]) >= len(dataset.images) <= min(learned[8][0]) and learned[6] == (learned[4][0], True)
    assert scores.n_real.to_dict() == {arm: 0 if arm == "synthetic" else len(real) for arm in ALL_ARMS}
    assert scores.n_synthetic["synthetic→real"] == scores.n_synthetic["synthetic"] == len(real)


def test_wrong_masks_harm_and_right_ones_alone_are_enough(tmp_path: Path) -> None:
    dataset = masked_dataset()
    config = of(arms=("real", "synthetic"), epochs=8)
    right = run(tmp_path / "right", config, dataset).scores.set_index("arm")
    wrong = run(tmp_path / "wrong", config, dataset, synthetic_pairs(dataset, wrong=True)).scores.set_index("arm")
    assert right.test_dice["synthetic"] > 0.85 and wrong.test_dice["synthetic"] < 0.3
    assert wrong.test_dice["real"] == right.test_dice["real"] > 0.85


def test_a_fraction_subsamples_real_images_by_patient_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = of(fractions=(0.25, 1.0), arms=("real", "real+synthetic", "synthetic"), epochs=2)
    monkeypatch.setattr(report, "save_pictures", PICTURES)
    result = run(tmp_path, config)
    scores = result.scores.set_index(["arm", "fraction"])
    whole = scores.n_real["real", 1.0]
    assert whole == 40 and scores.n_real["real", 0.25] == 12  # a quarter of each class, of whole patients
    assert scores.n_synthetic["real+synthetic", 0.25] == 12
    assert scores.n_synthetic["synthetic", 0.25] == whole
    assert scores.steps.nunique() == 1
    assert (tmp_path / "gain.png").is_file() and "gain.png" in (tmp_path / "report.md").read_text()
    assert any("saw a fraction" in caveat for caveat in result.summary["caveats"])
    run(tmp_path, of(epochs=2))
    assert not (tmp_path / "gain.png").exists()


def test_fewer_pairs_than_asked_for_are_all_used_and_told(tmp_path: Path) -> None:
    dataset = masked_dataset()
    result = run(tmp_path, of(ratio=2.0, epochs=1), dataset, synthetic_pairs(dataset, count=10))
    assert result.scores.n_synthetic.tolist() == [0, 10]
    assert any(caveat.startswith("Only 0.25 synthetic images a real one") for caveat in result.summary["caveats"])


@pytest.mark.parametrize(
    ("changes", "k", "sentence"),
    [
        ({"masks": (), "images": chests(60, 0)[:, :1]}, 2, "chests has no masks.*--masks lungs,heart"),
        ({"images": chests(60, 0)[:, :, :16, :16]}, 2, "needs images of 32 pixels or more; chests has 16.*--size 64"),
        ({}, 20, None),
        ({"patients": np.array([f"p{k % 3}" for k in range(48)] + ["q"] * 12)}, 4, "3 patients .*too few for 4 folds"),
        ({"patients": np.array([f"p{k % 3}" for k in range(48)] + ["q"] * 12)}, 2, "3 patients .*too few for 2 folds"),
        ({"patients": np.array(["p"] * 48 + ["q"] * 12)}, 0, "of 1 patient to learn from: too few for training and"),
        ({"splits": np.array(["train"] * 60)}, 0, "no test images with masks"),
    ],
)
def test_what_stands_in_the_way_is_a_sentence(
    changes: dict[str, Any], k: int, sentence: str | None, tmp_path: Path
) -> None:
    dataset, config = masked_dataset(**changes), QUICK.model_copy(update={"k_folds": k})
    if sentence is None:
        assert len(check(Segmentation(config), dataset)[1]) == k
        return
    with pytest.raises(XrganError, match=sentence):
        run_study(Segmentation(config), dataset, CPU, tmp_path / "segment")
    assert not (tmp_path / "segment").exists()


def test_too_few_epochs_for_two_trainings_in_one() -> None:
    with pytest.raises(XrganError, match="synthetic→real needs 2 epochs"):
        check(Segmentation(of(arms=("synthetic→real",), epochs=1)), masked_dataset())


def test_nobody_is_judged_by_who_was_learned_from() -> None:
    dataset = masked_dataset()
    patients = dataset.patients.copy()
    patients[-1] = "patient0"
    leaking = replace(dataset, patients=patients)
    with pytest.raises(XrganError, match="in the test split.*--leaks drop"):
        check(Segmentation(QUICK), leaking)
    pool, _ = check(Segmentation(QUICK.model_copy(update={"leaks": "drop"})), leaking)
    assert set(pool.rows[pool.test]) == set(range(48, 59))
    copied = replace(dataset, hashes=np.where(np.arange(60) == 55, dataset.hashes[3], dataset.hashes))
    with pytest.raises(XrganError, match="in the test split"):
        check(Segmentation(QUICK), copied)


def test_a_generator_that_saw_who_is_left_out_is_refused(tmp_path: Path) -> None:
    dataset = masked_dataset()
    everybody = (TrainingProvenance("exp1", np.unique(dataset.groups[dataset.of_split("train")])),)
    check(Segmentation(OWN_SPLIT), dataset, everybody)
    with pytest.raises(XrganError, match="exp1 learned from images of .* fold 1's left-out part.*--gan-per-fold"):
        check(Segmentation(QUICK), dataset, everybody)
    pairs = synthetic_pairs(dataset)
    with pytest.raises(XrganError, match="exp1 learned from images"):
        run_study(Segmentation(QUICK), dataset, CPU, tmp_path, lambda _: replace(pairs, seen=everybody))
    with pytest.raises(XrganError, match="in the test split"):
        check(Segmentation(OWN_SPLIT), dataset, (TrainingProvenance("exp1", dataset.groups[dataset.of_split("test")]),))


def test_each_fold_asks_for_its_own_pairs_in_rows_of_the_dataset(tmp_path: Path) -> None:
    dataset = masked_dataset()
    images = dataset.images.copy()
    images[[0, 1], 1:] = 0  # so that rows of the dataset are not places in the pool
    dataset = replace(dataset, images=images)
    asked: list[Fold] = []

    def of_fold(part: Part) -> SyntheticImages:
        asked.append(part.fold)
        seen = TrainingProvenance("own", np.unique(dataset.groups[part.fold.training]))
        return replace(synthetic_pairs(dataset), seen=(seen,))

    run_study(Segmentation(QUICK.model_copy(update={"epochs": 1})), dataset, CPU, tmp_path, of_fold)
    assert [fold.number for fold in asked] == [1, 2]
    assert sorted(np.concatenate([fold.test for fold in asked])) == list(range(2, 48))


def pool_of(dataset: PackedDataset, k: int = 2) -> Pool:
    return gather(dataset, k)


# Verdicts, of figures that are made up.


def judged(*trials: Any, folds: int = 0, arms: tuple[str, ...] = ("real", "real+synthetic")) -> dict[str, Any]:
    dataset = masked_dataset(train=24, test=24, masks=("lungs",))
    dataset = replace(dataset, images=dataset.images[:, :2])
    pool = pool_of(dataset, folds)
    config = QUICK.model_copy(update={"k_folds": folds, "arms": arms, "seeds": 3 if not folds else 1})
    results = Results(pool, cut(pool, folds, 0), trials, frozenset(), Path("nowhere"), CPU)
    return summarise(Segmentation(config), dataset, results)


def dice(mean: float, seed: int = 0) -> list[float]:
    return (mean + np.random.default_rng(seed).normal(0, 0.02, 24)).tolist()


@pytest.fixture
def by_seed() -> Iterator[tuple[Any, ...]]:
    yield tuple(made_up("real", dice(0.80, seed), seed=seed) for seed in (1, 2, 3))


def test_what_holds_over_patients_and_seeds_helps_or_harms(by_seed: tuple[Any, ...]) -> None:
    for mean, verdict in ((0.85, "helps"), (0.75, "harms")):
        arm = [made_up("real+synthetic", dice(mean, seed + 10), seed=seed) for seed in (1, 2, 3)]
        (one,) = judged(*by_seed, *arm)["comparisons"]
        assert one["verdict"] == verdict and one["patients"]["p_holm"] < 0.001
        assert f" of the real images: {verdict}. Dice " in one["sentence"] and "with Holm < 0.001" in one["sentence"]
        assert one["patients"]["better" if verdict == "helps" else "worse"] == 12
        assert one["patients"]["rank_correlation"] == (1 if verdict == "helps" else -1)
    alike = [replace(one, key=one.key._replace(arm="real+synthetic")) for one in by_seed]
    (none,) = judged(*by_seed, *alike)["comparisons"]
    assert none["verdict"] == "nothing shown" and none["patients"]["p"] == 1


def test_seeds_that_disagree_show_nothing(by_seed: tuple[Any, ...]) -> None:
    means = {1: 0.95, 2: 0.95, 3: 0.79}
    arm = [made_up("real+synthetic", dice(mean, seed), seed=seed) for seed, mean in means.items()]
    summary = judged(*by_seed, *arm)
    one = summary["comparisons"][0]
    assert one["verdict"] == "nothing shown" and one["patients"]["p_holm"] < 0.01
    assert one["difference"]["dice"]["interval"][0] > 0 > one["effect"]["interval"][0]
    assert summary["conclusion"] == "Against real: nothing is shown for real+synthetic."


def test_with_folds_each_fold_counts_as_one_training() -> None:
    def comparison(gains: tuple[float, ...], in_folds: float) -> dict[str, Any]:
        trials = []
        for fold, gain in enumerate(gains, start=1):
            trials.append(made_up("real", dice(0.80), 0.80, fold))
            trials.append(made_up("real+synthetic", dice(0.80 + gain), 0.80 + in_folds + 0.001 * fold, fold))
        (one,) = judged(*trials, folds=4)["comparisons"]
        return dict(one)

    shown = comparison((0.050, 0.051, 0.049, 0.052), in_folds=0.0)
    assert shown["verdict"] == "helps" and shown["effect"]["trainings"] == 4
    unsure = comparison((0.05, -0.08, 0.06, -0.04), in_folds=0.05)
    assert unsure["verdict"] == "nothing shown" and unsure["folds"]["p_holm"] < 0.05
    assert "over 4 left-out folds" in unsure["sentence"].split("Besides")[1]


def test_patients_are_tested_not_images() -> None:
    """12 patients of two images each: all of them better makes an exact p of 2 / 2¹², not 2 / 2²⁴."""
    real = dice(0.80)
    arm = [value + 0.01 + 0.001 * (k // 2) for k, value in enumerate(real)]
    (one,) = judged(made_up("real", real), made_up("real+synthetic", arm))["comparisons"]
    assert (one["patients"]["better"], one["patients"]["worse"]) == (12, 0)
    assert one["patients"]["p"] == pytest.approx(2 / 2**12)


def test_all_comparisons_of_a_study_are_kept_in_mind() -> None:
    real = dice(0.80)
    better = [value + 0.01 + 0.001 * k for k, value in enumerate(real)]
    trials = [made_up("real", real), *(made_up(arm, better) for arm in ("real+classic", "real+synthetic"))]
    ones = judged(*trials, arms=("real", "real+classic", "real+synthetic"))["comparisons"]
    assert [one["patients"]["p_holm"] for one in ones] == [2 * ones[0]["patients"]["p"]] * 2


def test_the_table_has_a_row_an_arm(result: Result) -> None:
    columns, rows = report.columns(TASK, result.summary), report.rows(TASK, result.summary)
    assert columns == ["arm", "Dice", "95 %", "Δ Dice", "95 % of Δ", "verdict"]
    assert [row[0] for row in rows] == ["real", "real+synthetic"] and all(len(row) == 6 for row in rows)
    assert math.isclose(float(rows[0][1]), result.summary["results"][0]["test"]["dice"]["mean"], abs_tol=0.0005)


def test_overlapping_structures_are_a_caveat(tmp_path: Path) -> None:
    """A coded mask file shows one structure a pixel: the heart, where it lies on a lung."""
    dataset = masked_dataset()
    images = dataset.images.copy()
    images[:, 1] = np.maximum(images[:, 1], images[:, 2])
    overlapping = replace(dataset, images=images)
    share = covered(pool_of(overlapping))["lungs"]
    assert share == pytest.approx(70 / (2 * 18 * 9 + 70), abs=0.01) and covered(pool_of(dataset))["lungs"] == 0
    told = run(tmp_path / "a", of(epochs=1), overlapping).summary["caveats"]
    assert told[1].startswith(f"Structures overlap in the real masks ({100 * share:.1f} % of lungs)")
    assert not any("overlap" in caveat for caveat in run(tmp_path / "b", of(epochs=1)).summary["caveats"])


def test_segmenters_that_find_nothing_are_told_of(by_seed: tuple[Any, ...]) -> None:
    blind = [made_up("real+synthetic", [0.0] * 24, seed=seed) for seed in (1, 2, 3)]
    caveats = judged(*by_seed, *blind)["caveats"]
    assert (
        "3 of 3 segmenters of real+synthetic with 100 % of the real images find no pixel of lungs in any test image."
        in (caveats)
    )
    assert not any("no pixel" in caveat and "of real with" in caveat for caveat in caveats)
