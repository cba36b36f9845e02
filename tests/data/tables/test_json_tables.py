"""JSON in the shapes in which people keep labels."""

import json
from pathlib import Path
from typing import Any

import pytest

from xrgan.data.tables.json_tables import read_json
from xrgan.errors import XrganError

FILE = Path("labels.json")


@pytest.mark.parametrize(
    "content",
    [
        [{"file": "a.png", "label": "x"}, {"file": "b.png", "label": "y"}],
        {"images": [{"file": "a.png", "label": "x"}, {"file": "b.png", "label": "y"}]},
        {"a.png": "x", "b.png": "y"},
        {"a.png": {"label": "x"}, "b.png": {"label": "y"}},
        {"labels": [["a.png", "x"], ["b.png", "y"]]},
        [["a.png", "x"], ["b.png", "y"]],
    ],
)
def test_shapes(content: Any) -> None:
    assert read_json(FILE, json.dumps(content)).to_numpy().tolist() == [["a.png", "x"], ["b.png", "y"]]


def test_stylegans_labels_are_numbers_or_vectors_with_one_1() -> None:
    numbers = {"labels": [["00000/img00000000.png", 1], ["00000/img00000001.png", 0]]}
    vectors = {"labels": [["00000/img00000000.png", [0.0, 1.0]], ["00000/img00000001.png", [1.0, 0.0]]]}
    for content in (numbers, vectors):
        assert read_json(FILE, json.dumps(content))["label"].tolist() == ["1", "0"]


def test_json_lines() -> None:
    text = '{"file": "a.png", "label": "x"}\n{"file": "b.png"}\n'
    assert read_json(FILE, text).to_numpy().tolist() == [["a.png", "x"], ["b.png", ""]]


def test_lists_stay_lists_and_nothing_stays_nothing() -> None:
    text = '[{"file": "a.png", "label": ["x", "y"], "age": null, "n": NaN, "sure": true}]'
    assert read_json(FILE, text).to_dict("records") == [
        {"file": "a.png", "label": '["x", "y"]', "age": "", "n": "", "sure": "True"}
    ]


@pytest.mark.parametrize("text", ["{}", "[]", "[1, 2]", '{"labels": null}', '{"a": [{"b": 1}], "c": [{"d": 1}]}'])
def test_json_that_is_no_table_is_told(text: str) -> None:
    with pytest.raises(XrganError, match="holds no table.*StyleGAN"):
        read_json(FILE, text)


def test_torn_json_is_told() -> None:
    with pytest.raises(XrganError, match="can't be read as JSON"):
        read_json(FILE, '[{"file": ')
