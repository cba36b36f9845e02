"""Archives that can't be trusted: whatever they hold, nothing is written outside, and nothing half-made stays."""

import io
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xrgan.data import archives
from xrgan.errors import XrganError

CONTENT = bytes(range(256)) * 40


def make_zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename = name  # past the constructor, which would mend it
            info.compress_type = compression
            file.writestr(info, content)
    return path


def make_link(path: Path, name: str, target: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, target)
    return path


def make_tar(path: Path, *members: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        for info in members:
            info.size = len(CONTENT) if info.isreg() else 0
            file.addfile(info, io.BytesIO(CONTENT))
    return path


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_zip_is_unpacked_without_the_junk(tmp_path: Path) -> None:
    members = [
        "a.png",
        "deep/er/b.jpeg",
        "./c.png",
        "windows\\",
        "windows\\d.png",
        "__MACOSX/a.png",
        "deep/._b.jpeg",
        ".DS_Store",
    ]
    path = make_zip(tmp_path / "x.zip", {name: name.encode() for name in members})
    counted: list[int] = []
    archives.extract(path, tmp_path / "out", counted.append)
    assert written(tmp_path / "out") == {"a.png", "deep/er/b.jpeg", "c.png", "windows/d.png"}
    assert (tmp_path / "out" / "deep" / "er" / "b.jpeg").read_bytes() == b"deep/er/b.jpeg"
    assert sum(counted) == archives.contents(path).files == 4


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_verify_reads_every_byte(compression: int, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": CONTENT, "b.png": CONTENT}, compression)
    counted: list[int] = []
    archives.verify(path, counted.append)
    assert sum(counted) == 2 * len(CONTENT) == archives.contents(path).bytes


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_flipped_bytes_are_found_before_extracting(compression: int, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": CONTENT}, compression)
    torn = bytearray(path.read_bytes())
    for at in range(60, 90):
        torn[at] ^= 0xFF
    path.write_bytes(torn)
    with pytest.raises(archives.DamagedArchive, match=r"a\.png"):
        archives.verify(path)
    with pytest.raises(archives.DamagedArchive):
        archives.extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/evil.png", "C:\\evil.png", "..\\evil.png", "a/C:evil.png"]
)
def test_member_that_leads_outside_is_named(name: str, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"fine.png": b"1", name: b"2"})
    with pytest.raises(XrganError, match="leads outside") as caught:
        archives.extract(path, tmp_path / "out")
    assert repr(name) in str(caught.value)
    assert written(tmp_path) == {"x.zip"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../..", "fine.png"])
def test_links_are_refused(target: str, tmp_path: Path) -> None:
    with pytest.raises(XrganError, match=r"'link\.png' is a link"):
        archives.verify(make_link(tmp_path / "x.zip", "link.png", target))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        path = make_tar(tmp_path / "x.tar.gz", tar_member("fine.png"), tar_member("link.png", kind, target))
        with pytest.raises(XrganError, match=r"'link\.png' is a link"):
            archives.extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tar_is_unpacked(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "x.tar.gz", tar_member("a", tarfile.DIRTYPE), tar_member("a/b.png"), tar_member("._b"))
    archives.verify(path)
    archives.extract(path, tmp_path / "out")
    assert written(tmp_path / "out") == {"a/b.png"}
    assert (tmp_path / "out" / "a" / "b.png").read_bytes() == CONTENT


@pytest.mark.parametrize("member", [tar_member("../evil"), tar_member("/evil"), tar_member("pipe", tarfile.FIFOTYPE)])
def test_tar_is_not_trusted_either(member: tarfile.TarInfo, tmp_path: Path) -> None:
    path = make_tar(tmp_path / "x.tar", tar_member("fine.png"), member, mode="w")
    with pytest.raises(XrganError, match="is refused"):
        archives.extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "x.zip", {"a.png": CONTENT}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.zip").write_bytes(b"<html>Please sign in</html>")
    (tmp_path / "empty.zip").write_bytes(b"")
    cases = {"cut.zip": "cut short", "page.zip": "no ZIP", "empty.zip": "no ZIP", "absent.zip": "There is no archive"}
    for name, message in cases.items():
        with pytest.raises(XrganError, match=message):
            archives.verify(tmp_path / name)
    with pytest.raises(XrganError, match="There is no archive") as caught:
        archives.verify(tmp_path)
    assert "--folder" in caught.value.hint


def test_password_is_said(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": CONTENT})
    locked = bytearray(path.read_bytes())
    locked[6] |= 1  # flag bits of the local header …
    locked[locked.index(b"PK\1\2") + 8] |= 1  # … and of the directory
    path.write_bytes(locked)
    with pytest.raises(XrganError, match="locked with a password"):
        archives.verify(path)


def test_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The directory claims 4 GB for a few bytes; a mask that shrinks a thousandfold, of 1 MB, is no bomb."""
    path = make_zip(tmp_path / "mask.zip", {"mask.bmp": bytes(1 << 20)})
    archives.verify(path)
    forged = bytearray(path.read_bytes())
    struct.pack_into("<I", forged, forged.index(b"PK\1\2") + 24, 0xFFFFFFF0)
    (tmp_path / "bomb.zip").write_bytes(forged)
    with pytest.raises(XrganError, match=r"claim to hold 4\.3 GB"):
        archives.verify(tmp_path / "bomb.zip")


def test_size_that_is_declared_bounds_what_is_written(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": bytes(1 << 20)})
    lying = bytearray(path.read_bytes())
    struct.pack_into("<I", lying, lying.index(b"PK\1\2") + 24, 100)
    path.write_bytes(lying)
    with pytest.raises(archives.DamagedArchive):
        archives.extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_than_the_disk_holds_is_said(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="are needed"):
        archives.need_room(tmp_path, shutil.disk_usage(tmp_path).total + 1)
    archives.need_room(tmp_path, 0)


def test_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": CONTENT})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        archives.extract(path, tmp_path / "out")
    assert written(tmp_path / "out") == {"mine.txt"}


def test_names_that_get_in_each_others_way(tmp_path: Path) -> None:
    for number, names in enumerate((["a", "a/b.png"], ["a/b.png", "a"], ["x" * 300 + ".png"])):
        path = make_zip(tmp_path / f"{number}.zip", dict.fromkeys(names, CONTENT))
        with pytest.raises(XrganError, match="holds"):
            archives.extract(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


pieces = st.sampled_from(
    ["..", ".", "", "a", "b.png", "C:", "c:x", "~", "con", "\\", "..\\", "\\\\server", "\0", "%2e%2e"]
)
names = st.lists(st.one_of(pieces, st.text(max_size=8)), min_size=1, max_size=5).flatmap(
    lambda parts: st.sampled_from(["/", "\\"]).map(lambda separator: separator.join(parts))
)
members = st.dictionaries(names, st.binary(max_size=20), min_size=1, max_size=4)


@settings(max_examples=300, deadline=None)
@given(members, st.booleans())
@example({"../outside.png": b""}, False)
@example({"../outside.png": b""}, True)
def test_nothing_is_ever_written_outside(members: dict[str, bytes], tar: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        target = root / "inner" / "target"
        target.parent.mkdir()
        absolute = {f"{root}/absolute.png": b""} if "a" in members else {}
        try:
            if tar:
                infos = [tar_member(member) for member in members | absolute]
                path = make_tar(root / "x.tar", *infos, mode="w")
            else:
                path = make_zip(root / "x.zip", members | absolute)
        except (UnicodeEncodeError, struct.error):
            return  # no archive can hold such a name
        before = written(root)
        try:
            archives.verify(path)
            archives.extract(path, target)
        except XrganError:
            assert not target.exists()
        outside = {file for file in written(root) if not file.startswith("inner/target/")}
        assert outside == before
        assert not any(file.is_symlink() for file in root.rglob("*"))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(["x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"]))
def test_any_damage_ends_in_a_sentence(data: st.DataObject, name: str) -> None:
    """Bytes changed and cut at random: the archive is read whole, or refused in one sentence; never another error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if name == "x.zip":
            make_zip(path, {"a.png": CONTENT, "b/c.png": zlib.compress(CONTENT)})
        else:
            make_tar(path, tar_member("a.png"), tar_member("b/c.png"), mode=f"w:{name[6:]}")
        torn = bytearray(path.read_bytes())
        for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(torn) - 1), st.integers(0, 255)), max_size=8)):
            torn[at] = byte
        path.write_bytes(torn[: data.draw(st.integers(0, len(torn)))] if data.draw(st.booleans()) else torn)
        try:
            archives.verify(path)
            archives.extract(path, Path(folder) / "out")
        except XrganError as error:
            assert "\n" not in error.message
            assert not (Path(folder) / "out").exists()
