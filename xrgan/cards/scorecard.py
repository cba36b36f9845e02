"""The seven C's of FDA/OSEL's scorecard for synthetic medical data (Zamzmi et al. 2025, Commun Eng 4:130)."""

from xrgan.cards.facts import OPEN, Facts, in_words, lowest_class, table

COMPREHENSION = (
    "config.yaml has every option, environment.yaml the versions; image k depends on (seed, k) and the weights alone"
)
NOT_MEASURED = "not measured; `xrgan evaluate` does"


def seven_cs(facts: Facts) -> str:
    """Write the scorecard as a table: what was measured, and what is open."""
    rows = [
        ["Congruence: alike in distribution?", _of(facts, "fid", "kid")],
        ["Coverage: as varied?", _coverage(facts)],
        ["Constraint: anatomically possible?", _constraint(facts)],
        ["Completeness: all that is needed?", _completeness(facts)],
        ["Compliance: privacy, licence, law?", _compliance(facts)],
        ["Comprehension: how were they made?", COMPREHENSION],
        ["Consistency: the same everywhere?", _consistency(facts)],
    ]
    return table(["criterion", "what is known"], rows)


def _of(facts: Facts, *names: str) -> str:
    found = [in_words(*score) for name in names if (score := facts.score(name))]
    return "; ".join(found) or NOT_MEASURED


def _coverage(facts: Facts) -> str:
    said = [_of(facts, "clipped_coverage", "coverage", "recall", "diversity")]
    if worst := lowest_coverage(facts):
        said.append(f"lowest in {worst[0]}: {worst[1]:.3g}")
    return "; ".join(said)


def lowest_coverage(facts: Facts) -> tuple[str, float] | None:
    """The class that is covered least, and how far; None where that was not measured of two classes."""
    found = facts.score("clipped_coverage", "coverage")
    return lowest_class(found[1]) if found else None


def _constraint(facts: Facts) -> str:
    drawn = (
        "masks are drawn with the images, and were not checked for anatomy"
        if facts.config.model.masks is True
        else "no masks"
    )
    return f"{drawn}; whether each image is an anatomy that can be: {OPEN} (no program here judges it)"


def _completeness(facts: Facts) -> str:
    classes = facts.trained_on.get("classes", [])
    labels = f"a class for each image ({', '.join(classes)})" if facts.config.model.conditional is True else "no labels"
    return f"{labels}; no age, no sex, no scanner, no projection, no second image of a patient"


def _compliance(facts: Facts) -> str:
    licence = facts.dataset["source"].get("licence", "not stated") if facts.dataset else OPEN
    return (
        f"{_of(facts, 'memorisation')}: no suspect is no proof; licence of the source: {licence}; "
        f"every image is marked as synthetic (XMP, DICOM); the right to share the weights: {OPEN}"
    )


def _consistency(facts: Facts) -> str:
    per_class = facts.score("kid", "fid", "clipped_coverage")
    if per_class and (classes := per_class[1].get("per_class")):
        figures = ", ".join(f"{name} {one['value']:.4g}" for name, one in classes.items())
        said = f"{per_class[0]} by class: {figures}"
    else:
        said = "by class: not measured"
    return f"{said}; other seeds of the training: {OPEN}; other hospitals: {OPEN}"
