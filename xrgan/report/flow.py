"""The way of the images, as a reader of a paper wants to see it: found, left out, packed, split, drawn, compared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xrgan.cards.datasheet import skipped_by_reason
from xrgan.cards.facts import Facts
from xrgan.data.preparing.dataset_card import DatasetCard


@dataclass(frozen=True)
class Station:
    """A box of the diagram.

    Attributes:
        beside: what leaves the way behind it: number and reason.
        parts: into which it splits: number and name.
    """

    title: str
    count: int | None
    beside: Sequence[tuple[int, str]] = ()
    parts: Sequence[tuple[int, str]] = ()


def flow(facts: Facts, drawn: int) -> list[Station]:
    """Make the diagram of a run.

    Args:
        drawn: synthetic images that lie in the run.
    """
    stations = _of_dataset(facts.dataset) if facts.dataset else []
    trained_on = facts.trained_on.get("training_images")
    if trained_on is not None:
        seen = f"{facts.images_seen:,} views of them in training" if facts.images_seen else ""
        stations.append(Station(f"Learned from{f' ({seen})' if seen else ''}", int(trained_on)))
    stations.append(Station("Synthetic images drawn", drawn))
    n = facts.scores.get("images", {}).get("n")
    if n:
        against = "training" if facts.scores.get("reference") == "train" else "held-out"
        stations.append(Station(f"Compared with as many {against} real images", int(n)))
    return stations


def _of_dataset(card: DatasetCard) -> list[Station]:
    left_out: Mapping[str, Any] = card.get("left_out", {})
    skipped: Counter[str] = skipped_by_reason(card)
    found = card["images"] + sum(left_out.values()) + sum(skipped.values())
    beside = [(int(count), f"left out: {reason}") for reason, count in left_out.items() if count]
    beside += [(count, f"skipped: {reason}") for reason, count in skipped.items()]
    parts = []
    for split, of in card["counts"].items():
        classes = ", ".join(f"{name} {count:,}" for name, count in of.items())
        parts.append((sum(of.values()), f"{split} ({classes})"))
    patients = f" of {card['patients']:,} patients" if card["patients"] else ""
    return [
        Station("Images found", found, beside),
        Station(f"Packed{patients}; splits: {card['splits']}", card["images"], parts=parts),
    ]
