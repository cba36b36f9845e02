"""What overrides what, what is refused, and that a written configuration is read back."""

import tempfile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from xrgan import config as options
from xrgan.config import Arm, Config, Section
from xrgan.config_resolve import read_config, resolve, to_yaml, write_config
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow

SECTIONS = {name: type(value) for name, value in Config() if isinstance(value, Section)}
KEYS = sorted(
    [name for name in Config.model_fields if name not in SECTIONS]
    + [f"{section}.{name}" for section, model in SECTIONS.items() for name in model.model_fields]
)
PATTERNS = ["", r"(\d+)", r"^([a-z]+)_", "(?P<patient>p#1: ü)", 'a"(b)\\t', "(a\nb)"]
SAMPLES = {
    "patient_pattern": PATTERNS,
    "label_pattern": PATTERNS,
    "mask_pattern": PATTERNS,
    "mask_values": ["", "255=heart", "1=right lung,2=left lung,3=heart"],
    "window": ["dicom", "minmax", "p1-p99", "p0.5-p100"],
    "extractor": ["inception", "classifier:runs/a", "classifier: ü:b", "~/weights/ü b.safetensors"],
    "map": ["auto", "none", "Lung Opacity=1,*=0", "ä # b=c", "a:=-"],
}


def values(name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    """Every value that a field allows, as far as its type and bounds tell."""
    if field.annotation == tuple[float, float, float]:
        return st.sampled_from([(1, 0, 0), (0.8, 0.1, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.7, 0.3, 0.0)])
    if name in SAMPLES:
        return st.sampled_from(SAMPLES[name])
    if name == "progressive":
        return st.sampled_from([(), (64,), (16, 32, 64)])
    if name in {"labels", "view"}:
        return st.lists(st.text(min_size=1)).map(tuple)
    if name == "arms":
        return st.lists(st.sampled_from(get_args(Arm)), min_size=1).map(tuple)
    if name == "fractions":
        return st.lists(st.floats(0, 1, exclude_min=True), min_size=1).map(tuple)
    if name == "k_folds":
        return st.just("auto") | st.integers(0, 20).filter(lambda k: k != 1)
    bounds = {type(bound): bound_of(bound) for bound in field.metadata}
    low = bounds.get(annotated_types.Ge, bounds.get(annotated_types.Gt))
    high = bounds.get(annotated_types.Le, bounds.get(annotated_types.Lt))
    kinds = [kind for kind in get_args(field.annotation) if isinstance(kind, type)] or [field.annotation]
    texts = [value for part in (field.annotation, *get_args(field.annotation)) for value in literals(part)]
    if texts:
        return st.sampled_from(texts) | st.booleans() if bool in kinds else st.sampled_from(texts)
    if kinds == [bool]:
        return st.booleans()
    if kinds == [int]:
        return st.integers(low, 2**63 - 1 if high is None else high)
    if kinds == [float]:
        exclude = {"exclude_min": annotated_types.Gt in bounds, "exclude_max": annotated_types.Lt in bounds}
        return st.floats(low, high, allow_nan=False, allow_infinity=False, **exclude)
    assert kinds == [str], f"{name}: teach this test about {field.annotation}"
    return st.text()


def bound_of(bound: Any) -> Any:
    return next((getattr(bound, name) for name in ("ge", "gt", "le", "lt") if hasattr(bound, name)), None)


def literals(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def section_values(model: type[Section]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values(name, field) for name, field in model.model_fields.items()})


configs = st.fixed_dictionaries(
    {
        name: section_values(SECTIONS[name]) if name in SECTIONS else values(name, field)
        for name, field in Config.model_fields.items()
    }
).map(Config.model_validate)


def written(folder: Path, text: str) -> Path:
    file = folder / "options.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(setting: str) -> XrganError:
    with pytest.raises(XrganError) as error:
        resolve(settings=[setting])
    return error.value


# --- what overrides what


def test_without_anything_it_is_the_defaults() -> None:
    assert resolve() == Config()


def test_flags_override_settings_override_the_file_override_the_base(tmp_path: Path) -> None:
    base = Config.model_validate({"train": {"epochs": 1, "batch_size": 101, "seed": 11, "lr": 0.1}})
    file = written(tmp_path, "train:\n  epochs: 2\n  batch_size: 102\n  seed: 12\n")
    resolved = resolve(base, file, ["train.epochs=3", "train.batch_size=103"], {"train.epochs": 4})
    assert resolved.train.epochs == 4
    assert resolved.train.batch_size == 103
    assert resolved.train.seed == 12
    assert resolved.train.lr == 0.1
    assert resolved.train.beta1 == Config().train.beta1
    assert base.train.epochs == 1


def test_the_later_setting_wins() -> None:
    assert resolve(settings=["train.epochs=3", "train.epochs=4"]).train.epochs == 4


def test_a_flag_that_was_not_given_overrides_nothing() -> None:
    resolved = resolve(settings=["train.epochs=3"], flags={"train.epochs": None, "device": "cpu"})
    assert (resolved.train.epochs, resolved.device) == (3, "cpu")


def test_a_falsy_flag_overrides_all_the_same() -> None:
    assert resolve(settings=["sample.ema=true"], flags={"sample.ema": False}).sample.ema is False
    assert resolve(settings=["train.seed=5"], flags={"train.seed": 0}).train.seed == 0


@pytest.mark.parametrize(
    "text",
    ["train:\n  epochs: 7\n", "train.epochs: 7\n", "train: {epochs: 7}\nmodel:\n", "# prose\ntrain: {epochs: '7'}\n"],
)
def test_a_file_names_the_keys_that_it_likes(tmp_path: Path, text: str) -> None:
    assert resolve(file=written(tmp_path, text)) == resolve(settings=["train.epochs=7"])


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("train.lr=1e-4", "train.lr", 1e-4),  # for YAML 1.1 that is a text
        ("train.lr = 0.5", "train.lr", 0.5),
        ("train.tensorboard=off", "train.tensorboard", False),
        ("model.conditional=auto", "model.conditional", "auto"),
        ("model.conditional=no", "model.conditional", False),
        ("prepare.split=[0.5, 0.25, 0.25]", "prepare.split", (0.5, 0.25, 0.25)),
        ("prepare.patient_pattern=^(a=b)", "prepare.patient_pattern", "^(a=b)"),
        ("classify.weights=none", "classify.weights", "none"),
        ("classify.k_folds=auto", "classify.k_folds", "auto"),
        ("classify.k_folds=0", "classify.k_folds", 0),
        ("classify.arms=real", "classify.arms", ("real",)),
        ("classify.arms=[synthetic, real]", "classify.arms", ("real", "synthetic")),
        ("classify.fractions=1", "classify.fractions", (1.0,)),
        ("classify.fractions=[1, 0.05]", "classify.fractions", (0.05, 1.0)),
        ("evaluate.fid_layer=64", "evaluate.fid_layer", 64),
    ],
)
def test_a_setting_is_read_as_yaml(setting: str, key: str, value: Any) -> None:
    resolved: Any = resolve(settings=[setting])
    for name in key.split("."):
        resolved = getattr(resolved, name)
    assert resolved == value
    assert type(resolved) is type(value)


