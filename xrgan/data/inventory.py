"""What there is on this machine: the fetched sources and the prepared datasets, as facts for `xrgan data`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xrgan.files import read_yaml

MEGABYTE = 1e6


def fetched(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """One record a fetched source, from its source.yaml."""
    records = []
    for folder in folders:
        source = read_yaml(folder / "source.yaml")
        records.append(
            {
                "source": folder.name,
                "images": source.get("images"),
                "MB": round(float(source.get("bytes", 0)) / MEGABYTE, 1),
                "from": source.get("from"),
                "fetched": str(source.get("fetched", ""))[:10],
                "licence": source.get("licence"),
            }
        )
    return records


def prepared(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """One record a prepared dataset, from its dataset.yaml."""
    records = []
    for folder in folders:
        facts = read_yaml(folder / "dataset.yaml")
        of_split = {split: sum(of_class.values()) for split, of_class in facts["counts"].items()}
        size = facts["options"]["size"]
        records.append(
            {
                "dataset": folder.name,
                "source": facts["source"]["name"],
                "pixels": f"{size}×{size}",
                "channels": facts["channels"] + len(facts.get("masks", [])),
                "masks": ", ".join(facts.get("masks", [])) or None,
                "classes": ", ".join(facts["classes"]) or None,
                "train/val/test": "/".join(str(of_split.get(split, 0)) for split in ("train", "val", "test")),
                "patients": facts["patients"],
                "MB": round((folder / "images.npy").stat().st_size / MEGABYTE, 1),
                "hash": facts["content_hash"][:8],
            }
        )
    return records
