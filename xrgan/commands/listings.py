"""`xrgan runs` and `xrgan data`: what is here."""

from typing import Any

from xrgan import console
from xrgan.commands.options import DataRoot, Json, Quiet, RunsRoot
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

RUNS_EXAMPLES = ["xrgan runs --json"]
DATA_EXAMPLES = ["xrgan data --data-root elsewhere"]
COLUMNS = ("run", "dataset", "model", "epochs", "loss D", "loss G", "FID", "KID ×1000")


def runs(*, as_json: Json = False, quiet: Quiet = False, runs_root: RunsRoot = RUNS_ROOT) -> None:
    """List the runs: dataset, model, epochs, last losses, scores; the latest last."""
    console.configure(quiet or as_json)
    found = [_row(run) for run in Workspace(DATA_ROOT, runs_root).runs()]
    if as_json:
        console.show_json(found)
    elif not found:
        console.notice(f"There is no run in {runs_root}; `xrgan train` makes one.")
    else:
        _show_records(f"Runs in {runs_root}", found)


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
    for what, records in found.items():
        if records:
            _show_records(f"{what.capitalize()}, in {data_root}", records)


def _show_records(title: str, records: list[dict[str, Any]]) -> None:
    console.show_table(
        title, list(records[0]), [["–" if cell is None else cell for cell in r.values()] for r in records]
    )


def _row(run: RunDir) -> dict[str, Any]:
    """A damaged run is named as such, and why: it must not hide the others."""
    try:
        return _summary(run)
    except (XrganError, OSError) as error:
        console.warn(f"{error}")
        return dict.fromkeys(COLUMNS) | {COLUMNS[0]: f"{run.name} (damaged)"}


def _summary(run: RunDir) -> dict[str, Any]:
    config, losses, scores = run.read_config(), run.read_losses(), run.read_scores()
    last = losses[-1] if losses else {}
    metrics = scores.get("metrics", {})
    cells = (
        run.name,
        config.dataset,
        config.model.name,
        f"{int(last.get('epoch', 0))}/{config.train.epochs}",
        _rounded(last.get("discriminator_loss")),
        _rounded(last.get("generator_loss")),
        _rounded(metrics.get("fid", {}).get("value"), 1),
        _rounded(metrics.get("kid", {}).get("value"), 2, 1000),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _rounded(value: float | None, digits: int = 3, factor: float = 1) -> float | None:
    return None if value is None else round(value * factor, digits)
