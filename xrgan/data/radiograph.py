"""The physics and the anatomy of a frontal radiograph: fields of attenuation, drawn from formulas.

A radiograph is a sum of path lengths: tissue and bone add attenuation, air in the lungs takes it away; film then
turns the transmitted light back to grey. Everything is drawn in the patient's own coordinates (unit: the image's
side; x = 0 the midline, x > 0 the image's right, which is the patient's left; y = 0 the top, downwards), so that
every size shows the same picture.

Arrays named x, y or after an organ are (S, S) float32 fields, S being the working size; bright is dense.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.floating[Any]]


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


def patient_coordinates(size: int, study: Study) -> tuple[Field, Field]:
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


def lungs_and_heart(x: Field, y: Field, anatomy: Anatomy, study: Study) -> tuple[Field, Field, Field]:
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


def mediastinum(x: Field, y: Field, heart: Field, anatomy: Anatomy, study: Study) -> Field:
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


def vessels(size: int, anatomy: Anatomy, study: Study, rng: np.random.Generator) -> Field:
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


def clouds(x: Field, y: Field, cells: int, rng: np.random.Generator) -> Field:
    """Smooth noise of about unit variance, `cells` across the image, fixed to the patient."""
    grid = rng.standard_normal((2 * cells, 2 * cells)).astype(np.float32)
    where = [np.clip(t, -0.5, 1.5) * cells for t in (y + 0.5, x + 1.0)]
    clouds: Field = ndimage.map_coordinates(grid, where, order=3, mode="reflect")
    return clouds


def opacity(x: Field, y: Field, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Share of the air, 0 to 1, that pneumonia has filled: a large lobar part, a few patches, or both lungs."""
    pattern = rng.choice(["lobar", "patchy", "bilateral"], p=[0.4, 0.4, 0.2])
    count = {"lobar": 1, "patchy": int(rng.integers(2, 5)), "bilateral": 4}[pattern]
    side, density = rng.choice([-1, 1]), rng.uniform(0.35, 0.85)
    ragged = 0.25 * clouds(x, y, 7, rng) + 0.2 * clouds(x, y, 18, rng)
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


def attenuation(x: Field, y: Field, air: Field, vessels: Field, anatomy: Anatomy, study: Study) -> Field:
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


def film(attenuation: Field, factor: int, study: Study, rng: np.random.Generator) -> NDArray[np.uint8]:
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
