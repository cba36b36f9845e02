"""A study's trained segmenters: find the best one of each arm, and load it."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from xrgan.downstream.checkpoints import UNREADABLE, Metadata, all_metadata, read_weights
from xrgan.downstream.segmentation.segmenter import Segmenter, build
from xrgan.downstream.trial import TrialKey


@dataclass(frozen=True, kw_only=True)
class SegmenterMetadata(Metadata):
    """What a segmenter is, beside its weights."""

    structures: tuple[str, ...]
    width: int
    dice: float  # of the validation images

    @property
    def score(self) -> float:
        return self.dice


def load_segmenters(folder: Path, studies: Collection[str], keys: Collection[TrialKey]) -> dict[str, Segmenter]:
    """Load the best segmenter of each arm, of all folds, on the CPU; none that is damaged, or of another study."""
    best: dict[str, tuple[SegmenterMetadata, Path]] = {}
    for file, metadata in all_metadata(folder, SegmenterMetadata).items():
        if metadata.study not in studies or metadata.key not in keys:
            continue
        if metadata.arm not in best or metadata.rank > best[metadata.arm][0].rank:
            best[metadata.arm] = metadata, file
    loaded = {}
    for arm, (metadata, file) in best.items():
        try:
            network = build(metadata.channels, len(metadata.structures), metadata.width, metadata.seed)
            network.load_state_dict(read_weights(file))
        except UNREADABLE:
            continue
        loaded[arm] = network.eval().requires_grad_(False)
    return loaded
