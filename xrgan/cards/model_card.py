"""MODEL_CARD.md: what a generator is, learned from, is good at and isn't for (Mitchell et al. 2019, Model Cards)."""

from collections.abc import Mapping
from typing import Any

from xrgan.cards.claim import claim_table, open_items
from xrgan.cards.facts import OPEN, Facts, in_words, table
from xrgan.cards.scorecard import lowest_coverage, seven_cs
from xrgan.evaluation.metric_table import displays
from xrgan.evaluation.scores_file import ScoreKey

USE = """Meant for research on synthetic chest X-rays: methods, teaching, tests of software, studies of whether they
help.

Not meant, and not fit: diagnosis; being passed off as patients' images; being mixed unmarked into an archive of
real ones; replacing real test images, on which alone a classifier may be judged; conclusions on how frequent a
disease is (classes are drawn in the training images' shares); any claim that patients are anonymous because no
copy was found."""
LIMITS = (
    f"Synthetic images can be wrong in ways that no score here sees. Did a radiologist judge them? {OPEN}",
    "They show what the training images show, with their labels' errors, their scanners, their patients' ages.",
    "They can't be more varied than what was learned from; classes with few images are drawn worst.",
)
NO_PROOF = """**No suspect is no proof**:
the search knows near copies, by pixels and features, among the images that were
compared; it knows nothing of parts of images, of attributes, or of whether somebody was among the training
images. A model that was trained on personal data isn't anonymous by itself (EDPB Opinion 28/2024); leaving
suspects out afterwards changes the images, not the weights."""
MODELS = {
    "eigen": "eigen X-rays (the training images' principal components), refined by a convolutional decoder",
    "dcgan": "a DCGAN (Radford et al. 2015)",
}


def model_card(facts: Facts) -> str:
    """Write the card of a run, from what its files say."""
    sections = {
        "What it is": _what(facts),
        "What it learned from": _data(facts),
        "What it took": _compute(facts),
        "How good it is": _scores(facts),
        "Does it remember patients?": _memorisation(facts),
        "Does it help?": _studies(facts),
        "Intended use, and misuse": USE,
        "Limits": _limits(facts),
        "Scorecard: the seven C's": seven_cs(facts),
        f"CLAIM 2024, a draft ({open_items(facts)} of 44 items open)": claim_table(facts),
    }
    by = f"xrgan {facts.environment['xrgan']}" if "xrgan" in facts.environment else "xrgan"
    head = f"# Model card: {facts.run.name}\n\nWritten by {by} from the run's own files; what it can't know is {OPEN}. "
    head += "The data are described in DATASHEET.md."
    return "\n\n".join([head, *(f"## {title}\n\n{text}" for title, text in sections.items())]) + "\n"


def _what(facts: Facts) -> str:
    model, trained_on = facts.config.model, facts.trained_on
    size, channels = trained_on.get("size", "?"), {1: "gray", 3: "RGB"}.get(trained_on.get("channels", 0), "")
    draws = f"{size} × {size} pixels, {channels}".rstrip(", ")
    classes = ", ".join(trained_on.get("classes", []))
    drawn_by = f"by class ({classes})" if model.conditional is True else "without classes"
    rows: list[list[object]] = [
        ["model", f"{model.name}: {MODELS[model.name]}"],
        ["draws", f"{draws}; {drawn_by}{'; with masks' if model.masks is True else ''}"],
        ["discriminator in training", model.discriminator],
        ["latent size, width", f"{model.latent_size}, {model.generator_width}"],
        ["run id", facts.environment.get("run_id", "not known")],
    ]
    return table(["", ""], rows)


def _data(facts: Facts) -> str:
    trained_on, card = facts.trained_on, facts.dataset
    source = card["source"] if card else {"name": trained_on.get("source", "")}
    rows: list[list[object]] = [
        ["dataset", trained_on.get("name", facts.config.dataset)],
        ["source", source.get("title") or source.get("name") or OPEN],
        ["licence", source.get("licence", OPEN)],
        ["training images", f"{trained_on.get('training_images', 0):,}"],
        ["content hash", f"`{trained_on.get('content_hash', '')}`"],
    ]
    if origin := facts.environment.get("initialised_from"):
        rows.append(["began with the networks of", f"{origin['run']}, trained on {origin['dataset'][:16]}…"])
    return table(["", ""], rows)


