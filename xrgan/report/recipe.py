"""How to make a run once more, and what to cite: commands with the options that differ from the defaults."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xrgan.cards.facts import Facts
from xrgan.config import Config, PrepareConfig, default
from xrgan.data.sources import SOURCES
from xrgan.files import read_yaml
from xrgan.report.options import options_of, settings_of, typed
from xrgan.report.pictures import count_drawn

NEVER = {"workers"}  # of prepare: they change no image
PATHS = {"table"}
DRAWN = re.compile(r"\b(n|size|seed) (\d+)")  # in what a source of phantoms says of itself


def commands(facts: Facts) -> list[str]:
    """The commands that make this run from its source, one a line, for a shell."""
    known = facts.trained_on
    source, dataset = str(known.get("source") or ""), str(known.get("name") or facts.config.dataset)
    lines = []
    if source:
        lines.append(_join("fetch", *([source] if source in SOURCES else ["--folder", source]), *_phantoms(facts)))
        options = known.get("options", {})
        name = ["--name", dataset] if dataset != f"{source}_{options.get('size')}" else []
        lines.append(_join("prepare", source, *name, *_prepare_flags(options)))
    lines.append(_train(facts, dataset))
    lines += _after(facts)
    return lines


def _phantoms(facts: Facts) -> list[str]:
    """How phantoms were drawn, where they are some."""
    source = facts.dataset["source"] if facts.dataset else {}
    said = DRAWN.findall(str(source.get("from", ""))) if source.get("name") == "phantom" else []
    return [part for key, value in said for part in (f"--{key}", value)]


def _train(facts: Facts, dataset: str) -> str:
    changed, automatic, _ = options_of(facts.config)
    train = [f"--set={one}" for one in settings_of([*changed, *automatic], facts.config)]
    origin = facts.environment.get("initialised_from")
    begins = ["--init-from", str(origin["run"])] if origin else []
    return _join("train", "--data", dataset, "--run", facts.run.name, *begins, *train)


def _after(facts: Facts) -> list[str]:
    """What was done with the trained run."""
    run, lines = facts.run, []
    record = run.synthetic / "sample.yaml"
    if record.is_file():
        drawn = read_yaml(record)
        count = str(count_drawn(run.synthetic))
        lines.append(_join("sample", "--run", run.name, "--n", count, "--seed", str(drawn.get("seed", 0))))
    if facts.scores:
        n = facts.scores.get("images", {}).get("n", 0)  # fewer than by default: there were no more
        flags = ["--n", str(n)] if n > default("evaluate.n") else []
        lines.append(_join("evaluate", "--run", run.name, *flags))
    for name, study in facts.studies.items():
        lines.append(_join(name, "--run", run.name, *_study_settings(name, study.get("options", {}))))
    return lines


def _prepare_flags(options: Mapping[str, Any]) -> list[str]:
    flags = []
    for key in PrepareConfig.model_fields:
        if key in NEVER or key not in options or _same(options[key], default(f"prepare.{key}")):
            continue
        value = options[key]
        if key in PATHS:
            value = [Path(str(one)).name for one in value]
        flags.append(f"--set=prepare.{key}={typed(value)}")
    return flags


def _study_settings(name: str, options: Mapping[str, Any]) -> list[str]:
    known = type(Config.model_fields[name].default).model_fields
    changed = {
        key: value for key, value in options.items() if key in known and not _same(value, default(f"{name}.{key}"))
    }
    changed = {key: Path(str(value)).name if key == "weights" else value for key, value in changed.items()}
    return [f"--set={name}.{key}={typed(value)}" for key, value in changed.items()]


def _same(value: object, usual: object) -> bool:
    return (tuple(value) if isinstance(value, list) else value) == usual


def _join(command: str, *arguments: str) -> str:
    return shlex.join(["xrgan", command, *arguments])


def citations(facts: Facts) -> list[str]:
    """What to cite: xrgan with its version and commit, the dataset, the method."""
    version = facts.environment.get("xrgan", "")
    commit = str(facts.environment.get("git_commit") or "")[:12]
    software = f"The xrgan developers. xrgan{f' {version}' if version else ''}"
    said = [f"{software}{f' (commit {commit})' if commit else ''}: train a GAN on your chest X-rays."]
    if facts.dataset:
        source = facts.dataset["source"]
        parts = [source.get("title") or source["name"], source.get("citation"), source.get("url")]
        licence = f"Licence: {source['licence']}" if source.get("licence") else ""
        said.append(". ".join(str(part).rstrip(".") for part in (*parts, licence) if part) + ".")
    if facts.config.model.discriminator == "projected":
        said.append("Sauer et al. Projected GANs Converge Faster. NeurIPS 2021. arXiv:2111.01007.")
    return said
