"""What `xrgan export` writes, read back: one ZIP with the averaged generator and what is known of it, and no patient.

An export comes from anybody: what it declares is checked before it is unpacked, nothing is unpacked to the disk, and no
code in it runs.
"""

import hashlib
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from xrgan.config import EXTRACTORS, Config, default
from xrgan.config_resolve import read_config
from xrgan.errors import XrganError
from xrgan.files import no_such, parse_yaml

MANIFEST, GENERATOR, CONFIG = "export.yaml", "generator.safetensors", "config.yaml"
FORMAT = 1
LARGEST_TEXT = 2**22  # bytes of a YAML file
ANOTHER = "Ask for another copy: `xrgan export` makes one."


class Manifest(BaseModel):
    """The content of export.yaml."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: int
    xrgan: str
    run: str
    run_id: str
    step: int
    images_seen: int
    grown: float
    size: int
    channels: int
    masks: tuple[str, ...]
    classes: tuple[str, ...]
    class_shares: tuple[float, ...]
    conditional: bool
    generator_sha256: str
    dataset: str
    dataset_hash: str
    learned_from: tuple[str, ...] = ()
    """content hashes of the datasets that the networks saw before, in runs that this one was initialised from"""


@dataclass(frozen=True)
class Export:
    """An export's file; where a command takes a run to draw or to start from, it takes one, too."""

    path: Path

    @property
    def name(self) -> str:
        return self.manifest.run

    @property
    def synthetic(self) -> Path:
        """Where its images are drawn to, if nobody says otherwise: below the current directory."""
        return Path(f"{self.path.stem}_synthetic")

    @cached_property
    def manifest(self) -> Manifest:
        """What it says of itself.

        Raises:
            XrganError: it is no export, damaged, or of a later version.
        """
        try:
            said = Manifest.model_validate(parse_yaml(self._read(MANIFEST).decode()))
        except ValueError as error:  # pydantic's is one
            raise self._damaged(f"{MANIFEST} is not what xrgan writes") from error
        if said.format > FORMAT:
            raise XrganError(f"{self.path} was exported by xrgan {said.xrgan}, which is later.", "Update xrgan.")
        return said

    def read_config(self) -> Config:
        """Read the configuration that the run was trained with, without anybody's paths."""
        content = self._read(CONFIG)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / CONFIG
            file.write_bytes(content)
            try:
                return read_config(file)
            except XrganError as error:
                raise XrganError(error.message.replace(str(file), f"{self.path}: {CONFIG}"), ANOTHER) from error

    def run_id(self) -> str:
        return self.manifest.run_id

    def trained_on(self) -> str:
        return self.manifest.dataset_hash

    def read_generator(self) -> bytes:
        """Read the generator's weights, a safetensors file, once their hash was compared."""
        content = self._read(GENERATOR)
        if hashlib.sha256(content).hexdigest() != self.manifest.generator_sha256:
            raise self._damaged(f"{GENERATOR} has another hash than {MANIFEST} says")
        return content

    def _read(self, name: str) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as archive:
                record = archive.getinfo(name)
                largest = self.path.stat().st_size if name == GENERATOR else LARGEST_TEXT
                if record.file_size > largest:  # weights are stored, not compressed
                    raise self._damaged(f"{name} claims to be larger than it can be")
                return archive.read(record)
        except FileNotFoundError:
            raise no_such("export", self.path) from None
        except KeyError:
            raise XrganError(f"{self.path} is no export: it has no {name}.", "`xrgan export RUN` makes one.") from None
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            OSError,
            ValueError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            reason = " ".join(str(error).split())
            raise self._damaged(reason) from error

    def _damaged(self, reason: str) -> XrganError:
        return XrganError(f"{self.path} is damaged: {reason}.", ANOTHER)


def names_export(name: str | None) -> bool:
    """Whether a run's name is that of an export's file."""
    return name is not None and name.lower().endswith(".zip") and not Path(name).is_dir()


def without_paths(config: Config) -> Config:
    """A configuration that may be shared: what names this machine's files, folders and device is as by default."""
    evaluate, classify = config.evaluate.model_copy(update={"weights": ""}), config.classify
    if evaluate.extractor not in EXTRACTORS:
        evaluate = evaluate.model_copy(update={"extractor": default("evaluate.extractor")})
    if classify.weights not in {"imagenet", "none"}:
        classify = classify.model_copy(update={"weights": default("classify.weights")})
    train = config.train.model_copy(update={"perceptual_weights": ""})
    return config.model_copy(
        update={"device": default("device"), "train": train, "evaluate": evaluate, "classify": classify}
    )