def _compute(facts: Facts) -> str:
    minutes, seen = facts.minutes, facts.images_seen
    took = f"{minutes:,.1f} minutes" if minutes is not None else "not known"
    images = f"{seen:,} images seen" if seen is not None else "nothing recorded"
    return f"{took} on {facts.environment.get('device', 'an unknown device')}, {images}."


def _scores(facts: Facts) -> str:
    if not facts.metrics:
        return "Not measured yet: `xrgan evaluate` does."
    known = displays()
    rows: list[list[object]] = []
    for key, score in facts.metrics.items():
        parsed = ScoreKey.parse(key)
        if (shown := known.get(parsed.name)) is None or parsed.name == "memorisation":
            continue
        by = f"{shown.title} ({parsed.extractor})" if parsed.extractor else shown.title
        rows.append([by, *(_number(score, name) for name in ("value", "floor", "ratio", "n"))])
    against = "held-out real images" if facts.scores.get("reference") == "held-out" else "the training images"
    said = f"Against {against}; *floor* is what real images score against other real ones at the same N."
    if worst := lowest_coverage(facts):
        said += f" The class that is covered least is **{worst[0]}** ({worst[1]:.3g})."
    return f"{table(['score', 'value', 'floor', 'ratio', 'N'], rows)}\n\n{said}"


def _number(score: Mapping[str, Any], name: str) -> str:
    value = score.get(name)
    return "–" if value is None else f"{value:,}" if name == "n" else f"{value:.4g}"


def _memorisation(facts: Facts) -> str:
    found, said = facts.score("memorisation"), []
    if found is None:
        said.append("Copies were not looked for: `xrgan evaluate --memorisation` does.")
    else:
        score = found[1]
        note = f"; looked for {score['note']}" if score.get("note") else ""
        said.append(f"{in_words(*found)}, {score.get('suspects', 0):,} images{note}.")
    said.append(NO_PROOF)
    if facts.config.model.name == "eigen" and facts.config.model.components != 0:
        said.append(_traces(facts))
    return "\n\n".join(said)


def _traces(facts: Facts) -> str:
    said = (
        "The generator holds the mean of each class and the principal components of the training images and of how "
        "they lie: averages over all of them, and no image of one patient; but they were computed from patients."
    )
    traces = facts.traces
    if traces is None:
        return f"{said} How much of a single one is in them was not measured: the dataset isn't here."
    explained = f"{100 * traces.explained:.0f} % of what sets a training image (median) apart from its class's mean"
    if traces.explained_held_out is not None:
        explained += f", and {100 * traces.explained_held_out:.0f} % of what does a held-out one: "
        explained += "the difference is what they know of single patients"
    return (
        f"{said} Measured: of {traces.images:,} training images, none made more than "
        f"{100 * traces.largest_share:.1f} % of any of the {traces.components} components; together they draw "
        f"{explained}."
    )


def _studies(facts: Facts) -> str:
    if not facts.studies:
        return "Not studied: `xrgan classify` and `xrgan segment` do."
    said = []
    for name, study in facts.studies.items():
        sentences = [str(one.get("sentence") or one.get("verdict")) for one in study.get("comparisons", [])]
        said.append(f"**{name}**: {study.get('conclusion', '')}")
        said += [f"- {sentence}" for sentence in sentences]
    return "\n".join(said)


def _limits(facts: Facts) -> str:
    return "\n".join(f"- {limit}" for limit in limits(facts))


def limits(facts: Facts) -> list[str]:
    """What must be minded with every image of a run, a sentence or two each."""
    lines = [*LIMITS]
    if worst := lowest_coverage(facts):
        lines.append(f"Least covered is {worst[0]}: expect its rarer looks to be missing.")
    if facts.dataset and facts.dataset["patients_in_two_splits"]:
        lines.append("Patients stand in more than one split of the source: the scores above flatter.")
    if (facts.images_seen or 0) and facts.scores and (n := facts.scores.get("images", {}).get("n")) and n < 1000:
        lines.append(f"Scored with {n:,} images: intervals are wide, and FID is biased.")
    return lines