# --- what is refused


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("train.epocs", "train.epochs"),
        ("trian.epochs", "train.epochs"),
        ("batch_size", "train.batch_size"),
        ("prepare.Size", "prepare.size"),
        ("devise", "device"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path, key: str, nearest: str) -> None:
    file = written(tmp_path, f"{key}: 1\n")
    for arguments in ({"settings": [f"{key}=1"]}, {"file": file}, {"flags": {key: 1}}):
        with pytest.raises(XrganError) as error:
            resolve(**arguments)
        assert repr(key) in error.value.message
        assert nearest in error.value.hint
    with pytest.raises(XrganError, match="options.yaml"):
        resolve(file=file)


def test_a_key_like_no_other_is_pointed_to_the_list() -> None:
    assert "--dry-run" in refusal("zzzzzzzz=1").hint


def test_a_section_in_place_of_a_key_is_told_its_keys() -> None:
    assert "model.name" in refusal("model=dcgan").hint


@pytest.mark.parametrize("setting", ["train.epochs", "epochs 3", ""])
def test_a_setting_without_a_value_is_a_matter_of_usage(setting: str) -> None:
    error = refusal(setting)
    assert error.exit_code == 2
    assert "section.key=value" in error.hint


def test_a_setting_that_is_no_yaml_is_a_matter_of_usage() -> None:
    error = refusal("train.epochs=[1, 2")
    assert error.exit_code == 2
    assert "train.epochs=[1, 2" in error.message


