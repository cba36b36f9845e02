"""The embedded source: procedural frontal chest radiographs with labels, organ masks and patients.

A radiograph is a sum of path lengths: tissue and bone add attenuation, air in the lungs takes it away; film then
turns the transmitted light back to grey. Everything is drawn from formulas in the patient's own coordinates
(unit: the image's side; x = 0 the midline, x > 0 the image's right, which is the patient's left; y = 0 the top,
downwards), so that every size shows the same picture. No pixel comes from a real patient.

Arrays named x, y or after an organ are (S, S) float32 fields, S being the working size; bright is dense.
"""

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

LABELS = ("NORMAL", "PNEUMONIA")
MASK_VALUES = {"background": 0, "right lung": 150, "left lung": 200, "heart": 250}  # as in the JSRT/SCR masks

WORKING_SIZE = 128  # smaller images are averaged down from at least this, or the ribs would alias
SEED_STREAMS = {"anatomy": 0, "vessels": 1, "study": 2, "noise": 3, "texture": 4, "disease": 5, "history": 6}

Field = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Phantom:
    """One radiograph: image and mask are uint8 (size, size), the mask in MASK_VALUES."""

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    label: str
    patient: str


@dataclass(frozen=True)
class Anatomy:
    """What a patient keeps from study to study; lengths in image sides."""

    chest: float  # half-width of the rib cage at its widest
    apex: float  # y of the lung apices
    dome: float  # y of the right diaphragm dome at mid-inspiration
    dome_step: float  # how much lower the left dome is
    sulcus: float  # depth of the costophrenic angles below the dome
    heart: float  # radius
    heart_tilt: float  # radians; upright in the tall and thin, lying in the broad
    knob: float  # radius of the aortic arch
    fat: float  # soft tissue between rib cage and skin
    breast: float  # 0 (none) to 1
    stomach: float  # radius of the gas bubble, 0 (none)
    rib_gap: float
    rib_phase: float  # where the first rib stands, in gaps
    rib_tilt: float
    scoliosis: float  # sideways bow of the spine
    shoulder: float  # y of the shoulders' top
    markings: float  # prominence of the lung vessels


@dataclass(frozen=True)
class Study:
    """What differs from one exposure to the next."""

    rotation: float  # radians, in the image plane
    turn: float  # how far front structures shift against the spine, in image sides
    shift: tuple[float, float]
    zoom: float
    arms: float  # how far the elbows stand outside the shoulders
    breath: float  # how far the diaphragm stands below mid-inspiration
    bone: float  # bones show better at low tube voltage
    scatter: float
    quantum: float  # noise: standard deviation of the light behind air
    speed: float  # attenuation shown mid-grey
    latitude: float  # the higher, the softer the contrast


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
    x, y = _patient_coordinates(size * factor, exposure)

    right, left, heart = _lungs_and_heart(x, y, anatomy, exposure)
    mediastinum = _mediastinum(x, y, heart, anatomy, exposure)
    texture = 1 + 0.07 * _clouds(x, y, 18, _rng(seed, "texture", patient))
    air = texture * (right + left) * (1 - mediastinum)
    vessels = air * _vessels(x.shape[0], anatomy, exposure, _rng(seed, "vessels", patient))
    if label == "PNEUMONIA":
        severity = _rng(seed, "disease", patient, study).uniform(0.8, 1.1)
        opacity = severity * _opacity(x, y, anatomy, _rng(seed, "disease", patient))
        air *= 1 - 0.75 * opacity
        vessels *= 1 - 1.6 * opacity  # in a filled lung the air left in the bronchi shows instead of the vessels
    attenuation = _attenuation(x, y, air, vessels, anatomy, exposure)
    image = _film(attenuation, factor, exposure, _rng(seed, "noise", patient, study))
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


def _patient_coordinates(size: int, study: Study) -> tuple[Field, Field]:
    """x and y of every pixel's centre in the patient's frame."""
    centre = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    u = (centre[None, :] - study.shift[0]) / study.zoom
    v = (centre[:, None] - study.shift[1]) / study.zoom
    cos, sin = math.cos(study.rotation), math.sin(study.rotation)
    return cos * u + sin * v, cos * v - sin * u + 0.5


def _edge(distance: Field, softness: float) -> Field:
    """A soft step: 0 far outside (distance < 0), 1 far inside."""
    step: Field = 1 / (1 + np.exp(np.clip(distance / -softness, -30, 30)))
    return step


