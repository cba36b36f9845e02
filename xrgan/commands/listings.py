"""`xrgan runs` and `xrgan data`: what is here."""

import datetime
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from xrgan import console
from xrgan.commands.options import DataRoot, Json, Quiet, RunsRoot
from xrgan.errors import XrganError
from xrgan.evaluation import checkpoint_scores
from xrgan.evaluation.scores_file import latest
from xrgan.files import MEGABYTE, bytes_below, read_yaml
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

RUNS_EXAMPLES = ["xrgan runs --json"]
DATA_EXAMPLES = ["xrgan data --data-root elsewhere"]
COLUMNS = ("run", "dataset", "model", "epochs", "loss D", "loss G", "FID", "KID ×1000", "best", "studies", "date", "MB")
OPTIONAL = (  # no room, no column
    *("loss D", "loss G", "model", "date", "best", "studies", "hash", "channels", "licence", "MB", "source", "fetched"),
)
KEYS = (
    *("run", "path", "dataset", "model", "epochs", "epochs_planned", "discriminator_loss", "generator_loss"),
    *("fid", "kid", "best", "damaged", "studies", "date", "bytes"),
)


class _Comparison(BaseModel):
    arm: str
    verdict: str


class _Summary(BaseModel):
    """What is read back of a study's summary.yaml."""

    comparisons: list[_Comparison] = []


def runs(*, as_json: Json = False, quiet: Quiet = False, runs_root: RunsRoot = RUNS_ROOT) -> None:
    """List the runs: dataset, model, epochs, losses, scores, the best ones, what studies found, size; latest last."""
    console.configure(quiet or as_json)
    found = [_facts(run) for run in Workspace(DATA_ROOT, runs_root).runs()]
    if as_json:
        console.show_json(found)
    elif not found:
        console.notice(f"There is no run in {runs_root}; `xrgan train` makes one.")
    else:
        _show_records(f"Runs in {runs_root}", [_cells(facts) for facts in found])


def data(*, as_json: Json = False, quiet: Quiet = False, data_root: DataRoot = DATA_ROOT) -> None:
    """List what is here: the fetched sources and the prepared datasets."""
    console.configure(quiet or as_json)
    from xrgan.data import listing

    workspace = Workspace(data_root, RUNS_ROOT)
    found = {
        "fetched": listing.fetched(workspace.fetched()),
        "prepared": listing.prepared(workspace.prepared()),
    }
    if as_json:
        console.show_json(found)
        return
    if not any(found.values()):
        console.notice(f"There is nothing in {data_root}; `xrgan fetch phantom` works offline.")
    rows = {
        "Fetched": [listing.source_row(one) for one in found["fetched"]],
        "Prepared": [listing.dataset_row(one) for one in found["prepared"]],
    }
    for what, records in rows.items():
        if records:
            _show_records(f"{what}, in {data_root}", records)


def _show_records(title: str, records: list[dict[str, Any]]) -> None:
    console.show_table(title, list(records[0]), [list(r.values()) for r in records], OPTIONAL)


def _facts(run: RunDir) -> dict[str, Any]:
    """What `--json` says of a run; a damaged one says why: it must not hide the others."""
    try:
        return _summary(run)
    except (XrganError, OSError) as error:
        console.warn(f"{error}")
        return dict.fromkeys(KEYS) | {"run": run.name, "path": str(run.path), "damaged": str(error)}


def _summary(run: RunDir) -> dict[str, Any]:
    config, losses, scores = run.read_config(), run.read_losses(), run.read_scores()
    last = losses[-1] if losses else {}
    values = (
        *(run.name, str(run.path), config.dataset, config.model.name if config.generator else "none"),
        *(int(last.get("epoch", 0)), config.train.epochs if config.generator else 0),
        *(last.get("discriminator_loss"), last.get("generator_loss")),
        *(latest(scores, "fid"), latest(scores, "kid"), _best(run), None),
        *(_verdicts(run), _last_change(run), bytes_below(run.path)),
    )
    return dict(zip(KEYS, values, strict=True))


def _cells(facts: dict[str, Any]) -> dict[str, Any]:
    """A run as a row of the table."""
    if facts["damaged"]:
        return dict.fromkeys(COLUMNS, "–") | {COLUMNS[0]: f"{facts['run']} (damaged)"}
    cells = (
        *(facts["run"], facts["dataset"], facts["model"], f"{facts['epochs']}/{facts['epochs_planned']}"),
        *(_rounded(facts["discriminator_loss"]), _rounded(facts["generator_loss"])),
        *(_rounded(facts["fid"], 1), _rounded(facts["kid"], 2, 1000), _best_in_words(facts["best"])),
        "; ".join(f"{study}: {said}" for study, said in facts["studies"].items()) or "–",
        *(facts["date"][:10], _rounded(facts["bytes"], 1, 1 / MEGABYTE)),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _best(run: RunDir) -> dict[str, Any] | None:
    """The scores of a run's best checkpoint (`evaluate --every-checkpoint`), whether or not it is still there."""
    rows = checkpoint_scores.read(run.evaluation)
    found = checkpoint_scores.best(rows, {row.step for row in rows})
    if found is None:
        return None
    coverage = found.clipped_coverage if math.isfinite(found.clipped_coverage) else None
    return {"epoch": found.epoch, "fid": found.fid, "kid": found.kid, "clipped_coverage": coverage, "n": found.n}


def _best_in_words(best: Mapping[str, Any] | None) -> str:
    if best is None:
        return "–"
    return f"epoch {best['epoch']:g}: FID {best['fid']:.1f}, KID {1000 * best['kid']:.2f}"


def _verdicts(run: RunDir) -> dict[str, str]:
    """What each of a run's studies found of synthetic images, in its own words: the verdicts on its arms, each once.

    Where no arm learned from any, the arms are named.
    """
    from xrgan.downstream.arms import about_synthetic

    found = {}
    for name, folder in (("classify", run.classify), ("segment", run.segment)):
        file = folder / "summary.yaml"
        if file.is_file():
            comparisons = read_yaml(file, _Summary, "Run the study again.").get("comparisons", [])
            synthetic = [one["verdict"] for one in about_synthetic(comparisons)]
            said = synthetic or [f"{one['arm']}: {one['verdict']}" for one in comparisons]
            found[name] = ", ".join(dict.fromkeys(said)) or "nothing compared"
    return found


def _last_change(run: RunDir) -> str:
    """When something of a run was written last, as in 2026-11-25T23:10:00."""
    changed = max(file.stat().st_mtime for file in (run.path, *run.path.iterdir()))
    return datetime.datetime.fromtimestamp(changed).isoformat(timespec="seconds")


def _rounded(value: float | None, digits: int = 3, factor: float = 1) -> str:
    return "–" if value is None else f"{value * factor:.{digits}f}"
