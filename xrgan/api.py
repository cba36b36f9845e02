"""What the command line made, from Python: runs that draw, their scores and losses, datasets, and comparisons.

Mistakes raise `xrgan.errors.XrganError`: what is wrong, and the next step.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xrgan.config import EvaluateConfig
from xrgan.exported import Export, names_export
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

if TYPE_CHECKING:
    import pandas as pd

    from xrgan.evaluation.image_sets import ImageSet
    from xrgan.torch_dataset import XrayDataset

Images = NDArray[np.uint8]
Labels = NDArray[np.str_]
COLUMNS = ("score", "extractor", "class", "value", "floor", "ratio", "n")


@dataclass(frozen=True)
class Run:
    """A trained run, or what `xrgan export` wrote of one."""

    files: RunDir | Export

    @property
    def name(self) -> str:
        return self.files.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that it draws; none where it is unconditional."""
        from xrgan.gan.sampler import load_sampler

        sampler = load_sampler(self.files, "cpu")
        return sampler.classes if sampler.spec.classes else ()

    def sample(
        self, n: int, seed: int = 0, label: str = "", checkpoint: str = "", device: str = "auto"
    ) -> tuple[Images, Labels]:
        """Draw the images 1 … n of a seed, as `xrgan sample -n N --seed SEED` writes them.

        Args:
            label: draw this class only.
            checkpoint: a run's, by its step, "best" or "last"; empty = as `xrgan sample` chooses.

        Returns:
            uint8 (N, C, H, W), C = 1 (gray) or 3, and the classes' names (N,), "" where the run is unconditional.

        Raises:
            XrganError: it has no such class or checkpoint, or was not trained yet.
        """
        images, _, labels = self.sample_with_masks(n, seed, label, checkpoint, device)
        return images, labels

    def sample_with_masks(
        self, n: int, seed: int = 0, label: str = "", checkpoint: str = "", device: str = "auto"
    ) -> tuple[Images, Images, Labels]:
        """Draw as `sample`, with the masks that the model draws beside the images: uint8 (N, M, H, W), 0 or 255."""
        from xrgan.gan.sampler import load_sampler, sample_labels, sample_numbers

        sampler = load_sampler(self.files, device, checkpoint_name=checkpoint)
        numbers = sample_labels(sampler, seed, 0, n, label)
        drawn = np.stack([image for _, image in sample_numbers(sampler, range(n), seed, label)])
        masks = np.where(drawn[:, sampler.spec.channels :] > 127, 255, 0).astype(np.uint8)
        labels = np.array([sampler.classes[k] if k >= 0 else "" for k in numbers], np.str_)
        return drawn[:, : sampler.spec.channels], masks, labels

    def scores(self) -> "pd.DataFrame":
        """What `xrgan evaluate` measured, one row a score and class ("" = all images); empty where nothing was.

        Columns: score, extractor ("" = Inception, or none), class, value, floor (of real images), ratio, n.
        """
        return _scores_table(_run_of(self.files).read_scores())

    def losses(self) -> "pd.DataFrame":
        """What the training recorded, one row an epoch: losses, D(x), D(G(z)), gradient norms, diversity."""
        import pandas as pd

        return pd.DataFrame(_run_of(self.files).read_losses())


def open_run(path: str | Path, runs_root: str | Path = RUNS_ROOT) -> Run:
    """Open a run by its path, or its name in `runs_root`; or the ZIP that `xrgan export` wrote.

    Raises:
        XrganError: there is none.
    """
    if names_export(str(path)):
        export = Export(Path(path))
        _ = export.manifest  # raises where it is none
        return Run(export)
    return Run(Workspace(DATA_ROOT, Path(runs_root)).find_run(str(path)))


