"""What a study of segmenters leaves in its folder: scores.csv, summary.yaml, report.md, and the pictures it shows."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from xrgan.downstream import markdown, plots, written
from xrgan.downstream.folds import Indices
from xrgan.downstream.plots import Curve
from xrgan.downstream.segmentation.metrics import METRICS
from xrgan.downstream.segmentation.overlays import save_overlays
from xrgan.downstream.segmentation.pool import Pool
from xrgan.downstream.segmentation.saved import load_segmenters
from xrgan.downstream.segmentation.segmenter import Epoch, predict
from xrgan.downstream.segmentation.verdict import LEADING, Outcome, figures, means, metrics_of
from xrgan.downstream.wording import p_value

SHOWN = 2  # images around the median, and of the worst


def write(
    folder: Path,
    pool: Pool,
    outcomes: Sequence[Outcome],
    summary: Mapping[str, Any],
    studies: Collection[str],
    device: torch.device,
) -> None:
    """Args: studies: the names under which its segmenters were saved."""
    table = scores(pool, outcomes)
    pictures = save_pictures(folder, pool, table, outcomes, summary, studies, device)
    written.write(folder, table, as_markdown(summary, pictures), summary)


def scores(pool: Pool, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row a training: where it stands in the study, what it learned from, its figures on test and in its fold.

    `test_dice` is the mean over structures and images, `test_dice_lungs` that of one structure. Columns that begin with
    `fold_` hold those of the left-out part; there are none in the dataset's own split.
    """
    rows = []
    for outcome in outcomes:
        parts = {"test": outcome.on_test} | ({"fold": outcome.on_fold} if outcome.place.fold else {})
        rows.append(
            outcome.row()
            | {"validation_dice": outcome.history.kept.dice}
            | {
                f"{part}_{name}": value
                for part, answers in parts.items()
                for name, value in means(answers, pool.structures).items()
            }
            | {"seconds": outcome.seconds}
        )
    return pd.DataFrame(rows)


def save_pictures(
    folder: Path,
    pool: Pool,
    table: pd.DataFrame,
    outcomes: Sequence[Outcome],
    summary: Mapping[str, Any],
    studies: Collection[str],
    device: torch.device,
) -> dict[str, str]:
    """Every picture that the study has something for: file name → what it shows, as a sentence.

    Args:
        table: `scores`.
    """
    most = max(outcome.place.fraction for outcome in outcomes)
    of_most = [outcome for outcome in outcomes if outcome.place.fraction == most]
    curves = [
        Curve[Epoch]("Training loss", "Dice loss + cross-entropy", lambda epoch: epoch.loss),
        Curve[Epoch]("Validation images (dot: the kept epoch)", "Dice", lambda epoch: epoch.dice),
    ]
    plots.save_curves(folder / "curves.png", of_most, curves)
    dice = {f"test_{name}": label for name, label in _shown(pool.structures).items() if name.startswith(LEADING)}
    plots.save_trainings(folder / "folds.png", table[table["fraction"] == most], dice, rows=1)
    made = {
        "curves.png": "Training loss and validation Dice over epochs (thin: a training; thick: their mean).",
        "folds.png": "Each training's Dice on the test split, and each arm's mean.",
    }
    if plots.save_gain(folder / "gain.png", summary, LEADING, METRICS[LEADING]):
        made["gain.png"] = "Dice on the test split against the share of real training images, with 95 % intervals."
    if _save_overlays(folder, pool, of_most, summary["baseline"], studies, device):
        made["overlays.png"] = (
            f"Real test images: those whose Dice under {summary['baseline']} is the median, and the worst. Each arm's"
            " segmenter is the one with the best validation Dice; the figures are means over the arm's trainings."
        )
    return made


def as_markdown(summary: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """report.md. Args: pictures: file name → what it shows."""
    options, images, structures = summary["options"], summary["images"], summary["dataset"]["structures"]
    left_out = "; {:,} whose masks show no organ, or of test patients who were learned from, are left out"
    setting = (
        f"U-Net of width {options['width']}, from scratch, for {' and '.join(structures)};"
        f" {markdown.setting_of(options)}; {images['training']:,} training and {images['validation']:,} validation"
        f" images; judged by {images['test']:,} untouched test images of {images['test_patients']:,}"
        f" patients{left_out.format(images['left_out']) if images['left_out'] else ''}."
    )
    head = ["patients better : worse", "p (Wilcoxon)", "Holm"]
    tests = markdown.tests_table(summary["comparisons"], LEADING, METRICS[LEADING], head, _wilcoxon)
    footnote = (
        "Dice and IoU lie in [0, 1]. The 95 % Hausdorff distance counts pixels of the prepared images; less is better."
        " Intervals: 95 %, bootstrap over the test split's patients. ±: standard deviation over trainings. Tests, of"
        " the mean Dice: corrected resampled t-test over folds (Nadeau & Bengio 2003); Wilcoxon's signed-rank test over"
        " the test split's patients; both Holm-corrected over the comparisons of this study."
    )
    title = "Do the synthetic X-rays with masks help?"
    return markdown.page(summary, pictures, title, setting, _shown(structures), tests, footnote)


def _shown(structures: Sequence[str]) -> dict[str, str]:
    """The figures that are worth a line: of one structure, the mean says it all."""
    labels = metrics_of(structures)
    return {name: label for name, label in labels.items() if len(structures) > 1 or name in METRICS}


def _wilcoxon(one: Mapping[str, Any]) -> list[str]:
    patients = one["patients"]
    counts = f"{patients['better']} : {patients['worse']}"
    return [counts, p_value(patients["p"]), p_value(patients["p_holm"])]


def _save_overlays(
    folder: Path, pool: Pool, outcomes: Sequence[Outcome], baseline: str, studies: Collection[str], device: torch.device
) -> bool:
    """The same few test images segmented by each arm's best segmenter, where that is one of these trainings.

    It isn't where an earlier study had larger fractions: then its own is on disk.
    """
    path, arms = folder / "overlays.png", list(dict.fromkeys(one.place.arm for one in outcomes))
    segmenters = load_segmenters(folder, studies, {one.place for one in outcomes})
    if not segmenters:
        path.unlink(missing_ok=True)
        return False
    dice = {arm: _dice([one for one in outcomes if one.place.arm == arm]) for arm in arms}
    titles, chosen = _median_and_worst(dice[baseline])
    beside = [
        "\n".join([title, *(f"{arm} {dice[arm][k]:.3f}" for arm in arms)])
        for title, k in zip(titles, chosen, strict=True)
    ]
    images = pool.test[chosen]
    predicted = {arm: predict(segmenters[arm], pool.images, images, device) for arm in arms if arm in segmenters}
    true = pool.masks[images].numpy() > 127
    save_overlays(path, pool.images[images].numpy(), true, predicted, pool.structures, beside)
    return True


def _dice(outcomes: Sequence[Outcome]) -> Any:
    """Each test image's mean Dice over an arm's trainings: (n,)."""
    return np.mean([figures(one.on_test)[:, 0] for one in outcomes], axis=0)


def _median_and_worst(dice: Any) -> tuple[list[str], Indices]:
    """What to call them, and their places among the test images."""
    order = np.argsort(dice, kind="stable")
    worst = order[:SHOWN]
    middle = [k for k in order[(len(order) - 1) // 2 :][:SHOWN] if k not in worst]
    return ["median Dice"] * len(middle) + ["worst Dice"] * len(worst), np.array([*middle, *worst], np.int64)
