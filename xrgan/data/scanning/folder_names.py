"""What the name of a folder can mean: a split, a view, a number of something, a finding, or what its files are."""

import re

from xrgan.data.filenames import words

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "tune", "eval", "evaluation"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "ts", "holdout", "heldout"), "test"),
}
NNUNET = {"imagestr": "train", "labelstr": "train", "imagests": "test", "labelsts": "test"}
# Beside a split's word, these don't change what it says: `test_images`, `stage_2_train_images`, `TrainingSet`.
BESIDE_A_SPLIT = {
    *("set", "sets", "split", "data", "dataset", "images", "image", "imgs", "img", "x", "ray", "xray", "xrays", "rays"),
    *("cxr", "chest", "stage", "png", "jpg", "jpeg", "dicom", "dicoms", "dcm", "samples", "files", "folder", "dir"),
    *("a", "b", "public", "private", "final", "small", "full", "new", "hold", "out", "held", "mask", "masks"),
}
# Folder names that say what a file is, not what it shows.
NO_CLASS = {
    *("images", "image", "imgs", "img", "png", "pngs", "jpg", "jpgs", "jpeg", "cxr_png", "data", "files", "file"),
    *("dicom", "dicoms", "dcm", "x-ray", "x-rays", "xray", "xrays", "cxr", "cxrs", "raw", "scans", "input", "inputs"),
    *("anat", "dx", "cr", "dr", "rx", "radiograph", "radiographs", "chest", "thorax", "film", "films"),
}
VIEWS = {
    **dict.fromkeys(("pa", "ap", "ll", "rl"), ""),  # as they are, in capitals
    **dict.fromkeys(("frontal", "front"), "FRONTAL"),
    **dict.fromkeys(("lateral", "lat", "side"), "LATERAL"),
}
BESIDE_A_VIEW = {"view", "views", "images", "image"}
PATIENTS = {"patient", "patients", "pat", "pt", "pid", "subject", "subj", "sub", "person", "participant", "case", "p"}
PATIENTS |= {"pa", "mrn", "id"}  # pa: of DICOM media, PA000001
STUDIES = {
    *("study", "series", "se", "st", "s", "exam", "examination", "visit", "session", "ses", "acc", "accession"),
    *("timepoint", "acquisition", "date", "day", "scan", "followup"),
}
SHARDS = {"images", "image", "img", "imgs", "part", "shard", "batch", "chunk", "fold", "disk", "disc", "cd", "archive"}
SHARDS |= {"folder", "dir", "set", "split", "subset", "volume", "vol", "block", "group"}
SITES = {
    "site",
    "hospital",
    "clinic",
    "center",
    "centre",
    "institution",
    "ward",
    "room",
    "scanner",
    "machine",
    "vendor",
}
GRADES = {"grade", "class", "cls", "stage", "category", "cat", "score", "type", "label", "birads", "kl", "ilo", "level"}
OF_FILES = (
    BESIDE_A_SPLIT | NO_CLASS | SHARDS | SITES | GRADES | STUDIES | {"collection", "database", "archive", "group"}
)
FINDINGS = {
    *("normal", "abnormal", "healthy", "ill", "sick", "well", "control", "controls", "disease", "diseased", "infected"),
    *("positive", "negative", "pos", "neg", "covid", "covid19", "noncovid", "pneumonia", "viral", "bacterial", "virus"),
    *("bacteria", "tuberculosis", "tb", "effusion", "cardiomegaly", "edema", "oedema", "nodule", "nodules", "mass"),
    *("opacity", "infiltration", "infiltrate", "atelectasis", "consolidation", "emphysema", "fibrosis", "hernia"),
    *("pneumothorax", "pleural", "lesion", "fracture", "finding", "findings", "benign", "malignant", "cancer"),
    *("tumor", "tumour", "sars", "mers", "influenza", "lobar", "infection", "silicosis", "copd", "sarcoidosis"),
    *("enlargement", "thickening", "calcification", "granuloma", "cyst", "abscess", "scoliosis", "bronchitis"),
    *("bronchiectasis", "congestion", "embolism", "metastasis", "lymphoma", "cavity", "scarring", "asbestosis", "ards"),
    *("device", "devices", "hemothorax", "haemothorax", "pneumoconiosis", "interstitial", "miliary", "aspergillosis"),
}
DATE = re.compile(
    r"(19|20)\d\d[-_.]?(0[1-9]|1[0-2])[-_.]?([0-2]\d|3[01])(?!\d)|(0?[1-9]|[12]\d|3[01])[-_.]\d\d?[-_.](19|20)\d\d"
    r"|(19|20)\d\d[-_.](0?[1-9]|1[0-2])([-_.](0?[1-9]|[12]\d|3[01]))?(?!\d)"
)
MONTHS = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
YEAR = re.compile(r"(19[5-9]|20[0-4])\d")
PIXELS = re.compile(r"\d{2,5} ?(x|px|pixels?)( ?\d{2,5})?", re.IGNORECASE)
# What a split's word is run together with: `trainset`, `testdata`.
COMPOUND = re.compile(
    r"(train|training|val|valid|validation|test|testing)(sets?|data|split|images?|imgs?|dir|folder|x)"
)
UID = re.compile(r"\d+(\.\d+){3,}|[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def split_of(name: str) -> str:
    """The split that a folder's name means: train, val or test; "" = none."""
    whole = NNUNET.get(name.lower()) or SPLIT_WORDS.get(name.lower())
    if whole and len(name) > 2:
        return whole
    found, rest = _split_words(name)
    return found.pop() if len(found) == 1 and all(word in BESIDE_A_SPLIT or word.isdigit() for word in rest) else ""


def part_split(name: str) -> tuple[str, str]:
    """The split that a word of a name means ("" = none, or several), and the rest: `train_NORMAL` → train, NORMAL."""
    found, _ = _split_words(name)
    rest = [part for part in re.split(r"[\s_-]+", name) if part and not _split_words(part)[0]]
    return found.pop() if len(found) == 1 else "", "_".join(rest)


def _split_words(name: str) -> tuple[set[str], list[str]]:
    """The splits that words of a name mean, and its other words."""
    said = [COMPOUND.sub(r"\1", word) if COMPOUND.fullmatch(word) else word for word in words(name)]
    found = {SPLIT_WORDS[word] for word in said if word in SPLIT_WORDS and len(word) > 2}
    if {"hold", "out"} <= set(said) or {"held", "out"} <= set(said):
        found.add("test")
    return found, [word for word in said if word not in SPLIT_WORDS]


def view_of(name: str) -> str:
    """The projection that a folder's name means, such as PA or LATERAL; "" = none."""
    said = [word for word in words(name) if word not in BESIDE_A_VIEW and not (word.isdigit() and len(word) == 1)]
    if len(said) != 1 or said[0] not in VIEWS:
        return ""
    return VIEWS[said[0]] or said[0].upper()


def is_finding(name: str) -> bool:
    """Whether a name has a word in it that says what an X-ray shows."""
    return bool(FINDINGS & {*words(name), name.lower()})


def is_person(name: str) -> bool:
    """Whether a name is written as people's are: `Doe^Jane`, `Doe, Jane`, `Jane Doe`, `DOE JANE 19700101`."""
    if "^" in name:
        return True
    letters = [part for part in re.split(r"[\s_,.-]+", name) if part and not part.isdigit()]
    says_files = any(len(word) > 1 and word in OF_FILES for word in words(name))
    return 2 <= len(letters) <= 4 and not says_files and all(part.isalpha() and part[0].isupper() for part in letters)


def numbered_as(name: str) -> str:
    """What a numbered name counts: patient, study, date, shard, grade, site, or "thing"; "" = it counts nothing."""
    if UID.fullmatch(name):
        return "thing"
    if PIXELS.fullmatch(name):
        return "site"
    said = words(name)
    if DATE.match(name) or (MONTHS & {word[:3] for word in said} and any(map(YEAR.fullmatch, said))):
        return "date"
    # `Part A` counts as `part 1` does.
    if not any(word.isdigit() for word in said) and not (len(said) == 2 and len(said[1]) == 1):
        return ""
    letters = [word for word in said if not word.isdigit()]
    if not letters:
        return "shard" if len(name) > 1 and name.startswith("0") else "thing"
    for kind, known in (
        ("patient", PATIENTS),
        ("study", STUDIES),
        ("grade", GRADES),
        ("site", SITES),
        ("shard", SHARDS),
    ):
        if letters[0] in known or (letters[-1] in known and said[-1].isdigit()):
            return kind
    return "thing" if any(word.isdigit() for word in said) else ""
