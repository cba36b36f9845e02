"""Which dataset and which run a command means."""

import pytest

from tests.terminal import TINY, Terminal

pytestmark = pytest.mark.slow


def test_a_real_choice_is_asked_for_with_what_is_there(type_: Terminal) -> None:
    type_("fetch phantom --n 30 --size 16")
    type_("prepare --size 16")
    type_("fetch mine --folder data/raw/phantom/images")
    refused = type_("train --epochs 1", code=2)
    assert "phantom_16" in refused.err and "mine" in refused.err and "--data" in refused.err
    assert "mine_16" in type_("train --data mine --epochs 1 --set prepare.size=16", *TINY).err
