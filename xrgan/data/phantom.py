"""The embedded source: procedural frontal chest radiographs with labels, organ masks and patients.

How a radiograph is drawn stands in radiograph.py; here is who the patients are. No pixel comes from a real patient.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xrgan.data import radiograph
from xrgan.data.radiograph import Anatomy, Field, Study
from xrgan.data.reading.masks import SCR_VALUES

LABELS = ("NORMAL", "PNEUMONIA")
MASK_VALUES = {"background": 0, **SCR_VALUES}

WORKING_SIZE = 128  # smaller images are averaged down from at least this, or the ribs would alias
SEED_STREAMS = {"anatomy": 0, "vessels": 1, "study": 2, "noise": 3, "texture": 4, "disease": 5, "history": 6}


@dataclass(frozen=True)
class Phantom:
    """One radiograph: image and mask are uint8 (size, size), the mask in MASK_VALUES."""

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    label: str
    patient: str


def draw(patient: int, study: int, label: str, size: int, seed: int = 0) -> Phantom:
    """Draw one radiograph; it depends on these arguments only.

    NORMAL and PNEUMONIA draws of the same patient and study differ in the disease alone. Raises ValueError for a
    size below 16, an unknown label or a negative number.
    """
    if size < 16:
        raise ValueError(f"A phantom needs a size of 16 or more; {size} was asked for.")
    if label not in LABELS:
        raise ValueError(f"Unknown label {label!r}: a phantom is one of {', '.join(LABELS)}.")
    if min(patient, study, seed) < 0:
        raise ValueError(f"Patient {patient}, study {study} and seed {seed} must not be negative.")
    anatomy = _patient_anatomy(_rng(seed, "anatomy", patient))
    exposure = _study_settings(_rng(seed, "study", patient, study))
    factor = -(-WORKING_SIZE // size)
    x, y = radiograph.patient_coordinates(size * factor, exposure)

    right, left, heart = radiograph.lungs_and_heart(x, y, anatomy, exposure)
    mediastinum = radiograph.mediastinum(x, y, heart, anatomy, exposure)
    texture = 1 + 0.07 * radiograph.clouds(x, y, 18, _rng(seed, "texture", patient))
    air = texture * (right + left) * (1 - mediastinum)
    vessels = air * radiograph.vessels(x.shape[0], anatomy, exposure, _rng(seed, "vessels", patient))
    if label == "PNEUMONIA":
        severity = _rng(seed, "disease", patient, study).uniform(0.8, 1.1)
        opacity = severity * radiograph.opacity(x, y, anatomy, _rng(seed, "disease", patient))
        air *= 1 - 0.75 * opacity
        vessels *= 1 - 1.6 * opacity  # in a filled lung the air left in the bronchi shows instead of the vessels
    attenuation = radiograph.attenuation(x, y, air, vessels, anatomy, exposure)
    image = radiograph.film(attenuation, factor, exposure, _rng(seed, "noise", patient, study))
    mask = _mask(right, left, heart, mediastinum)[factor // 2 :: factor, factor // 2 :: factor]
    return Phantom(image, mask, label, f"phantom{patient:05d}")


def write_dataset(
    folder: Path, n: int, size: int = 128, seed: int = 0, advance: Callable[[int], None] = lambda _: None
) -> None:
    """Write n radiographs, their masks and index.csv (file, label, patient, mask; paths relative to folder).

    The first m of n images are those of a dataset of m. advance(1) is called after each image.
    """
    if n < 1:
        raise ValueError(f"A dataset needs at least 1 phantom; {n} were asked for.")
    rows = []
    for patient, study, label in islice(_studies(seed), n):
        phantom = draw(patient, study, label, size, seed)
        name = f"{label}/{phantom.patient}_{study}.png"
        for kind, pixels in (("images", phantom.image), ("masks", phantom.mask)):
            path = folder / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        rows.append((f"images/{name}", label, phantom.patient, f"masks/{name}"))
        advance(1)
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("file", "label", "patient", "mask"), *rows])


def _studies(seed: int) -> Iterator[tuple[int, int, str]]:
    """Patient, study and label, without end: a patient has 1 to 3 studies, all with one label."""
    patient = 0
    while True:
        patient += 1
        rng = _rng(seed, "history", patient)
        label = LABELS[rng.integers(2)]
        for study in range(1, 1 + rng.choice([1, 2, 3], p=[0.72, 0.23, 0.05])):
            yield patient, study, label


def _rng(seed: int, stream: str, *numbers: int) -> np.random.Generator:
    """A generator of its own for each purpose, so that a change to one leaves the others' draws alone."""
    return np.random.default_rng([seed, SEED_STREAMS[stream], *numbers])


def _patient_anatomy(rng: np.random.Generator) -> Anatomy:
    build = max(-1.8, min(1.8, rng.normal()))  # broad (> 0) or tall (< 0): it moves what goes together
    return Anatomy(
        chest=rng.normal(0.355 + 0.018 * build, 0.014),
        apex=rng.normal(0.13, 0.015),
        dome=rng.normal(0.735 - 0.02 * build, 0.03),
        dome_step=rng.uniform(0.005, 0.035),
        sulcus=rng.uniform(0.08, 0.13),
        heart=rng.normal(0.133 + 0.009 * build, 0.01),
        heart_tilt=rng.normal(0.62 - 0.12 * build, 0.08),
        knob=rng.uniform(0.025, 0.042),
        fat=rng.uniform(0.03, 0.06) + 0.012 * max(build, 0),
        breast=float(rng.random() < 0.4) * rng.uniform(0.3, 1.0),
        stomach=float(rng.random() < 0.6) * rng.uniform(0.025, 0.05),
        rib_gap=rng.normal(0.070, 0.003),
        rib_phase=rng.random(),
        rib_tilt=rng.normal(1.0 - 0.1 * build, 0.12),
        scoliosis=rng.normal(0, 0.006),
        shoulder=rng.normal(0.09, 0.015),
        markings=rng.uniform(0.7, 1.3),
    )


def _study_settings(rng: np.random.Generator) -> Study:
    return Study(
        rotation=rng.normal(0, 0.03),
        turn=rng.normal(0, 0.006),
        shift=(rng.normal(0, 0.015), rng.normal(0, 0.015)),
        zoom=rng.normal(1.06, 0.05),
        arms=rng.uniform(0.1, 0.4),
        breath=rng.normal(0, 0.015),
        bone=rng.uniform(0.6, 1.3),
        scatter=rng.uniform(0.02, 0.12),
        quantum=rng.uniform(0.003, 0.012),
        speed=rng.uniform(1.5, 2.2),
        latitude=rng.uniform(0.4, 0.75),
    )


def _mask(right: Field, left: Field, heart: Field, mediastinum: Field) -> NDArray[np.uint8]:
    """Organs as one would outline them on the film: a lung ends where the mediastinum covers it."""
    mask = np.full(right.shape, MASK_VALUES["background"], np.uint8)
    mask[(right > 0.3) & (mediastinum < 0.4)] = MASK_VALUES["right lung"]
    mask[(left > 0.3) & (mediastinum < 0.4)] = MASK_VALUES["left lung"]
    mask[heart > 0] = MASK_VALUES["heart"]
    return mask
