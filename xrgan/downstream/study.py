"""The study that answers whether synthetic X-rays help: arms on the same folds, steps, weights and test images."""

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from xrgan import console, ranks
from xrgan.config import StudyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import checkpoints, report, results_cache
from xrgan.downstream.arms import ARMS, REAL, Arm, needs_synthetic
from xrgan.downstream.caveats import doubts
from xrgan.downstream.folds import Fold, Indices, Part, subsample
from xrgan.downstream.leaks import TrainingProvenance, check_folds, check_generator, images_behind
from xrgan.downstream.pool import External, FoldData, Pool, SyntheticImages
from xrgan.downstream.summary import Summary
from xrgan.downstream.task import Results, Task, Trainer
from xrgan.downstream.training_loop import Budget, Phase, Report
from xrgan.downstream.trial import Trial, TrialKey
from xrgan.downstream.verdict import summarise
from xrgan.downstream.wording import share
from xrgan.errors import XrganError

DECIDES = {"k_folds", "gan_per_fold", "leaks", "ratio", "pretraining", "epochs", "patience", "batch_size", "lr", "seed"}
"""The options of any study that decide what a training gives."""

CLASSIC_DECIDES = {"classic_rotation", "classic_shift", "classic_scale", "classic_shear", "classic_light"}
"""Those that do in arms with classic augmentation alone."""

SyntheticFor = Callable[[Part], SyntheticImages]
"""Synthetic images for a fold, or for one fraction and seed of it, whose indices are rows of the dataset."""

_Place = tuple[Fold, Part, list[TrialKey]]
"""Trainings that learn from images of one generator, if of any, and the part of a fold that it learns from."""


def run_study(
    task: Task,
    dataset: PackedDataset,
    device: torch.device,
    folder: Path,
    synthetic_for: SyntheticFor | None = None,
    seen: tuple[TrainingProvenance, ...] = (),
    checked: tuple[Pool, list[Fold]] | None = None,
    external: External | None = None,
) -> Summary:
    """Train a network for each arm, fraction, fold and seed, and then score all of them on the untouched test split.

    The training images (train and val) are cut into folds by patient. A network learns from all folds but one,
    a part of which picks its best epoch; the left-out fold, and in the end the test split, judge it. Without folds,
    the dataset's train and val do that. All arms of a fold and seed start from the same weights and may take the same
    number of steps: `config.epochs` passes over the fold's real images at fraction 1.

    Interrupted, and started again with the same settings and images, it resumes with the trainings that are missing;
    asked for more arms, fractions or seeds, it adds them. Several processes (`ranks`) share the trainings, and the
    first one does the rest.

    Args:
        task: its config has `k_folds` as a number.
        folder: gets scores.csv (one row per training), summary.yaml, report.md, pictures, checkpoints/ (the best per
            arm and fold), and trainings/, from which it resumes.
        synthetic_for: needed if an arm uses synthetic images.
        seen: what generators learned from whose images go into every fold.
        checked: what `check` returned, so that nothing is read and said twice.
        external: another hospital's images, of which all networks are asked; they choose nothing.

    Returns:
        What summary.yaml holds, in every process.

    Raises:
        XrganError: the images are not what a study needs, a generator saw test images, or the weights can't be had.
    """
    started = time.monotonic()
    console.waiting("Reading the images")
    pool, folds = checked or check(task, dataset, seen)
    grounds = _Grounds(task, dataset, pool, folds, device, folder, synthetic_for, external)
    shared = ranks.size() > 1
    if shared:
        grounds.share()

    def finish() -> Summary:
        results = grounds.results(told=shared)
        console.waiting("Comparing the arms")
        summary = summarise(task, dataset, results)
        for doubt in doubts(task, results, summary["results"], summary.get("external")):
            console.warn(doubt)
        summary["seconds"] = round(time.monotonic() - started, 1)
        report.write(task, results, summary)
        return summary

    return ranks.by_first(finish)


@dataclass(frozen=True)
class _Grounds:
    """What all trainings of a study stand on; the arguments of `run_study`."""

    task: Task
    dataset: PackedDataset
    pool: Pool
    folds: list[Fold]
    device: torch.device
    folder: Path
    synthetic_for: SyntheticFor | None
    external: External | None

    def places(self) -> list[_Place]:
        """The parts of all folds, with their trainings."""
        return [(fold, *of_part) for fold in self.folds for of_part in parts(self.task.config, fold, self.pool)]

    def at(self, fold: Fold, part: Part, keys: list[TrialKey]) -> "_FoldStudy":
        """The trainings of a part, whose generator is trained now where they have their own."""
        synthetic = _synthetic_images(self.synthetic_for, self.pool, part)
        data = FoldData(self.dataset, self.pool, fold, synthetic, self.external)
        return _FoldStudy(self.task, data, self.device, self.folder, self.task.trainer(data, self.device), keys)

    def share(self) -> None:
        """Let each of several processes do its part of what `folder` hasn't yet; the first then finds all of it there.

        A generator and the trainings that learn from its images are one process's; where generators are shared, or
        there are none, every training by itself may be another's.
        """
        own, places = slice(ranks.rank(), None, ranks.size()), self.places()
        if self.task.config.trains_generators:
            with ranks.alone():
                for place in places[own]:
                    self.at(*place).run()
        else:
            missing = ranks.by_first(lambda: [self.at(*place).missing() for place in places])
            dealt = [(k, key) for k, keys in enumerate(missing) for key in keys]
            if dealt:
                console.notice(f"{ranks.size()} processes share {len(dealt)} trainings.")
            for k, place in enumerate(places):
                if keys := [key for at, key in dealt[own] if at == k]:
                    self.at(*place).do(keys)
        ranks.wait()
        if ranks.is_first():
            checkpoints.end_sharing(self.folder)

    def results(self, told: bool) -> Results:
        """Do the trainings that `folder` hasn't yet, fold by fold, and gather what all of them gave.

        Args:
            told: whether the user knows what was there already.
        """
        trials: list[Trial] = []
        studies: set[str] = set()
        behind: dict[TrialKey, int | None] = {}
        learned: tuple[TrainingProvenance, ...] = ()
        for place in self.places():
            study = self.at(*place)
            trials += study.run(told)
            behind |= study.behind()
            learned += (study.data.synthetic.seen if study.data.synthetic else None) or ()
            studies |= {study_digest(self.task, study.data, arm) for arm in self.task.config.arms}
        of_all = (self.pool, self.folds, trials, frozenset(studies), self.folder, self.device)
        return Results(*of_all, behind, self.external, learned)


