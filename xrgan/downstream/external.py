"""The arms on another hospital's images, which choose nothing: neither epochs, nor arms, nor the verdict."""

from dataclasses import replace

import numpy as np

from xrgan.data.packed import PackedDataset
from xrgan.downstream import results_cache
from xrgan.downstream.arm_results import arm_result
from xrgan.downstream.comparison import effect_of, others_of, resample
from xrgan.downstream.folds import Indices
from xrgan.downstream.leaks import provenance_on
from xrgan.downstream.pool import External, Pool
from xrgan.downstream.summary import ExternalDifference, ExternalSummary
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import by_arm
from xrgan.downstream.wording import known, pair
from xrgan.errors import XrganError
from xrgan.option_syntax import Rule, merged


def external_images(
    task: Task, other: PackedDataset, dataset: PackedDataset, pool: Pool, rows: Indices, rules: tuple[Rule, ...]
) -> External:
    """Read another dataset's images as far as they can be scored.

    Args:
        rows: of `unleaked_rows`.
        rules: what its classes are called in the study (`--map`), first match wins; none = by the same names.

    Raises:
        XrganError: its images differ in size or channels, or nothing of it can be scored.
    """
    if (other.size, other.channels) != (dataset.size, dataset.channels):
        raise XrganError(
            f"The images of {other.name} are {other.size} pixels of {other.channels} channels, those of {dataset.name}"
            f" {dataset.size} of {dataset.channels}: networks are asked of what they learned from.",
            f"Prepare it anew: `xrgan prepare SOURCE --size {dataset.size} --set prepare.channels={dataset.channels}"
            " --name NEW`.",
        )
    names = {name: merged(name, rules) if rules else name for name in other.classes}
    there = task.gather_external(other, rows, names, pool)
    digest = results_cache.digest(data=other.content_hash, rows=there.rows.tolist(), names=names)
    return External(other.name, there, digest, len(other.labels) - len(there.rows))


def unleaked_rows(external: PackedDataset, dataset: PackedDataset, also: Indices, drop: bool) -> Indices:
    """The rows of an external dataset whose patients and pictures were not trained on.

    Args:
        dataset: of the study: its train and val are what is learned from.
        also: groups of the external dataset that generators learned from.
        drop: leave the others out; else refuse the study.

    Raises:
        XrganError: there are others, and `drop` is false; or it is the study's own dataset.
    """
    if external.content_hash == dataset.content_hash:
        raise XrganError(
            f"{external.name} is the study's own dataset: --external takes another one.", "Its test split is judged."
        )
    groups = np.union1d(provenance_on("", dataset, external, dataset.of_split("train", "val")).groups, also)
    leaked = np.isin(external.groups, groups)
    if leaked.any() and not drop:
        patients = len(np.unique(external.groups[leaked]))
        raise XrganError(
            f"{patients:,} patients of {external.name} are among those that were learned from.",
            f"Leave their {np.count_nonzero(leaked):,} of {len(leaked):,} images out (`--leaks drop`).",
        )
    return np.flatnonzero(~leaked).astype(np.int64)


def external_summary(task: Task, results: Results, external: External, baseline: str) -> ExternalSummary:
    """Every arm's figures on the external images, and its difference to the baseline; no verdict."""
    trials = [replace(one, on_test=one.on_external) for one in results.trials if one.on_external is not None]
    there = replace(results, pool=external.pool, trials=trials)
    samples, grouped = resample(task, there), by_arm(trials)
    differences: list[ExternalDifference] = []
    for key, other in others_of(grouped, baseline).items():
        effect = effect_of(task, there, grouped[key], grouped[other], samples[key] - samples[other], 1)
        one: ExternalDifference = {
            "arm": key[0],
            "against": other[0],
            "fraction": key[1],
            "mean": effect.mean,
            "interval": pair(effect.interval),
            "p": known(effect.p),
        }
        differences.append(one)
    return {
        "dataset": external.name,
        "images": len(external.pool.test),
        "patients": len(np.unique(external.pool.test_groups)),
        "left_out": external.left_out,
        "results": [arm_result(task, there, ones, samples[key]) for key, ones in grouped.items()],
        "differences": differences,
    }
