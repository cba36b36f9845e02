"""A draft of the CLAIM 2024 checklist (Tejani et al. 2024, Radiol Artif Intell 6:e240300): what xrgan knows of it.

What only the authors know is left open; nothing is invented.
"""

from xrgan.cards.facts import OPEN, Facts, in_words, table

AUTHORS = f"{OPEN}: the authors' to say"


def claim_table(facts: Facts) -> str:
    """Write the items with a draft for each, in the order of the checklist; titles are shortened."""
    rows = [*_introduction(), *_data(facts), *_model(facts), *_evaluation(facts), *_results(facts), *_discussion(facts)]
    return table(["item", "", "draft"], [[k + 1, title, draft] for k, (title, draft) in enumerate(rows)])


def open_items(facts: Facts) -> int:
    """How many items of the draft are open, wholly or in part."""
    return sum(OPEN in line for line in claim_table(facts).splitlines())


Item = tuple[str, str]


def _introduction() -> list[Item]:
    return [
        ("Title or abstract names the kind of AI", "generative adversarial network; " + AUTHORS),
        ("Structured abstract", AUTHORS),
        ("Background, intended use", AUTHORS),
        ("Aims, hypotheses", AUTHORS),
        ("Prospective or retrospective", AUTHORS),
        ("Goal of the study", AUTHORS),
    ]


def _data(facts: Facts) -> list[Item]:
    card, trained_on = facts.dataset, facts.trained_on
    source = card["source"] if card else {}
    where = source.get("title") or source.get("name") or trained_on.get("source") or OPEN
    ways = OPEN
    if card:
        both = card["patients_in_two_splits"]
        ways = "by patient" + (f", but for {both:,} who stand in more than one" if both else "")
        ways = ways if card["patients"] else "by image: no patient is known"
    return [
        ("Data sources", f"{where}; content hash {trained_on.get('content_hash', OPEN)}"),
        ("Inclusion and exclusion", f"DATASHEET.md, flow of images; beyond that: {OPEN}"),
        ("Preprocessing", "DATASHEET.md, processing" if card else OPEN),
        ("Selection of subsets", "DATASHEET.md, flow of images" if card else OPEN),
        ("De-identification", AUTHORS),
        ("Missing data", "DATASHEET.md: files that can't be read are skipped, with the reason" if card else OPEN),
        ("Image acquisition", AUTHORS),
        ("Reference standard: definition", AUTHORS),
        ("Reference standard: rationale", AUTHORS),
        ("Reference standard: source", AUTHORS),
        ("Annotation of the test set", AUTHORS),
        ("Variability between readers", AUTHORS),
        ("How data were assigned to partitions", card["splits"] if card else OPEN),
        ("Level at which partitions are disjoint", ways),
        ("Intended sample size", AUTHORS),
    ]


def _model(facts: Facts) -> list[Item]:
    environment, train = facts.environment, facts.config.train
    packages = ", ".join(f"{name} {environment[name]}" for name in ("xrgan", "python", "torch") if name in environment)
    origin = environment.get("initialised_from")
    begins = f"from the run {origin['run']}" if origin else f"at random, seed {train.seed}"
    how = f"{train.loss} loss, Adam, learning rate {train.lr}, {train.batch_size} images a step; config.yaml"
    return [
        ("Description of the model", f"{facts.config.model.name}; MODEL_CARD.md, config.yaml"),
        ("Software", packages or OPEN),
        ("Initialisation of the parameters", begins),
        ("Training", how),
        ("Selection of the final model", f"the last checkpoint, or the one of least KID on val (`best`): {OPEN}"),
        ("Ensembling", "an exponential moving average of the generator's weights"),
    ]


def _evaluation(facts: Facts) -> list[Item]:
    measured = ", ".join(facts.metrics) or "none yet"
    studies = ", ".join(f"{name}: {len(study.get('results', []))} arms" for name, study in facts.studies.items())
    return [
        ("Metrics", measured),
        (
            "Uncertainty, significance",
            "95 % intervals where they mean something; report.md of a study" if measured else OPEN,
        ),
        ("Robustness, sensitivity", OPEN),
        ("Explainability", OPEN),
        ("Evaluation on internal data", f"held-out images of the dataset; {studies or 'no study'}"),
        ("Testing on external data", OPEN),
        ("Registration of a clinical trial", AUTHORS),
    ]


def _results(facts: Facts) -> list[Item]:
    card = facts.dataset
    performance = "; ".join(
        in_words(*score) for name in ("fid", "kid", "clipped_coverage") if (score := facts.score(name))
    )
    verdicts = " ".join(str(study.get("conclusion", "")) for study in facts.studies.values())
    number = (
        f"{card['images']:,} images of {card['patients'] or 'an unknown number of'} patients; DATASHEET.md"
        if card
        else OPEN
    )
    return [
        ("Numbers included and excluded", number),
        ("Demographics of each partition", OPEN),
        ("Performance and its uncertainty", performance or OPEN),
        ("Diagnostic performance and its precision", verdicts or OPEN),
        ("Failure analysis", OPEN),
    ]


def _discussion(facts: Facts) -> list[Item]:
    commit = facts.environment.get("git_commit")
    return [
        ("Limitations", f"MODEL_CARD.md, limits; {AUTHORS}"),
        ("Implications for practice", AUTHORS),
        ("Protocol, technical details", "config.yaml, environment.yaml" + (f", commit {commit}" if commit else "")),
        ("Availability of software, model, data", f"`xrgan export` makes a file of the model; {AUTHORS}"),
        ("Funding", AUTHORS),
    ]