def check(task: Task, dataset: PackedDataset, seen: tuple[TrainingProvenance, ...] = ()) -> tuple[Pool, list[Fold]]:
    """Say what stands in a study's way, before synthetic images are drawn for it.

    Raises:
        XrganError: as `run_study`.
    """
    k = task.config.k_folds
    assert k != "auto", "whoever knows the generators has decided"
    task.check(dataset, k)
    for arm in task.config.arms:
        if task.config.epochs < len(ARMS[arm].phases):
            raise XrganError(f"{arm} needs 2 epochs or more: one before, one after.", "Give it more: `--epochs 10`.")
    pool = task.gather(dataset, k, seen)
    folds = task.cut(pool, k)
    check_folds(folds, pool.groups, seen)
    return pool, folds


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


def grid(config: StudyConfig, fold: Fold) -> Iterator[TrialKey]:
    """Every arm before the next seed: whoever stops early has whole comparisons."""
    for seed in range(1, config.seeds + 1):
        for fraction in config.fractions:
            for arm in config.arms:
                yield TrialKey(arm, fraction, fold.number, seed)


def deciding_first(keys: Iterable[TrialKey], config: StudyConfig) -> list[TrialKey]:
    """Put trainings whose network decides for others before these: it is trained once."""
    return sorted(keys, key=lambda key: (key.seed, config.fractions.index(key.fraction), ARMS[key.arm].agreed))


def parts(config: StudyConfig, fold: Fold, pool: Pool) -> list[tuple[Part, list[TrialKey]]]:
    """The trainings of a fold, by the real images that the generator of their synthetic images may learn from.

    All of the fold's, or, with `gan_per_fraction`, those that the networks of one fraction and seed have. With all
    real images they are the same whatever the seed.
    """
    keys, whole = list(grid(config, fold)), len(fold.training)
    if not (config.gan_per_fraction and needs_synthetic(config.arms)):
        return [(Part(fold, whole), keys)]
    found: dict[tuple[float, int], list[TrialKey]] = {}
    for key in keys:
        found.setdefault((key.fraction, 0 if key.fraction == 1 else key.seed), []).append(key)
    return [(Part(thinned(fold, pool, ones[0], config), whole, *place), ones) for place, ones in found.items()]


def thinned(fold: Fold, pool: Pool, key: TrialKey, config: StudyConfig) -> Fold:
    """The real images of a fold that a training has: those of its fraction, chosen by its seed."""
    return subsample(fold, pool.strata, pool.groups, key.fraction, seed_of(key, config))


def budget_of(fold: Fold, config: StudyConfig) -> Budget:
    """What each arm of a fold may take, whatever the fraction."""
    steps_per_epoch = math.ceil(len(fold.training) / config.batch_size)
    return Budget(config.epochs, steps_per_epoch, config.batch_size, config.lr, config.patience)


def seed_of(key: TrialKey, config: StudyConfig) -> int:
    """The seed of initial weights, batches and choices: the same in all arms, because they are compared."""
    return 10_000 * config.seed + 100 * key.fold + key.seed


def phases_of(arm: Arm, real: Indices, synthetic: Indices, budget: Budget, pretraining: float) -> list[Phase]:
    """What a training of the arm learns from, one phase after another, within the budget.

    Args:
        pretraining: share of the budget of the first phase of two.
    """
    examples = {"real": real, "synthetic": synthetic}
    training = [np.concatenate([examples[kind] for kind in sorted(phase)]) for phase in arm.phases]
    budgets = [budget] if len(training) == 1 else budget.parted(pretraining)
    return [Phase(*phase) for phase in zip(training, budgets, strict=True)]


@dataclass(frozen=True)
class _FoldStudy:
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


def _synthetic_images(synthetic_for: SyntheticFor | None, pool: Pool, part: Part) -> SyntheticImages | None:
    """The synthetic images for a fold, or for a part of it.

    Raises:
        XrganError: their generator learned from a patient in the fold's left-out part.
    """
    synthetic = synthetic_for(part._replace(fold=part.fold.at(pool.rows))) if synthetic_for else None
    for one in (synthetic.seen or ()) if synthetic else ():
        check_generator(one, part.fold, pool.groups)
    return synthetic


def _called(key: TrialKey) -> str:
    """A training in few words, for what a bar leaves of the line."""
    of_images = f" {share(key.fraction)}" if key.fraction < 1 else ""
    return f"{key.arm}{of_images}, {f'fold {key.fold}, ' if key.fold else ''}seed {key.seed}"


def _name(fold: Fold) -> str:
    return f"fold {fold.number}, " if fold.number else ""
