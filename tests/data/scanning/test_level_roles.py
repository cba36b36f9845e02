"""What one level of folders is, told from all its names."""

import pytest

from xrgan.data.scanning.level_roles import Level, Role, role_of

FINDINGS = Level(["NORMAL", "PNEUMONIA"] * 30, "class")
DATES = Level(["2020", "2021"] * 30, "date")


@pytest.mark.parametrize(
    ("name", "above", "role"),
    [
        ("{k % 2}", [], "class"),
        ("{k // 2 % 9}", [FINDINGS], "patient"),
        ("{k % 12 + 1}", [DATES], "date"),
        ("{2018 + k % 3}", [], "date"),
        ("{k // 8:05d}", [], "part"),
        ("{13 + k // 3:08d}", [], "patient"),
        ("grade {k % 5}", [], "class"),
        ("site {k % 3}", [], "part"),
        ("series{k // 2}", [], "study"),
        ("{'PA' if k % 2 else 'lateral'}", [FINDINGS], "view"),
        ("{'male' if k // 2 % 2 else 'female'}", [FINDINGS], "class"),
        ("{'abcd'[k % 4]}", [FINDINGS], "patient"),
    ],
)
def test_the_role_of_a_level(name: str, above: list[Level], role: Role) -> None:
    names: list[str | None] = [eval(f"f{name!r}", {"k": k}) for k in range(60)]
    assert role_of(names, [""] * 60, above, below_any=False) == role


def test_numbers_with_many_images_each_are_no_patients() -> None:
    names: list[str | None] = [str(k % 55) for k in range(55 * 60)]
    assert role_of(names, [""] * len(names), [], below_any=False) == "part"


def test_people_and_codes() -> None:
    assert Level(["Jane Doe", "Bob Roe"], "patient").names_people()
    assert Level(["Doe_Jane_03"], "patient").names_people()
    assert not Level(["P0001", "patient 2", "MRN33", "00000013"], "patient").names_people()
    assert not FINDINGS.names_people() and FINDINGS.tells_findings()
