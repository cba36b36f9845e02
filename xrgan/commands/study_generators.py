"""A study's own generators: per fold, or per fold, fraction and seed, each with the real images that it may see."""

import dataclasses
import hashlib
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xrgan import console
from xrgan.commands.sample import drawn
from xrgan.config import Config, StudyConfig
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.folds import Part
    from xrgan.downstream.generator_data import GeneratorData
    from xrgan.downstream.leaks import TrainingProvenance

FOLDER = "generators"  # below a run's classify/ or segment/


@dataclasses.dataclass(frozen=True)
class PartGenerators:
    """Trains and asks the generators of a study, each as the study's run was trained.

    Attributes:
        folder: of the study.
        config: of the run.
        options: of the study; `k_folds` is a number.
        extra: images of another dataset that they learn from, too.
    """

    workspace: Workspace
    folder: Path
    config: Config
    options: StudyConfig
    dataset: "PackedDataset"
    extra: "GeneratorData | None" = None

    def digest(self) -> str:
        """Name all that decides what such generators draw, but the fold, the fraction and the seed."""
        from xrgan.downstream.results_cache import digest

        train = self.config.train.model_dump(exclude={"sample_every", "evaluate_every", "keep_checkpoints"})
        seeds = [self.config.sample.seed, self.options.seed]
        data = [self.dataset.content_hash, *([self.extra.dataset.content_hash] if self.extra else [])]
        return digest(model=self.config.model.model_dump(), train=train, seeds=seeds, data=data)

    def draw(self, part: "Part") -> "tuple[Path, TrainingProvenance]":
        """Train the generator of a part on its training images alone: its images, and whom it saw.

        Interrupted, it resumes where it stopped.

        Args:
            part: its fold's indices are rows of the dataset.
        """
        from xrgan.downstream.generator_data import share_of_study
        from xrgan.downstream.leaks import joined, provenance_on
        from xrgan.gan.prune import is_pruned, prune

        of_part = self._images_for(part)
        generator, config = RunDir(self.folder / FOLDER / self._name(part)), self._config_for(part)
        self._train(generator, config, of_part, self._called(part))
        count = math.ceil(part.whole * self.options.ratio / share_of_study(of_part))
        images = drawn(self.workspace, generator, config, count, None)
        if not is_pruned(generator):
            prune(generator)  # it draws, should more images be asked for, and need not go on
        seen = provenance_on(generator.name, self.dataset, self.dataset, part.fold.training)
        if self.extra is None:
            return images, seen
        also = provenance_on(generator.name, self.extra.dataset, self.dataset, self.extra.rows)
        return images, joined(generator.name, [seen, also])

    def _train(self, generator: RunDir, config: Config, of_part: "PackedDataset", called: str) -> None:
        """Train it as far as its schedule says, unless it was."""
        from xrgan.gan import setup, training
        from xrgan.gan.job import make_job
        from xrgan.gan.prune import is_pruned
        from xrgan.hardware import choose_device

        job = make_job(generator, of_part, config, choose_device(config.device))
        is_done = False
        if generator.exists():
            setup.check_dataset(generator, of_part)
            saved = generator.read_config()
            setup.update_config(generator, saved, config)
            if is_pruned(generator):
                is_done = _how_long(saved) == _how_long(config)
                if not is_done:
                    shutil.rmtree(generator.path)  # it can't go on: it is trained anew, for longer
        if not generator.exists():
            setup.create_run(job, config)
        console.notice(f"A generator for {called}: {generator.path}")
        if not is_done and training.train(job).stopped_by:
            raise KeyboardInterrupt

    def _images_for(self, part: "Part") -> "PackedDataset":
        """What the generator learns from, as a dataset."""
        of_part = self._of_study(part)
        if self.extra is None:
            return of_part
        from xrgan.downstream.generator_data import with_generator_data

        return with_generator_data(of_part, self.extra)

    def _of_study(self, part: "Part") -> "PackedDataset":
        """What it learns from of the study's own dataset.

        Those of a fraction are repeated until they are as many as those of fraction 1: then an epoch has as many
        steps, and so the training.
        """
        import numpy as np

        dataset, fold = self.dataset, part.fold
        splits = np.full(len(dataset.splits), "test", dtype="<U5")
        splits[fold.training], splits[fold.validation] = "train", "val"
        if part.fraction == 1:
            return dataclasses.replace(dataset, splits=splits)
        rows = np.resize(fold.training, part.whole)
        columns = {name: getattr(dataset, name) for name in ("images", "labels", "patients", "hashes", "copies_of")}
        taken = {name: column[rows] for name, column in columns.items() if len(column)}  # older ones lack some
        content = hashlib.sha256(f"{dataset.content_hash} {rows.tolist()}".encode()).hexdigest()
        return dataclasses.replace(dataset, **taken, splits=np.full(len(rows), "train"), content_hash=content)

    def _config_for(self, part: "Part") -> Config:
        """As the run was trained, but it keeps no more than resuming needs, and few images are augmented as few are."""
        from xrgan.gan.plan import augmentation_for

        train: dict[str, float] = {"keep_checkpoints": 2}
        as_all = augmentation_for(self.config, len(self.dataset.of_split("train")))
        if part.fraction < 1 and self.config.train.augment == as_all:
            train["augment"] = augmentation_for(self.config, len(part.fold.training))
        sample = {"checkpoint": "last"}  # no score is taken: none is the best
        changed = {
            "train": self.config.train.model_copy(update=train),
            "sample": self.config.sample.model_copy(update=sample),
        }
        return self.config.model_copy(update=changed)

    def _name(self, part: "Part") -> str:
        of_fraction = f"-{part.fraction:g}of1-training{part.seed}" if part.fraction < 1 else ""
        beside = f"-with-{self.extra.dataset.name}" if self.extra else ""
        return f"fold{part.fold.number}of{self.options.k_folds}-seed{self.options.seed}{of_fraction}{beside}"

    def _called(self, part: "Part") -> str:
        fold = part.fold.number
        what = f"fold {fold} of {self.options.k_folds}" if fold else "the dataset's own split"
        what += f", {100 * part.fraction:g} % of its images, seed {part.seed}" if part.fraction < 1 else ""
        return f"{what}, and {len(self.extra.rows):,} images of {self.extra.dataset.name}" if self.extra else what


def _how_long(config: Config) -> tuple[int, float]:
    return config.train.epochs, config.train.minutes
