"""A run brought down to what draws: the averaged generator of its last checkpoint and of its best one.

Optimizers, discriminator and raw generator are what resuming needs, and nothing else: without them a checkpoint is a
quarter of its size.
"""

from dataclasses import dataclass

import xrgan
from xrgan.errors import XrganError
from xrgan.files import bytes_below, read_yaml, write_yaml
from xrgan.gan import checkpoint
from xrgan.rundir import RunDir
from xrgan.tensor_files import Content, write_tensors

DRAWS = ("ema", "spec", "classes", "class_shares", "grown", "step", "images_seen", checkpoint.RUN)
RECORD = "pruned.yaml"  # in checkpoints/: it is there before anything is gone


@dataclass(frozen=True)
class Pruned:
    """What became of a run's checkpoints; sizes in bytes."""

    before: int
    after: int
    dropped: int


def is_pruned(run: RunDir) -> bool:
    """Whether a run draws, and can't be resumed any more."""
    return (run.checkpoints / RECORD).is_file()


def refuse_pruned(run: RunDir) -> None:
    """Raise XrganError where a run can't go on."""
    if is_pruned(run):
        raise XrganError(
            f"{run.path} was pruned: its generator is left, and it can't be trained on.",
            f"`xrgan train --init-from {run.path} --run NEW` starts a new run from it.",
        )


def prune(run: RunDir) -> Pruned:
    """Keep the averaged generator of the last good checkpoint and of the best one; drop all else of checkpoints/.

    Whatever interrupts it, the run draws, and a second call brings it to its end.

    Raises:
        XrganError: there is no good checkpoint.
    """
    folder = run.checkpoints
    last = checkpoint.load_last_as(folder, _what_draws, run.run_id())
    if last is None:
        raise XrganError(f"{run.path} has no checkpoint yet.", f"`xrgan resume --run {run.path}` trains it.")
    path, content = last
    before = bytes_below(folder)
    earlier = read_yaml(folder / RECORD) if is_pruned(run) else {}
    record = {"xrgan": xrgan.__version__, "step": int(content["step"]), "bytes_before": before}
    write_yaml(folder / RECORD, earlier or record)
    best = folder / checkpoint.BEST
    if best.is_file():
        best_content = checkpoint.load_as(best, _what_draws, run.run_id())
        write_tensors(best, best_content)
    write_tensors(path, content)
    others = [file for file in folder.glob(checkpoint.PATTERN) if file != path]
    for file in others:
        file.unlink()
    return Pruned(before, bytes_below(folder), len(others))


def _what_draws(content: Content) -> Content:
    """What a sampler needs of a checkpoint; KeyError where it lacks something."""
    return {key: content[key] for key in DRAWS if key != checkpoint.RUN or key in content}
