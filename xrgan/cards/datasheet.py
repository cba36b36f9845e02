"""DATASHEET.md: what a run learned from (after Gebru et al. 2021, Datasheets for Datasets, CACM 64:86)."""

import re
from collections import Counter
from typing import Final

from xrgan.cards.facts import OPEN, Facts, as_yaml, table
from xrgan.data.preparing.dataset_card import DatasetCard

SHARED_OPTIONS = ("size", "fit", "channels", "window", "clahe", "split", "fraction", "limit", "seed", "drop_duplicates")
COPIES: Final = ("duplicates", "near_duplicates", "pictures_of_two_classes")
UNKNOWN = "not known"
NOT_HERE = "The dataset isn't here, or an earlier version prepared it: what the run itself says of it."
FILE_NAME = re.compile(r"\S+\.\w{2,5}\b")


def datasheet(facts: Facts) -> str:
    """Write the datasheet of a run's dataset; it names no file and no patient."""
    trained_on, card = facts.trained_on, facts.dataset
    name = trained_on.get("name") or facts.config.dataset
    head = f"# Datasheet: {name}\n\nThe images that **{facts.run.name}** learned from."
    if card is None:
        known = {
            key: trained_on[key] for key in ("content_hash", "training_images", "classes", "size") if key in trained_on
        }
        return f"{head}\n\n{NOT_HERE}\n\n{as_yaml(known)}\n"
    sections = {
        "Source": _source(card),
        "Flow of images": _flow(card),
        "Splits": _splits(card),
        "Composition": _composition(card),
        "Processing": _processing(card),
        "To be filled in": _open(),
    }
    return "\n\n".join([head, *(f"## {title}\n\n{text}" for title, text in sections.items())]) + "\n"


def _source(card: DatasetCard) -> str:
    source = card["source"]
    names = {"title": "Title", "from": "Fetched from", "licence": "Licence", "citation": "Citation", "url": "Address"}
    names |= {"fetched": "Fetched on", "archive_sha256": "SHA-256 of the archive"}
    rows = [[title, source.get(key, "not stated")] for key, title in names.items() if key in source or key == "licence"]
    return table(["", ""], [["Name", source["name"]], *rows, ["Content hash", f"`{card['content_hash']}`"]])


def _flow(card: DatasetCard) -> str:
    """From the files that were found to the images that were packed: nothing vanishes between two rows."""
    left_out = card.get("left_out", {})
    reasons = skipped_by_reason(card)
    rows: list[list[object]] = [
        ["images found", f"{card['images'] + sum(left_out.values()) + sum(reasons.values()):,}"]
    ]
    rows += [[f"left out: {reason}", f"− {count:,}"] for reason, count in left_out.items()]
    rows += [[f"skipped: {reason}", f"− {count:,}"] for reason, count in reasons.items()]
    rows.append(["**packed**", f"**{card['images']:,}**"])
    others = sum(card.get("not_images", {}).values())
    said = [table(["", "images"], rows)]
    if others:
        said.append(f"{others:,} other files lay beside them, of kinds that xrgan doesn't read.")
    copies, nearly, torn = (f"{card[key]:,}" for key in COPIES)
    said.append(
        f"Among those packed, {copies} are copies of another one, and {nearly} nearly so; none of them stands in two "
        f"splits. {torn} pictures stand in two classes."
    )
    return "\n\n".join(said)


def skipped_by_reason(card: DatasetCard) -> Counter[str]:
    """Count what was skipped by reason, without the file that some reasons name: it may be called after somebody."""
    return Counter(_of_many(entry["reason"]) for entry in card["skipped"])


def _of_many(reason: str) -> str:
    return FILE_NAME.sub("another file", reason)


def _splits(card: DatasetCard) -> str:
    classes = list(next(iter(card["counts"].values())))
    rows = [[split, *(of[name] for name in classes), sum(of.values())] for split, of in card["counts"].items()]
    patients = f"{card['patients']:,} patients" if card["patients"] else f"The number of patients is {UNKNOWN}"
    leak = card["patients_in_two_splits"]
    said = f"{patients}. The splits are {card['splits']}."
    if leak:
        said += f" **{leak:,} patients stand in more than one split**: scores on held-out images flatter."
    return f"{table(['split', *classes, 'images'], rows)}\n\n{said}"


def _composition(card: DatasetCard) -> str:
    width, height = card["width"], card["height"]
    views = ", ".join(f"{view} {count:,}" for view, count in card["views"].items())
    rows: list[list[object]] = [
        ["classes", ", ".join(card["classes"]) or "none"],
        ["classes merged by", card.get("classes_merged_by", "none")],
        ["masks", ", ".join(card["masks"]) or "none"],
        ["width before", f"{width['min']:,} to {width['max']:,} pixels, median {width['median']:,}"],
        ["height before", f"{height['min']:,} to {height['max']:,} pixels, median {height['median']:,}"],
        ["kinds of file", ", ".join(f"{kind} {count:,}" for kind, count in card["kinds"].items())],
        ["projections", views],
        ["images that say they are synthetic", card.get("synthetic", 0)],
    ]
    taken = card.get("taken_from", {})
    rows += [[f"{what} taken from", where] for what, where in taken.items()]
    return table(["", ""], rows)


def _processing(card: DatasetCard) -> str:
    options = {key: card["options"][key] for key in SHARED_OPTIONS if key in card["options"]}
    return f"By `xrgan prepare`, version {card['xrgan']}:\n\n{as_yaml(options)}"


def _open() -> str:
    """What no file says."""
    asked = [
        *(
            "Who took these images, why, and who paid for it?",
            "Were the patients asked, and by which ethics committee?",
        ),
        *("How were the labels made, by whom, and how often are they wrong?", "How were the patients' names removed?"),
        *("Age, sex, ethnicity and scanners, for each split?", "Who may use the data, for what, and until when?"),
    ]
    return "\n".join(f"- {question} {OPEN}" for question in asked)