def _ellipsoid(x: Field, y: Field, cx: float, cy: float, rx: float, ry: float, tilt: float = 0) -> Field:
    """Path length through an ellipsoid, 0 to 1: its edge is crisp and its middle flat, as an organ's is."""
    return _path(_inside(x, y, cx, cy, rx, ry, tilt))


def _path(inside: Field) -> Field:
    """Path length, 0 to 1, through a rounded body whose outline is where `inside` is 0."""
    length: Field = np.sqrt(np.maximum(inside, 0))
    return length


def _inside(x: Field, y: Field, cx: float, cy: float, rx: float, ry: float, tilt: float = 0) -> Field:
    """How far inside an ellipse: 1 at its centre, 0 on its border, negative beyond."""
    u = ((x - cx) * math.cos(tilt) + (y - cy) * math.sin(tilt)) / rx
    v = ((y - cy) * math.cos(tilt) - (x - cx) * math.sin(tilt)) / ry
    return 1 - u * u - v * v


def _merge(*insides: Field) -> Field:
    """The union of shapes given as `_inside`, with the notches between them filled smoothly."""
    union: Field = np.log(sum(np.exp(5 * np.clip(inside, -4, 1)) for inside in insides)) / 5
    return union


def _rounded(distance: Field, radius: float) -> Field:
    """Path length behind a rounded border: 0 at the border, 1 from `radius` inwards (a quarter circle)."""
    rest = 1 - np.clip(distance / radius, 0, 1)
    return _path(1 - rest * rest)


def _chest_wall(y: Field, anatomy: Anatomy) -> Field:
    """Half-width of the rib cage at y: a dome from the apices down to the widest level."""
    level = np.clip((0.8 - y) / (0.8 - anatomy.apex), 0, 1)
    return anatomy.chest * _path(1 - level**3.8)


def _diaphragm(side: Field, peak: float, anatomy: Anatomy) -> Field:
    """y of a dome at a distance `side` from the midline: flat medially, falling to the costophrenic angle."""
    across = (side - 0.17) / (anatomy.chest - 0.17)
    return peak + anatomy.sulcus * across * np.where(across > 0, across, 0.12 * across)


def _lungs_and_heart(x: Field, y: Field, anatomy: Anatomy, study: Study) -> tuple[Field, Field, Field]:
    """Path lengths, 0 to 1: air in the right lung and in the left one (heart not yet in the way), and the heart."""
    side = np.abs(x)
    medial = 0.045 + 0.075 * np.exp((anatomy.apex - y) / 0.03)
    row = _rounded(_chest_wall(y, anatomy) - side, 0.11) * _rounded(side - medial, 0.05)
    right_peak = anatomy.dome + study.breath
    left_peak = right_peak + anatomy.dome_step
    right = np.where(x < 0, row * _rounded(_diaphragm(side, right_peak, anatomy) - y, 0.03), 0)
    left = np.where(x > 0, row * _rounded(_diaphragm(side, left_peak, anatomy) - y, 0.03), 0)

    front, r = x - study.turn, anatomy.heart
    level = left_peak - 0.75 * r
    ventricle = _inside(front, y, 0.5 * r, level, 1.3 * r, 0.9 * r, anatomy.heart_tilt)
    atrium = _inside(front, y, -0.15 * r, level - 0.1 * r, 0.72 * r, 0.95 * r)
    base = _inside(front, y, 0.22 * r, level - 0.6 * r, 0.68 * r, 0.7 * r, -0.25)
    return right, left, _merge(ventricle, atrium, base)


def _mediastinum(x: Field, y: Field, heart: Field, anatomy: Anatomy, study: Study) -> Field:
    """Share of the air hidden, 0 to 1, by heart, great veins, aortic arch, pulmonary trunk and hila."""
    front, hilum = x - study.turn, anatomy.apex + 0.3
    veins = 1 - np.square((front + 0.008) / (0.05 + 0.022 * np.exp(-np.square((y - hilum) / 0.12))))
    arch = _inside(front, y, 0.042, hilum - 0.1, anatomy.knob + 0.008, anatomy.knob + 0.012)
    trunk = _inside(front, y, 0.038, hilum + 0.015, 0.045, 0.075)
    hila = 0.2 * np.exp(-np.square((np.abs(x) - 0.08) / 0.04) - np.square((y - hilum) / 0.07))
    solid: Field = np.maximum(hila, 0.96 * np.clip(_merge(heart, veins, arch, trunk), 0, 1) ** 0.35)
    return solid


