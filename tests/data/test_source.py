"""A record of a public dataset is complete."""

import pytest

from xrgan.data.reading.masks import STRUCTURES
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES
from xrgan.option_syntax import merged, parse_map


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_records_are_complete(source: Source) -> None:
    assert source.title and source.licence
    assert set(source.masks) <= set(STRUCTURES)
    assert len(source.classes) == len(set(source.classes)) > 1
    if source.origin == "kaggle":
        assert source.kind in {"dataset", "competition"} and source.slug and source.citation
        assert source.url == f"https://www.kaggle.com/{source.kind}s/{source.slug}"
    if source.origin != "phantom":
        assert source.images > 0 and source.url.startswith("https://") and source.citation
    if source.label_map:
        rules = parse_map(source.label_map)
        assert all(rule.label in (*source.classes, "*") for rule in rules)
        assert all(merged(label, rules) for label in source.classes)
        assert merged("", rules) == ""