def test_a_long_value_is_shortened() -> None:
    assert len(refusal(f"train.epochs={'x' * 9000}").message) < 300


# --- what is written


@given(configs)
@settings(max_examples=50)
def test_every_line_is_a_key_with_its_value_and_its_meaning(config: Config) -> None:
    section, seen = "", []
    for line in to_yaml(config).splitlines():
        if line and not line.startswith(" ") and line.endswith(":"):
            section = line
        elif line:
            (name, _), *more = yaml.safe_load(line).items()
            key = f"{section.removesuffix(':')}.{name}" if line.startswith(" ") else name
            assert not more
            assert line.endswith(f"  # {options.meaning(key)}")
            seen.append(key)
    assert sorted(seen) == KEYS


@given(configs)
@settings(max_examples=50)
def test_what_was_written_is_read_back(config: Config) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        write_config(file, config)
        assert read_config(file) == config
        assert resolve(base=config) == config


def test_a_section_can_be_left_out(tmp_path: Path) -> None:
    write_config(tmp_path / "config.yaml", resolve(settings=["train.epochs=3"]), leave_out=["prepare"])
    assert "prepare:" not in (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert read_config(tmp_path / "config.yaml").train.epochs == 3


# --- whatever the user writes, a sentence comes back

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
names = st.sampled_from([*KEYS, *SECTIONS, *(key.rpartition(".")[2] for key in KEYS)]) | st.text(max_size=8)
trees = st.recursive(
    scalars, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(names | scalars, deeper, max_size=3)
)


def answer(**arguments: Any) -> Config | XrganError:
    """Anything but a Config or an XrganError fails the test by coming through."""
    try:
        return resolve(**arguments)
    except XrganError as error:
        assert error.message
        return error


@given(st.text() | st.binary() | trees.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True)))
@settings(max_examples=150)
def test_any_file_gives_a_configuration_or_a_sentence(content: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "options.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        answer(file=file)


@given(st.text() | st.builds("{}={}".format, names, st.text() | trees.map(repr)))
@settings(max_examples=150)
def test_any_setting_gives_a_configuration_or_a_sentence(setting: str) -> None:
    answer(settings=[setting])


@given(names, trees)
def test_any_flag_gives_a_configuration_or_a_sentence(name: str, value: Any) -> None:
    answer(flags={name: value})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="no file .*absent.yaml"):
        resolve(file=tmp_path / "absent.yaml")


def test_a_configuration_that_was_cut_anywhere_is_never_another_one(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    config = resolve(settings=["train.epochs=3", "dataset=chests", "segment.seed=4"])
    write_config(file, config)
    assert read_config(file) == config
    whole = file.read_bytes()
    for length in [*range(0, len(whole) - 1, 97), *range(len(whole) - 40, len(whole) - 1)]:
        file.write_bytes(whole[:length])
        with pytest.raises(XrganError, match=r"config\.yaml was cut short"):
            read_config(file)


def test_a_configuration_without_the_mark_of_its_end_is_an_old_one(tmp_path: Path) -> None:
    config = resolve(settings=["train.epochs=3"])
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert read_config(tmp_path / "config.yaml") == config


def test_files_in_the_home_folder_are_named_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may be mailed, and the home folder may have the user's name."""
    monkeypatch.setenv("HOME", str(tmp_path / "anna"))
    weights = tmp_path / "anna" / "weights" / "vgg16.pth"
    given = resolve(
        settings=[
            f"train.perceptual_weights={weights}",
            f"evaluate.extractor={weights}",
            "evaluate.weights=/opt/inception.pth",
            "classify.weights=none",
        ]
    )
    write_config(tmp_path / "config.yaml", given)
    kept = read_config(tmp_path / "config.yaml")
    assert "anna" not in (tmp_path / "config.yaml").read_text()
    assert Path(kept.train.perceptual_weights).expanduser() == weights
    assert Path(kept.evaluate.extractor).expanduser() == weights
    assert (kept.evaluate.weights, kept.classify.weights) == ("/opt/inception.pth", "none")
