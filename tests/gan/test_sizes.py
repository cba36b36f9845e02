import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.gan.sizes import nearest_sizes, stages_of


@pytest.mark.parametrize(
    ("size", "stages"), [(8, (4, 1)), (14, (7, 1)), (64, (4, 4)), (80, (5, 4)), (96, (6, 4)), (224, (7, 5))]
)
def test_a_size_is_a_first_map_that_doubles(size: int, stages: tuple[int, int]) -> None:
    assert stages_of(size, "eigen") == stages


@pytest.mark.parametrize("size", [1, 4, 7, 9, 37, 100, 300])
def test_no_other_size_is_drawn(size: int) -> None:
    with pytest.raises(ValueError, match=f"eigen draws .* not {size} pixels"):
        stages_of(size, "eigen")


@pytest.mark.parametrize(
    ("size", "nearest"), [(1, [8]), (7, [8]), (8, [8]), (9, [8, 10]), (37, [32, 40]), (300, [256, 320]), (512, [512])]
)
def test_the_nearest_sizes_are_named(size: int, nearest: list[int]) -> None:
    assert nearest_sizes(size) == nearest


@given(st.integers(1, 4096))
def test_what_is_named_is_drawn_and_nothing_lies_between(size: int) -> None:
    nearest = nearest_sizes(size)
    for one in nearest:
        first, stages = stages_of(one, "eigen")
        assert first * 2**stages == one
    for between in range(nearest[0] + 1, nearest[-1]):
        with pytest.raises(ValueError, match="draws"):
            stages_of(between, "eigen")
