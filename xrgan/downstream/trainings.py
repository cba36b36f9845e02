"""A study's trainings: done one after another, or found again where they were done before."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from xrgan import console
from xrgan.downstream import checkpoints, results_cache
from xrgan.downstream.arms import ARMS, REAL
from xrgan.downstream.design import budget_of, deciding_first, phases_of, seed_of, thinned
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import images_behind
from xrgan.downstream.pool import FoldData
from xrgan.downstream.task import Task, Trainer
from xrgan.downstream.training_loop import Report
from xrgan.downstream.trial import Trial, TrialKey
from xrgan.downstream.wording import share

DECIDES = {"k_folds", "gan_per_fold", "leaks", "ratio", "pretraining", "epochs", "patience", "batch_size", "lr", "seed"}
"""The options of any study that decide what a training gives."""

CLASSIC_DECIDES = {"classic_rotation", "classic_shift", "classic_scale", "classic_shear", "classic_light"}
"""Those that do in arms with classic augmentation alone."""


@dataclass(frozen=True)
class Trainings:
    """The trainings of one fold; of several that share their synthetic images, or all.

    Attributes:
        understood: training of the arm `real` → the synthetic images that its network agrees with, as far as it was
            trained here and an agreed arm is to learn from them.
    """

    task: Task
    data: FoldData
    device: torch.device
    folder: Path
    trainer: Trainer
    keys: list[TrialKey]
    understood: dict[TrialKey, Indices] = field(default_factory=dict)

    def behind(self) -> dict[TrialKey, int | None]:
        """How many real images stand behind each training, its generator's included."""
        pool, synthetic = self.data.pool, self.data.synthetic
        found = {}
        for key in self.keys:
            arm = ARMS[key.arm]
            learned = pool.rows[thinned(self.data.fold, pool, key, self.task.config).training]
            seen = synthetic.seen if synthetic and arm.uses_synthetic else ()
            found[key] = images_behind(learned if arm.uses_real else learned[:0], seen)
        return found

    @cached_property
    def digests(self) -> dict[TrialKey, str]:
        """What each training is found by."""
        return {key: trial_digest(self.task, self.data, key) for key in self.keys}

    def run(self, told: bool = False) -> list[Trial]:
        """Do the trainings that `folder` hasn't yet; all of them in their order.

        Args:
            told: whether the user knows what was there already.
        """
        done = self._stored()
        missing = [key for key in self.keys if key not in done]
        if done and not told:
            self._say_there(done)
        if missing:
            done |= self.do(missing)
        return [done[key] for key in self.keys]

    def missing(self) -> list[TrialKey]:
        """The trainings that `folder` hasn't yet; says how many are there."""
        done = self._stored()
        if done:
            self._say_there(done)
        return [key for key in self.keys if key not in done]

    def _say_there(self, done: Collection[TrialKey]) -> None:
        console.notice(f"{_name(self.data.fold)}{len(done)} of {len(self.keys)} trainings were there already.")

    def do(self, keys: Sequence[TrialKey]) -> dict[TrialKey, Trial]:
        """Do those trainings, one after another, and store each in `folder`."""
        steps, done = budget_of(self.data.fold, self.task.config).steps, {}
        deciders = {key._replace(arm=REAL) for key in keys if ARMS[key.arm].agreed}
        with console.progress(self.task.wording.networks.capitalize(), len(keys) * steps, unit="steps") as bar:
            for key in deciding_first(keys, self.task.config):
                counted = _Counted(bar, _called(key), steps)
                done[key] = self._train(key, counted.report, decides=key in deciders)
                self._store(self.digests[key], done[key])
                counted.finish()
        return done

    def _stored(self) -> dict[TrialKey, Trial]:
        """The trainings that are stored; those whose network is lost, but is its arm's best, count as missing."""
        found = {key: self._load(key, digest) for key, digest in self.digests.items()}
        done = {key: trial for key, trial in found.items() if trial}
        for arm in self.task.config.arms:
            ranked = {key: (key.fraction, one.history.kept.score) for key, one in done.items() if key.arm == arm}
            best = max(ranked, key=lambda key: ranked[key], default=None)
            if best and not self._has_checkpoint(best, ranked[best]):
                del done[best]
        return done

    def _load(self, key: TrialKey, digest: str) -> Trial | None:
        """The stored training, if it is one of those images."""
        stored = results_cache.load(self.folder, digest)
        try:
            trial = Trial.from_cache(stored, list(self.task.validation)) if stored else None
        except (KeyError, ValueError):  # of another version of xrgan, or changed
            return None
        images, targets = (len(self.data.pool.test), len(self.data.fold.test)), len(self.data.pool.names)
        if trial is None or trial.key != key or not trial.answers_to(images, targets):
            return None
        return self._with_external(trial, digest) if self.data.external else trial

    def _store(self, digest: str, trial: Trial) -> None:
        """Keep a training's result; its answers to another dataset's images by themselves, as others may follow."""
        results_cache.store(self.folder, digest, trial.to_dict(), trial.arrays())
        if self.data.external and trial.on_external is not None:
            name = f"{digest}-{self.data.external.digest}"
            results_cache.store(self.folder, name, {}, {"on_external": trial.on_external})

    def _with_external(self, trial: Trial, digest: str) -> Trial | None:
        """The training with its stored answers to the other dataset; None where it was never asked."""
        assert self.data.external is not None
        stored = results_cache.load(self.folder, f"{digest}-{self.data.external.digest}")
        answers = stored.arrays.get("on_external") if stored else None
        fits = answers is not None and answers.shape == (len(self.data.external.pool.test), *trial.on_test.shape[1:])
        return replace(trial, on_external=answers) if fits else None

    def _has_checkpoint(self, key: TrialKey, rank: tuple[float, float]) -> bool:
        study = study_digest(self.task, self.data, key.arm)
        return checkpoints.has_checkpoint(self.folder, key, study, rank, self.task.metadata_kind)

    def _train(self, key: TrialKey, report: Report, decides: bool) -> Trial:
        """One training, whose network is saved if it is the arm's best, and asked of synthetic images if it decides."""
        started = time.monotonic()
        task, data, arm = self.task, self.data, ARMS[key.arm]
        seed = seed_of(key, task.config)
        fold = thinned(data.fold, data.pool, key, task.config)
        synthetic = self._synthetic(fold, key, seed)
        budget = budget_of(data.fold, task.config)
        phases = phases_of(arm, fold.training, synthetic, budget, task.config.pretraining)
        trained = self.trainer.train(arm, phases, fold.validation, seed, report)
        if decides:
            self.understood[key] = self.trainer.agreeing(trained.network)
        n_real = len(fold.training) if arm.uses_real else 0
        seconds = round(time.monotonic() - started, 2)
        answers = (trained.on_test, trained.on_fold, seconds, trained.on_external)
        trial = Trial(key, n_real, len(synthetic), trained.history, *answers)
        metadata = task.metadata(data, trial, study_digest(task, data, key.arm))
        checkpoints.keep_best(self.folder, trained.network, metadata)
        return trial

    def _synthetic(self, fold: Fold, key: TrialKey, seed: int) -> Indices:
        """The synthetic images that a training uses: none, or chosen by the seed.

        Beside real images, `ratio` for each of them. By themselves, `ratio` for each real one of fraction 1: who has
        few real images isn't short of synthetic ones.

        Args:
            fold: as the training's fraction leaves it.
        """
        pool, synthetic, arm = self.data.pool, self.data.synthetic, ARMS[key.arm]
        if not arm.uses_synthetic:
            return fold.training[:0]
        assert synthetic is not None, "an arm needs synthetic images"
        real = fold.training if arm.mixes else self.data.fold.training
        rng = np.random.default_rng(seed)
        if not arm.agreed:
            return self.task.choose_synthetic(pool, real, synthetic, rng) + len(pool.images)
        kept = self._agreed(fold, key, seed)
        among = replace(synthetic, images=synthetic.images[kept], targets=synthetic.targets[kept])
        return kept[self.task.choose_synthetic(pool, real, among, rng)] + len(pool.images)

    def _agreed(self, fold: Fold, key: TrialKey, seed: int) -> Indices:
        """The synthetic images that the network of the arm `real` of the same images and seed agrees with: (n,).

        Where it wasn't trained here (the arm isn't asked for, or its result is stored), it is, for this alone.
        """
        decider = key._replace(arm=REAL)
        if decider in self.understood:
            return self.understood[decider]
        budget, real = budget_of(self.data.fold, self.task.config), ARMS[REAL]
        phases = phases_of(real, fold.training, fold.training[:0], budget, self.task.config.pretraining)
        trained = self.trainer.train(real, phases, fold.validation, seed, lambda *_: None)
        return self.trainer.agreeing(trained.network)


