import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from xrgan.config import Config
from xrgan.config_resolve import resolve, to_yaml
from xrgan.errors import XrganError
from xrgan.exported import Export, names_export, without_paths

SAID: dict[str, Any] = {
    "format": 1,
    "xrgan": "0.1.0",
    "run": "mine",
    "run_id": "ab",
    "step": 3,
    "images_seen": 12,
    "grown": 0.0,
    "size": 16,
    "channels": 1,
    "masks": [],
    "classes": ["a", "b"],
    "class_shares": [0.25, 0.75],
    "conditional": True,
    "dataset": "tiny",
    "dataset_hash": "cd",
}


def write(path: Path, weights: bytes = b"weights", compress: int = zipfile.ZIP_STORED, **more: Any) -> Export:
    said = SAID | {"generator_sha256": hashlib.sha256(weights).hexdigest()} | more
    with zipfile.ZipFile(path, "w", compress) as archive:
        archive.writestr("export.yaml", yaml.safe_dump(said))
        archive.writestr("config.yaml", to_yaml(Config()))
        archive.writestr("generator.safetensors", weights)
    return Export(path)


def test_what_an_export_says(tmp_path: Path) -> None:
    export = write(tmp_path / "any name.zip")
    assert (export.name, export.run_id(), export.trained_on()) == ("mine", "ab", "cd")
    assert export.manifest.class_shares == (0.25, 0.75)
    assert export.read_generator() == b"weights"
    assert export.read_config() == Config()
    assert export.synthetic == Path("any name_synthetic")


def test_what_is_no_export_is_said(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="no export"):
        _ = Export(tmp_path / "absent.zip").manifest
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(XrganError, match=r"photos.zip is no export: it has no export.yaml.*`xrgan export RUN`"):
        _ = Export(tmp_path / "photos.zip").manifest
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(XrganError, match="text.zip is damaged"):
        _ = Export(tmp_path / "text.zip").manifest


@pytest.mark.parametrize("change", [{"step": "many"}, {"classes": None}, {"class_shares": ["a"]}])
def test_a_damaged_manifest_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(XrganError, match="not what xrgan writes"):
        _ = write(tmp_path / "a.zip", **change).manifest


def test_a_later_version_is_said(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match=r"xrgan 9.0.0, which is later.*Update"):
        _ = write(tmp_path / "a.zip", format=2, xrgan="9.0.0").manifest


def test_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="another hash"):
        write(tmp_path / "a.zip", generator_sha256="0" * 64).read_generator()


def test_a_few_bytes_that_claim_gigabytes_are_not_unpacked(tmp_path: Path) -> None:
    export = write(tmp_path / "a.zip", weights=b"\0" * 10_000_000, compress=zipfile.ZIP_DEFLATED)
    with pytest.raises(XrganError, match="larger than it can be"):
        export.read_generator()


def test_a_damaged_configuration_names_the_export(tmp_path: Path) -> None:
    write(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("config.yaml", "model: {name: unheard-of}")
    with pytest.raises(XrganError) as raised:
        Export(tmp_path / "b.zip").read_config()
    assert "/tmp/" not in raised.value.message.replace(str(tmp_path), "")


@pytest.mark.parametrize("extractor", ["classifier:/home/anna/runs/a", "/home/anna/rad-dino.safetensors"])
def test_no_path_of_this_machine_is_shared(extractor: str) -> None:
    config = resolve(
        settings=[
            *("train.perceptual_weights=/home/anna/vgg.pth", "evaluate.weights=/home/anna/w", "device=cpu"),
            *(
                f"evaluate.extractor={extractor}",
                "classify.weights=/home/anna/x.pth",
                "model.name=dcgan",
            ),
        ]
    )
    shared = without_paths(config)
    assert "anna" not in to_yaml(shared) and shared.model == config.model and shared.device == "auto"


@pytest.mark.parametrize(("name", "is_one"), [("a.zip", True), ("runs/A.ZIP", True), ("exp1", False), (None, False)])
def test_an_exports_name(name: str | None, is_one: bool) -> None:
    assert names_export(name) == is_one