def open_dataset(path: str | Path, split: str = "", data_root: str | Path = DATA_ROOT) -> "XrayDataset":
    """Open a prepared dataset, by its path or its name, as a torch Dataset.

    Each item is a dictionary, as MONAI's transforms and torch's DataLoader take it: `image`, float32 (C, H, W) in
    [0, 1]; `label`, the number of its class in `.classes`, -1 = none; `mask`, float32 (M, H, W), 0 or 1, where the
    dataset has masks.

    Args:
        split: train, val or test; empty = all.

    Raises:
        XrganError: there is no such dataset, or no image in that split.
    """
    from xrgan.data.packed import open_packed
    from xrgan.torch_dataset import XrayDataset

    packed = open_packed(Workspace(Path(data_root), RUNS_ROOT).find_prepared(str(path)))
    return XrayDataset.of_split(packed, split)


def evaluate(
    real: Images | str | Path,
    synthetic: Images | str | Path,
    metrics: Sequence[str] = (),
    n: int = 1000,
    seed: int = 0,
    extractor: str = "inception",
) -> "pd.DataFrame":
    """Score synthetic images against real ones, as `xrgan evaluate --real DIR --synthetic DIR`.

    Args:
        real, synthetic: a folder of images, a prepared dataset, or an array: uint8 (N, C, H, W) or (N, H, W).
        metrics: as the flags of `xrgan evaluate` are called: fid, kid, clipped, ssim …; none = all that can be had.
        n: images a side, at most.
        extractor: inception, lite1, lite2, or a file of weights, as of `xrgan evaluate`.

    Returns:
        One row a score, of all images; columns as of `Run.scores`.

    Raises:
        XrganError: sizes differ, there are too few images, or nothing that was asked for can be computed.
    """
    from xrgan.commands.inputs import extractor_of
    from xrgan.config import Config
    from xrgan.evaluation.evaluate import evaluate as score
    from xrgan.evaluation.image_sets import sample_comparison_without_training

    chosen = EvaluateConfig(n=n, seed=seed, extractor=extractor)
    first, second = _sides(real, synthetic)
    comparison = sample_comparison_without_training(first, second, n, seed)
    features = extractor_of(Workspace(DATA_ROOT, RUNS_ROOT), Config(evaluate=chosen))
    with tempfile.TemporaryDirectory() as folder:
        return _scores_table(score(comparison, metrics, chosen, features, Path(folder)))


def _sides(real: Images | str | Path, synthetic: Images | str | Path) -> "list[ImageSet]":
    """Both sides of a comparison; of a folder of real images, those are left out that say they are synthetic."""
    from xrgan.commands.image_folders import Side, left_out_as_synthetic, read_sides
    from xrgan.data.packed import SPLITS

    folders = []
    if isinstance(real, str | Path):
        folders.append(Side(Path(real), ("val", "test"), left_out_as_synthetic(Path(real))))
    if isinstance(synthetic, str | Path):
        folders.append(Side(Path(synthetic), SPLITS))
    read = iter(read_sides(folders, (), size=0) if folders else ())
    return [_of_array(side) if isinstance(side, np.ndarray) else next(read) for side in (real, synthetic)]


def _of_array(images: Images) -> "ImageSet":
    from xrgan.errors import XrganError
    from xrgan.evaluation.image_sets import ImageSet

    array = images[:, None] if images.ndim == 3 else images
    if array.ndim != 4 or array.dtype != np.uint8:
        raise XrganError(
            f"An array of images is uint8 (N, C, H, W) or (N, H, W), not {images.dtype} {images.shape}.",
            "Of floats in [0, 1], np.rint(255 * images).astype(np.uint8) makes one.",
        )
    return ImageSet(np.ascontiguousarray(array))


def _run_of(files: RunDir | Export) -> RunDir:
    from xrgan.errors import XrganError

    if isinstance(files, Export):
        raise XrganError(f"{files.path} is an export: it draws.", "Its scores and losses are files in the ZIP.")
    return files


def _scores_table(content: Any) -> "pd.DataFrame":
    """scores.yaml as rows."""
    import pandas as pd

    from xrgan.evaluation.scores_file import ScoreKey

    rows = []
    for key, score in content.get("metrics", {}).items():
        name, extractor = ScoreKey.parse(key)
        for label, one in {"": score, **score.get("per_class", {})}.items():
            figures = [one.get(column) for column in COLUMNS[3:]]
            rows.append([name, extractor, label, *figures])
    return pd.DataFrame(rows, columns=list(COLUMNS))