class _Counted:
    """One training's steps on a bar that counts those of all."""

    def __init__(self, bar: console.Bar, what: str, steps: int) -> None:
        self.bar, self.what, self.left = bar, what, steps

    def report(self, steps: int, loss: float) -> None:
        self.left -= steps
        self.bar.advance(steps)
        self.bar.describe(f"{self.what}: loss {loss:.2f}")

    def finish(self) -> None:
        """Count the steps that it didn't need."""
        self.bar.advance(self.left)


def study_digest(task: Task, data: FoldData, arm: str) -> str:
    """Name everything that decides an arm's networks, but their fold, fraction and seed."""
    images = data.synthetic if ARMS[arm].uses_synthetic else None
    synthetic = (images.made_by or images.digest) if images else ""
    options = DECIDES | task.decides | (CLASSIC_DECIDES if ARMS[arm].classic else set())
    config = task.config.model_dump(include=options)
    return results_cache.digest(dataset=data.dataset.content_hash, config=config, synthetic=synthetic)


def trial_digest(task: Task, data: FoldData, key: TrialKey) -> str:
    """Name everything that decides a training's result."""
    pool, fold = data.pool, data.fold.at(data.pool.rows)
    rows = [part.tolist() for part in (fold.training, fold.validation, fold.test, pool.rows[pool.test])]
    images = data.synthetic if ARMS[key.arm].uses_synthetic else None
    own = {"images": images.digest} if images and images.made_by else {}  # of this very fraction and seed
    return results_cache.digest(study=study_digest(task, data, key.arm), rows=rows, place=key, **own)


def _called(key: TrialKey) -> str:
    """A training in few words, for what a bar leaves of the line."""
    of_images = f" {share(key.fraction)}" if key.fraction < 1 else ""
    return f"{key.arm}{of_images}, {f'fold {key.fold}, ' if key.fold else ''}seed {key.seed}"


def _name(fold: Fold) -> str:
    return f"fold {fold.number}, " if fold.number else ""
