"""What is known of a public dataset: one frozen record, by which it is fetched, read and cited."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

Origin = Literal["phantom", "kaggle", "manual"]


@dataclass(frozen=True)
class Source:
    """A public dataset: where it is, under which terms, and what its files tell.

    Attributes:
        images: how many there are; 0 for the phantom, which draws as many as one asks for.
        origin: phantom = drawn on this machine; kaggle = downloaded; manual = the user gets it from `url`, where one
            signs a form first, say, and brings it by --archive or --folder.
        kaggle: "dataset:owner/slug" or "competition:slug"; empty where nothing is downloaded.
        patient_pattern: searched in a file's stem, its first group is the patient (where no more is known: the
            study); empty = unknown.
        label_pattern: searched in a file's stem where nothing else gives labels; the name of the group that matched
            is the label.
        classes: the labels, as the source says them.
        masks: the structures of which it has masks or boxes: lungs, right lung, left lung, heart, opacity.
        gigabytes: on disk when unpacked, about (10⁹ bytes); 0 = unknown.
        label_map: how its usual task merges the labels, "LABEL=class,*=class"; empty = not at all.
        box_frame: pixels a side of the pictures that its boxes were drawn in; 0 = those that it has.
        note: what a user should know before use, in a sentence or two.
        read: its folder → rows as `scan` gives them; what it leaves "" is filled in there. None = `scan.read_tree`.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    images: int
    origin: Origin = "manual"
    kaggle: str = ""
    aliases: tuple[str, ...] = ()
    patient_pattern: str = ""
    label_pattern: str = ""
    classes: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    gigabytes: float = 0
    label_map: str = ""
    note: str = ""
    box_frame: int = 0
    read: Callable[[Path], pd.DataFrame] | None = None

    def __post_init__(self) -> None:
        assert (self.origin == "kaggle") == bool(self.kaggle), f"{self.name}: on Kaggle, or not?"

    @property
    def kind(self) -> str:
        """dataset | competition, or empty."""
        return self.kaggle.partition(":")[0]

    @property
    def slug(self) -> str:
        """owner/name of a dataset, the name of a competition, or empty."""
        return self.kaggle.partition(":")[2]
