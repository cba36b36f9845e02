"""The closest pairs of synthetic and training images, side by side, for the eye to judge."""

from pathlib import Path

from xrgan.evaluation.image_sets import Images
from xrgan.evaluation.scores_file import Score
from xrgan.marks import mixed_mark
from xrgan.plots import SHOWS_PATIENTS, drawn_figure, show_image

INCHES = 1.35  # per image
WIDTH = 9.5  # inches at least, for the words
SUSPECT, GENUINE = "#cc3311", "black"


def draw_pairs(path: Path, synthetic: Images, training: Images, score: Score) -> None:
    """Write a PNG of the closest pairs: each synthetic image of `score["closest"]` above its nearest training image.

    Below each pair stands its relative distance, in red where it is a suspect; the thresholds are the caption.
    """
    pairs = score["closest"]
    width = max(WIDTH, INCHES * len(pairs) + 0.4)
    with drawn_figure(path, width, 2 * INCHES + 1.3, dpi=150, font_size=9, mark=mixed_mark()) as figure:
        axes = figure.subplots(2, len(pairs), squeeze=False)
        for (above, below), pair in zip(axes.T, pairs, strict=True):
            show_image(above, synthetic[pair["synthetic"]])
            show_image(below, training[pair["training"]])
            colour = SUSPECT if pair["nearness"] <= 1 else GENUINE
            below.set_xlabel(f"{pair['space']}\n{pair['relative']:.2f}", color=colour)
        axes[0, 0].set_ylabel("synthetic")
        axes[1, 0].set_ylabel("training")
        figure.suptitle(_title(score), fontsize=11)
        figure.supxlabel(_caption(score), fontsize=9)


def _title(score: Score) -> str:
    floor = "unknown" if score["floor"] is None else f"{100 * score['floor']:.1f} %"
    share = f"{score['suspects']:,} of {score['n']:,} synthetic images ({100 * score['value']:.1f} %)"
    return f"The closest pairs. Suspected copies: {share}; of held-out real images: {floor}"


def _caption(score: Score) -> str:
    limits = " or ".join(f"{name} ≤ {space['threshold']:.2f}" for name, space in score["spaces"].items())
    return (
        f"Below each pair: distance ÷ that to the 9th to 16th nearest training image; in red, a suspect: {limits}.\n"
        f"Looked for {score['note']}. {SHOWS_PATIENTS}"
    )