def _body(x: Field, y: Field, anatomy: Anatomy, study: Study) -> Field:
    """Path length through soft tissue, about 0 to 1.2: torso, neck, shoulders and arms, breasts."""
    side = np.abs(x)
    top = anatomy.shoulder
    flank = anatomy.chest + anatomy.fat + 0.03 * (y - 0.6) + 0.1 * np.exp((top + 0.1 - y) / 0.09)  # armpit folds
    slope = top + 0.09 - 0.24 * np.exp(-np.square(side / 0.17))  # of the neck's muscles
    torso = _rounded(flank - side, 0.28) * _rounded(y - slope, 0.4)
    neck = 0.7 * _rounded(0.1 + 0.04 * y - side, 0.08) * _edge(top + 0.2 - y, 0.05)
    girdle = 0.75 * _capsule(side, y, (0.1, top + 0.1), (0.43, top + 0.17), 0.12)
    arm = 0.7 * _capsule(side, y, (0.43, top + 0.16), (0.43 + study.arms, top + 0.62), 0.095)
    breast = _ellipsoid(side, y, 0.55 * anatomy.chest, 0.66, 0.16, 0.14)
    merged = _path(_path(torso**4 + neck**4 + girdle**4 + arm**4))  # a maximum without creases
    return merged + 0.16 * anatomy.breast * breast


