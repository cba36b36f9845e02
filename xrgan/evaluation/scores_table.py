"""How scores are shown in the terminal: a table, and a headline; no torch, so that a list of runs can show them."""

from xrgan.evaluation.metric_table import Display, displays
from xrgan.evaluation.scores_file import Score, ScoredSet, ScoreKey, Scores

TRAINED_AGAINST = "trained against: it flatters"
COLUMNS = ("metric", "value", "95 %", "real vs real", "ratio", "N", "note")


def extractors(scores: Scores) -> dict[str, str]:
    """Find whose features the scores stand on: extractor → what its table is called, the default's ("") first.

    Scores of different extractors don't compare, so each has a table of its own. One that the generator was trained
    against comes last.
    """
    against = {
        ScoreKey.parse(key).extractor: bool(score.get("trained_against")) for key, score in scores["metrics"].items()
    }
    ordered = sorted(against, key=lambda name: (against[name], bool(name), name))
    return {name: f"{name}, {TRAINED_AGAINST}" if against[name] else name for name in ordered}


def rows(scores: Scores, extractor: str = "") -> list[tuple[str, ...]]:
    """Make one row per score of an extractor and class, for a table with COLUMNS.

    Args:
        extractor: "" = the Inception network; scores that need none are beside its own.
    """
    shown, ranks = displays(), _ranks(scores, extractor)
    keys = [key for key in map(ScoreKey.parse, scores["metrics"]) if key.extractor == extractor]
    keys = [key for key in keys if key.name in shown]  # not a later version's
    lines = []
    for key in sorted(keys, key=lambda key: ranks[key.name]):
        score, display = scores["metrics"][str(key)], shown[key.name]
        lines.append(_row(display.title, display, score, _note(display, score)))
        lines += [_row(f"– {name}", display, part, note="") for name, part in score.get("per_class", {}).items()]
    return lines


def headline(scores: ScoredSet) -> str:
    """Say the leading scores with their floors and N in one line; the first score where there is none of them.

    One of an extractor that the generator was trained against is said where there is no other, and marked.
    """
    metrics, shown = scores["metrics"], displays()
    others = [key for key in metrics if ScoreKey.parse(key).name in shown]
    leading = [name for name, display in shown.items() if display.leads and name in metrics] or sorted(
        others, key=lambda key: bool(metrics[key].get("trained_against"))
    )[:1]
    parts = []
    for key in map(ScoreKey.parse, leading):
        score, display = metrics[str(key)], shown[key.name]
        floor = _floor(display, score)
        title = f"{display.title}, {key.extractor}" if key.extractor else display.title
        told = [f"real vs real {floor}"] * (floor != "–") + [TRAINED_AGAINST] * bool(score.get("trained_against"))
        parts.append(f"{title} {_value(display, score)}" + (f" ({', '.join(told)})" if told else ""))
    against = " · against the TRAINING images" if scores.get("reference") == "train" else ""
    return " · ".join([*parts, f"N = {scores['images']['n']}"]) + against


def _ranks(scores: Scores, extractor: str) -> dict[str, int]:
    """Name → its place in the table: a leading score that warns of its bias stands behind the other leading ones."""
    shown, metrics = displays(), scores["metrics"]

    def place(name: str) -> tuple[bool, bool]:
        score = metrics.get(str(ScoreKey(name, extractor)))
        return not shown[name].leads, score is not None and shown[name].leads and "warning" in score

    return {name: rank for rank, name in enumerate(sorted(shown, key=place))}


def _row(title: str, display: Display, score: Score, note: str) -> tuple[str, ...]:
    ratio = score.get("ratio")
    n = str(score.get("n", ""))
    shown_ratio = "–" if ratio is None else f"{ratio:.2f}"
    return title, _value(display, score), _interval(display, score), _floor(display, score), shown_ratio, n, note


def _note(display: Display, score: Score) -> str:
    if "note" in score:
        return score["note"]
    if "pairs" in score:
        return f"{score['pairs']} pairs; {display.meaning}"
    if display.meaning:
        return display.meaning
    note = ", ".join([f"layer {score.get('layer', '?')}", *filter(None, [score.get("resize", "").partition(",")[0]])])
    return f"{note}; biased at this N" if "warning" in score else note


def _value(display: Display, score: Score) -> str:
    return _shown(display, score["value"], _spread(score, score.get("std")))


def _spread(score: Score, std: float | None) -> float | None:
    """What stands behind ±: not KID's spread of subsets, which is no error of the value; papers' is in scores.yaml."""
    return None if "interval" in score or "subset_images" in score else std


def _interval(display: Display, score: Score) -> str:
    if "interval" not in score:
        return "–"
    low, high = (_shown(display, end) for end in score["interval"])
    return f"{low} … {high}"


def _floor(display: Display, score: Score) -> str:
    floor, n = score.get("floor"), score.get("n")
    if floor is None:
        return "–"
    shown = _shown(display, floor, _spread(score, score.get("floor_std")))
    floor_n = score.get("floor_n", n)
    return shown if floor_n == n else f"{shown} (N = {floor_n})"


def _shown(display: Display, value: float, std: float | None = None) -> str:
    if display.percent:
        return f"{100 * value:.1f} %"
    spread = "" if std is None else f" ± {std:.{display.digits}f}"
    return f"{value:.{display.digits}f}{spread}"
