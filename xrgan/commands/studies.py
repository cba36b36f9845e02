"""What both studies do before they start: the number of folds, the network, and their synthetic images."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xrgan import console
from xrgan.commands.inputs import open_prepared
from xrgan.commands.study_generators import PartGenerators
from xrgan.commands.study_runs import make_study_run
from xrgan.commands.synthetic_images import Origin, training_provenance
from xrgan.config import AUTO, Config, StudyConfig
from xrgan.errors import XrganError
from xrgan.option_syntax import Rule, parse_map
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.folds import Part
    from xrgan.downstream.generator_data import GeneratorData
    from xrgan.downstream.leaks import TrainingProvenance
    from xrgan.downstream.pool import External, Pool, SyntheticImages
    from xrgan.downstream.summary import Summary
    from xrgan.downstream.task import Task

FOLDS = 5

Section = Literal["classify", "segment"]
Known = tuple["TrainingProvenance", ...] | None
"""What the generators of synthetic images learned from; None where nobody knows it of one of them."""

SharedImages = Callable[["Pool", Known], "SyntheticImages"]
FoldImages = Callable[[Path, Known], "SyntheticImages"]

Study = Callable[[], "Summary"]
"""A study that is ready to be run; it gives what its summary.yaml holds."""


@dataclasses.dataclass(frozen=True)
class Others:
    """Other datasets beside a study's own, by name.

    Attributes:
        external: of its images networks are asked.
        map: what its classes are called in the study, as "THEIRS=OURS,*=OTHER"; by their names where it is empty.
        generator_data: from it the study's own generators learn, too.
    """

    external: str | None = None
    map: str = ""
    generator_data: str | None = None


NO_OTHERS = Others()


@dataclasses.dataclass(frozen=True)
class StudyRequest:
    """A study as a command asks for it.

    Attributes:
        run: whose generator is judged, and whose folder gets the study.
        config: in which `k_folds` is a number.
        data: the name of the study's dataset, where it isn't the run's own.
        others: other datasets beside it.
    """

    workspace: Workspace
    run: RunDir
    config: Config
    section: Section
    dataset: "PackedDataset"
    data: str | None
    others: Others = NO_OTHERS

    @property
    def options(self) -> StudyConfig:
        chosen: StudyConfig = getattr(self.config, self.section)
        return chosen

    @property
    def folder(self) -> Path:
        return self.run.classify if self.section == "classify" else self.run.segment


def study_with_images(
    request: StudyRequest,
    task: "Task",
    origins: Sequence[Origin],
    shared_images: SharedImages,
    fold_images: FoldImages,
) -> Study:
    """Prepare a study; where an arm needs synthetic images, with those of `origins`, or of generators of its own.

    Args:
        shared_images: reads those of `origins`, for all folds.
        fold_images: reads those that a fold's own generator drew, or that of a part of it, from their folder.

    Returns:
        What trains its networks.
    """
    from xrgan.downstream.arms import needs_synthetic
    from xrgan.downstream.study import check, run_study
    from xrgan.hardware import choose_device

    dataset, device, folder = request.dataset, choose_device(request.config.device), request.folder
    if not needs_synthetic(request.options.arms):
        of_real = check(task, dataset)
        other = external_of(request, task, of_real[0], [])
        make_study_run(request.run, request.config, dataset)
        return partial(run_study, task, dataset, device, folder, checked=of_real, external=other)
    if request.options.trains_generators:
        extra = generator_data_of(request)
        generators = PartGenerators(request.workspace, folder, request.config, request.options, dataset, extra)

        def of_part(part: "Part") -> "SyntheticImages":
            images, provenance = generators.draw(part)
            made_by = generators.digest() if request.options.gan_per_fraction else ""
            return dataclasses.replace(fold_images(images, (provenance,)), made_by=made_by)

        of_own = check(task, dataset)
        other = external_of(request, task, of_own[0], [], extra)
        return partial(run_study, task, dataset, device, folder, of_part, checked=of_own, external=other)
    provenances = [training_provenance(request.workspace, origin, dataset) for origin in origins]
    known = tuple(one for one in provenances if one is not None)
    checked = check(task, dataset, known)
    other = external_of(request, task, checked[0], origins)
    shared = shared_images(checked[0], known if len(known) == len(provenances) else None)
    return partial(run_study, task, dataset, device, folder, lambda _: shared, known, checked, other)


def generator_data_of(request: StudyRequest) -> "GeneratorData | None":
    """Open the other dataset that generators learn from, without the patients by whom networks are judged."""
    if request.others.generator_data is None:
        return None
    import numpy as np

    from xrgan.downstream.generator_data import generator_data

    other, dataset = open_prepared(request.workspace, request.others.generator_data), request.dataset
    judged = np.arange(len(dataset.labels)) if request.options.k_folds else dataset.of_split("test")
    return generator_data(other, dataset, judged, drop=request.options.leaks == "drop")


def external_of(
    request: StudyRequest,
    task: "Task",
    pool: "Pool",
    origins: Sequence[Origin],
    extra: "GeneratorData | None" = None,
) -> "External | None":
    """Read the other dataset that was asked for, without the patients whom networks or generators learned from."""
    if request.others.external is None:
        return None
    import numpy as np

    from xrgan.downstream.external import external_images, unleaked_rows
    from xrgan.downstream.leaks import provenance_on

    other, dataset = open_prepared(request.workspace, request.others.external), request.dataset
    provenances = [training_provenance(request.workspace, origin, other) for origin in origins]
    seen = [one.groups for one in provenances if one is not None]
    if extra is not None:
        seen.append(provenance_on("", extra.dataset, other, extra.rows).groups)
    also = np.unique(np.concatenate(seen)) if seen else np.empty(0, np.int64)
    rows = unleaked_rows(other, dataset, also, drop=request.options.leaks == "drop")
    return external_images(task, other, dataset, pool, rows, _rules(request.others.map))


def _rules(text: str) -> tuple[Rule, ...]:
    try:
        return parse_map(text) if text else ()
    except ValueError as error:
        raise XrganError(f"--map {text}: {error}.", "Write --map 'THEIRS=OURS,*=OTHER'.", exit_code=2) from None


def check_others(workspace: Workspace, config: StudyConfig, others: Others) -> None:
    """Check what is asked of other datasets, before anything is drawn or trained.

    Raises:
        XrganError: one isn't there, classes are mapped of none, or no generator is trained that could learn from it.
    """
    if others.map and others.external is None:
        raise XrganError("--map goes with --external.", "Leave it out.", exit_code=2)
    if others.generator_data and not config.trains_generators:
        raise XrganError(
            "--generator-data goes with --gan-per-fold or --gan-per-fraction, which train generators.",
            f"Or train a run on it, `xrgan train --data {others.generator_data}`, and name that with --synthetic.",
            exit_code=2,
        )
    _rules(others.map)
    for name in (others.external, others.generator_data):
        if name is not None:
            workspace.find_prepared(name)


def with_folds(config: Config, section: Section) -> Config:
    """Write the number of folds that `auto` means into a study's options."""
    from xrgan.downstream.arms import needs_synthetic

    chosen: StudyConfig = getattr(config, section)
    if chosen.k_folds != AUTO:
        return config
    synthetic = needs_synthetic(chosen.arms)
    shared = synthetic and not chosen.trains_generators  # one generator's images go into all folds
    k = 0 if shared or (synthetic and chosen.gan_per_fraction) else FOLDS
    if shared:
        console.notice(
            "Folds: none, the dataset's own split; the generator has seen images that folds would leave out"
            " (`--gan-per-fold` trains one a fold)."
        )
    return config.model_copy(update={section: chosen.model_copy(update={"k_folds": k})})


def refuse_unused_images(config: StudyConfig, needed: bool, synthetic: object) -> None:
    """Raise XrganError where images are named that no network would learn from."""
    if not synthetic:
        return
    if config.trains_generators:
        flag = "--gan-per-fraction" if config.gan_per_fraction else "--gan-per-fold"
        raise XrganError(
            f"{flag} draws its own images: --synthetic has no place beside it.", "Leave one out.", exit_code=2
        )
    if not needed:
        raise XrganError(
            f"--synthetic has no place beside --arms {','.join(config.arms)}: no arm of these learns from such images.",
            "Leave it out, or name one that does: `--arms real,real+synthetic`.",
            exit_code=2,
        )