def _capsule(x: Field, y: Field, a: tuple[float, float], b: tuple[float, float], radius: float) -> Field:
    """Path length, 0 to 1, through a rod from a to b with round ends."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    apart: Field = np.square(x - a[0] - along * dx) + np.square(y - a[1] - along * dy)
    return _path(1 - apart / radius**2)


def _bone(distance: Field, half_width: float) -> Field:
    """A bone seen from the side, `distance` from its axis: brighter towards its edges, where the cortex is."""
    relative: Field = np.minimum(distance / half_width, 2)
    return _edge(1 - relative, 0.12) * (0.6 + 0.5 * relative * relative)


def _ribs(x: Field, y: Field, anatomy: Anatomy) -> Field:
    """Ribs as tilted hoops: the posterior halves fall from the spine, the anterior ones on from the flank."""
    across = np.abs(x) / (_chest_wall(y, anatomy) + 0.012)
    inside = np.minimum(across, 0.985)
    arch = np.sqrt(1 - inside * inside)
    fall = anatomy.rib_tilt * (0.05 + 0.05 * y)
    below = y - anatomy.apex - anatomy.rib_phase * anatomy.rib_gap
    total = np.zeros_like(x)
    for front, depth in ((False, -fall), (True, 1.8 * fall)):
        level = (below - depth * arch) / anatomy.rib_gap
        slope = depth * inside / (arch * anatomy.chest)
        distance = np.abs(level - np.round(level)) * anatomy.rib_gap / np.sqrt(1 + slope * slope)
        rib = _bone(distance, 0.0125) / np.maximum(arch, 0.45)
        if front:  # fainter, and their ends are cartilage, which does not show
            rib = 0.75 * rib * _edge(np.abs(x) - 0.16 - 0.1 * y, 0.02)
        total += rib
    return total * _edge(1 - across, 0.006) * _edge(np.abs(x) - 0.025, 0.004) * _edge(0.86 - y, 0.04)


def _skeleton(x: Field, y: Field, anatomy: Anatomy, study: Study) -> Field:
    """Path length through bone: ribs, spine, clavicles, shoulder blades and upper arms."""
    side = np.abs(x)
    spine = np.abs(x + study.turn - anatomy.scoliosis * np.sin(6 * y))
    level = (y / (0.85 * anatomy.rib_gap)) % 1  # 0 at a disc
    body = 0.75 + 0.25 * _edge(0.36 - np.abs(level - 0.5), 0.05)
    column = _edge(0.034 - spine, 0.004) * body * (0.6 + 0.5 * y)

    front = np.abs(x - study.turn)
    reach = (front - 0.03) / (anatomy.chest - 0.06)
    rise = anatomy.apex + 0.115 - 0.1 * reach - 0.014 * np.sin(6 * reach)
    clavicle = _bone(np.abs(y - rise), 0.015) * _edge(reach, 0.03) * _edge(1 - reach, 0.05)

    joint = (max(anatomy.chest + 0.055, 0.42), anatomy.shoulder + 0.15)
    humerus: Field = np.maximum(
        _ellipsoid(side, y, *joint, 0.05, 0.055),
        _capsule(side, y, joint, (joint[0] + study.arms, joint[1] + 0.46), 0.033),
    )
    blade_edge = _capsule(side, y, (joint[0] - 0.05, joint[1] + 0.03), (anatomy.chest - 0.03, 0.46), 0.008)
    blade = _ellipsoid(side, y, anatomy.chest - 0.05, anatomy.shoulder + 0.2, 0.09, 0.16, -0.25)
    scapula = 0.5 * blade_edge + 0.3 * blade
    bones: Field = _ribs(x, y, anatomy) + 0.9 * column + 2 * clavicle + 1.2 * humerus + scapula
    return bones


def _vessels(size: int, anatomy: Anatomy, study: Study, rng: np.random.Generator) -> Field:
    """Thickness of the lung vessels: trees that fork outwards from both hila, each branch finer than its parent."""
    stems = 7
    sides = np.repeat([-1.0, 1.0], stems)
    heading = np.tile(np.linspace(-1.2, 1.6, stems), 2) + rng.normal(0, 0.15, 2 * stems)  # 0 is outwards
    x = 0.075 * sides
    y = anatomy.apex + 0.3 + 0.03 * np.sin(heading) - 0.015 * (sides > 0)
    length, width = rng.uniform(0.08, 0.15, 2 * stems), 0.011
    points = []
    for steps, strands in ((48, 4), (40, 3), (32, 2), (24, 2), (20, 1)):
        bend = heading + rng.normal(0, 0.45, len(x)) * np.linspace(0, 1, steps)[:, None]  # (steps, branches)
        px = x + np.cumsum(sides * length * np.cos(bend), axis=0) / steps
        py = y + np.cumsum(length * np.sin(bend), axis=0) / steps
        weight = np.broadcast_to(anatomy.markings * length * width**2 / (steps * strands), px.shape)
        for strand in width * ((np.arange(strands) + 0.5) / strands - 0.5):
            points.append((px - strand * sides * np.sin(bend), py + strand * np.cos(bend), weight))
        x, y, sides = np.tile(px[-1], 2), np.tile(py[-1], 2), np.tile(sides, 2)
        fork = rng.uniform(0.15, 0.5, (2, len(heading))) * [[-1], [1]]
        heading = (bend[-1] + fork).ravel()
        length, width = np.tile(length, 2) * rng.uniform(0.5, 0.85, len(x)), 0.66 * width
    px, py, weight = (np.concatenate([part.ravel() for part in parts]) for parts in zip(*points, strict=True))
    return _splat(px, py, weight, size, study)


def _splat(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64], size: int, study: Study
) -> Field:
    """Gather weighted points (n,) of the patient's frame into pixels; a sum of weights becomes a thickness."""
    cos, sin = math.cos(study.rotation), math.sin(study.rotation)
    u = size * (study.zoom * (cos * x - sin * (y - 0.5)) + study.shift[0] + 0.5) - 0.5
    v = size * (study.zoom * (cos * (y - 0.5) + sin * x) + study.shift[1] + 0.5) - 0.5
    seen = (u >= 0) & (u < size - 1) & (v >= 0) & (v < size - 1)
    u, v, weight = u[seen], v[seen], weight[seen] * (size * size)
    corner = v.astype(np.int64) * size + u.astype(np.int64)
    right, down = u - np.floor(u), v - np.floor(v)  # shared out among the four nearest pixels, or a moiré shows
    shares = [(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down]
    where = np.concatenate([corner, corner + 1, corner + size, corner + size + 1])
    cells = np.bincount(where, np.concatenate([weight * share for share in shares]), size * size)
    picture = cells.reshape(size, size).astype(np.float32)
    thickness: Field = ndimage.gaussian_filter(picture, 0.0025 * size, truncate=3)
    return thickness


def _clouds(x: Field, y: Field, cells: int, rng: np.random.Generator) -> Field:
    """Smooth noise of about unit variance, `cells` across the image, fixed to the patient."""
    grid = rng.standard_normal((2 * cells, 2 * cells)).astype(np.float32)
    where = [np.clip(t, -0.5, 1.5) * cells for t in (y + 0.5, x + 1.0)]
    clouds: Field = ndimage.map_coordinates(grid, where, order=3, mode="reflect")
    return clouds


def _opacity(x: Field, y: Field, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Share of the air, 0 to 1, that pneumonia has filled: a large lobar part, a few patches, or both lungs."""
    pattern = rng.choice(["lobar", "patchy", "bilateral"], p=[0.4, 0.4, 0.2])
    count = {"lobar": 1, "patchy": int(rng.integers(2, 5)), "bilateral": 4}[pattern]
    side, density = rng.choice([-1, 1]), rng.uniform(0.35, 0.85)
    ragged = 0.25 * _clouds(x, y, 7, rng) + 0.2 * _clouds(x, y, 18, rng)
    clear = np.ones_like(x)
    for _ in range(count):
        radius = rng.uniform(0.1, 0.17) if pattern == "lobar" else rng.uniform(0.05, 0.1)
        cy = rng.uniform(anatomy.apex + 0.12, anatomy.dome - 0.02)
        # Beside the heart, not behind it, or some would be pneumonia in name only.
        cx = float(side) * rng.uniform(0.15, float(_chest_wall(np.asarray(cy), anatomy)) - 0.03)
        reach = np.hypot((x - cx) / radius, (y - cy) / (radius * rng.uniform(0.8, 1.3)))
        clear *= 1 - density * rng.uniform(0.8, 1.1) * _edge(1 - reach + ragged, 0.22)
        side = -side if pattern == "bilateral" or rng.random() < 0.25 else side
    filled: Field = 1 - np.maximum(clear, 0.05)
    return filled


def _attenuation(x: Field, y: Field, air: Field, vessels: Field, anatomy: Anatomy, study: Study) -> Field:
    """Attenuation along each ray: 0 beside the patient, about 1 in the lungs, 3 to 4 behind heart and liver."""
    carina = anatomy.apex + 0.22
    trachea = _edge(0.017 - np.abs(x + 0.004), 0.004) * _edge(carina - y, 0.015)
    bronchi = 0.5 * _capsule(np.abs(x), y, (0.0, carina), (0.06, carina + 0.085), 0.012)
    windpipe: Field = np.maximum(trachea, bronchi)
    below = y - anatomy.dome - study.breath
    liver = _edge(below - 0.03, 0.03)
    gas = anatomy.stomach
    bubble = _ellipsoid(x, below, 0.16, 0.085, 1.4 * gas + 0.01, gas + 0.01) * float(gas > 0)
    total: Field = (
        3.1 * _body(x, y, anatomy, study) * (1 + 0.25 * liver)
        + 0.3 * study.bone * _skeleton(x, y, anatomy, study)
        + 40 * vessels
        - 2.0 * air
        - 0.9 * bubble
        - 0.45 * windpipe
    )
    return total


def _film(attenuation: Field, factor: int, study: Study, rng: np.random.Generator) -> NDArray[np.uint8]:
    """From attenuation at the working size to grey at the final one: blur, scatter, noise and the film's curve."""
    working = attenuation.shape[0]
    light = ndimage.gaussian_filter(np.exp(-np.maximum(attenuation, 0)), 0.002 * working, truncate=3)
    size = working // factor
    light = light.reshape(size, factor, size, factor).mean(axis=(1, 3))
    light += study.scatter * ndimage.gaussian_filter(light, 0.05 * size, truncate=2)
    grain = rng.standard_normal((size, size), dtype=np.float32)
    light += study.quantum * np.sqrt(light) * grain
    grey = _edge(-np.log(np.maximum(light, 1e-4)) - study.speed, study.latitude)  # Hurter and Driffield's curve
    return np.round(255 * grey).astype(np.uint8)


def _mask(right: Field, left: Field, heart: Field, mediastinum: Field) -> NDArray[np.uint8]:
    """Organs as one would outline them on the film: a lung ends where the mediastinum covers it."""
    mask = np.full(right.shape, MASK_VALUES["background"], np.uint8)
    mask[(right > 0.3) & (mediastinum < 0.4)] = MASK_VALUES["right lung"]
    mask[(left > 0.3) & (mediastinum < 0.4)] = MASK_VALUES["left lung"]
    mask[heart > 0] = MASK_VALUES["heart"]
    return mask
