"""Archives that can't be trusted: whatever they hold, nothing is written outside, and nothing half-made stays."""

import errno
import gzip
import io
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.data import evil
from tests.data.evil import CONTENT
from xrgan.data.fetching import archives
from xrgan.data.fetching.members import DamagedArchive
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow

BOTH = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def verify(path: Path) -> list[int]:
    """Returns the bytes that it was told of, block by block."""
    told: list[int] = []
    with archives.opened(path) as archive:
        archives.verify(archive, told.append)
    return told


def extract(path: Path, folder: Path) -> list[int]:
    told: list[int] = []
    with archives.opened(path) as archive:
        archives.extract(archive, folder, told.append)
    return told


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# What is sound -------------------------------------------------------------------------------------------------------


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
        "@eaDir/a.png",
    ]
    path = save(tmp_path / "x.zip", evil.zipped({name: name.encode() for name in members}))
    told = extract(path, tmp_path / "out")
    assert written(tmp_path / "out") == {"a.png", "deep/er/b.jpeg", "c.png", "windows/d.png"}
    assert (tmp_path / "out" / "deep" / "er" / "b.jpeg").read_bytes() == b"deep/er/b.jpeg"
    assert sum(told) == sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.*"))


def test_tar_is_unpacked(tmp_path: Path) -> None:
    members = [evil.tar_member("a", tarfile.DIRTYPE), evil.tar_member("a/b.png"), evil.tar_member("._b")]
    path = save(tmp_path / "x.tar.gz", evil.tarred(*members))
    verify(path)
    extract(path, tmp_path / "out")
    assert written(tmp_path / "out") == {"a/b.png"}
    assert (tmp_path / "out" / "a" / "b.png").read_bytes() == CONTENT


@pytest.mark.parametrize("compression", BOTH)
def test_verify_reads_every_byte(compression: int, tmp_path: Path) -> None:
    path = save(tmp_path / "x.zip", evil.zipped({"a.png": CONTENT, "b.png": CONTENT}, compression))
    with archives.opened(path) as archive:
        assert archive.bytes == 2 * len(CONTENT)
    assert sum(verify(path)) == 2 * len(CONTENT)


def test_later_of_two_members_of_a_name_is_meant(tmp_path: Path) -> None:
    """So they are updated: `zip` replaces, but others append."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("a.png", b"older")
        file.writestr("a.png", b"new")
    path = save(tmp_path / "x.zip", packed.getvalue())
    assert extract(path, tmp_path / "out") == [3]
    assert (tmp_path / "out" / "a.png").read_bytes() == b"new"


def test_nothing_is_held_in_memory(tmp_path: Path) -> None:
    """300 MB are verified and extracted by a process that may take 100 MB more than it has."""
    code = """
import resource, sys
from pathlib import Path
from xrgan.data.fetching import archives
with open("/proc/self/statm") as file:
    has = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (has + 100_000_000,) * 2)
with archives.opened(Path(sys.argv[1])) as archive:
    archives.verify(archive)
    archives.extract(archive, Path(sys.argv[2]))
"""
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc here")
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("a.png", bytes(300_000_000))
    subprocess.run([sys.executable, "-c", code, str(path), str(tmp_path / "out")], check=True, timeout=30)
    assert (tmp_path / "out" / "a.png").stat().st_size == 300_000_000


# What is not ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", BOTH)
def test_flipped_bytes_are_found_before_extracting(compression: int, tmp_path: Path) -> None:
    torn = evil.flipped(evil.zipped({"a.png": CONTENT}, compression))
    path = save(tmp_path / "x.zip", torn)
    with pytest.raises(DamagedArchive, match=r"a\.png"):
        verify(path)
    with pytest.raises(DamagedArchive):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Bombs ---------------------------------------------------------------------------------------------------------------


def test_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The directory claims 4 GB for a few bytes; a mask that shrinks a thousandfold, of 1 MB, is no bomb."""
    verify(save(tmp_path / "mask.zip", evil.zipped({"mask.bmp": bytes(1 << 20)})))
    with pytest.raises(XrganError, match=r"claim to hold 4\.3 GB"):
        verify(save(tmp_path / "bomb.zip", evil.claiming(0xFFFFFFF0)))


def test_bomb_of_overlapping_members(tmp_path: Path) -> None:
    """34 kB whose members, each with the right checksum, are 1.3 GB."""
    with pytest.raises(XrganError, match=r"0\.0 MB claim to hold 1\.1 GB or more"):
        verify(save(tmp_path / "bomb.zip", evil.overlapping(40, 30 << 20)))


def test_bomb_of_empty_files(tmp_path: Path) -> None:
    """Each takes a block of the disk, and room in memory."""
    names = {f"{number}.png": b"" for number in range(20)}
    path = save(tmp_path / "bomb.zip", evil.zipped(names))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "SMALLEST_BOMB", 10 * archives.BYTES_A_FILE)
        patch.setattr(archives, "LARGEST_GROWTH", 10)
        with pytest.raises(XrganError, match="is refused"):
            verify(path)


def test_bomb_of_a_tar_is_refused_at_the_first_member(tmp_path: Path) -> None:
    """To list the members of a compressed TAR file, all is read: who waits for the end has waited for the bomb."""
    bomb = tarfile.TarInfo("a.png")
    bomb.size = 1 << 40
    path = save(tmp_path / "x.tar", bomb.tobuf() + bytes(10240))
    with pytest.raises(XrganError, match=r"claim to hold 1,099\.5 GB"):
        verify(path)


def test_bombs_in_an_archive_are_counted_together(tmp_path: Path) -> None:
    """Each inner archive may be harmless; what came out before it counts too."""
    path = save(tmp_path / "inner.zip", evil.claiming(800_000_000))
    with archives.opened(path, packed=2_000_000):
        pass
    with (
        pytest.raises(XrganError, match=r"its 2\.0 MB claim to hold 1\.6 GB"),
        archives.opened(path, packed=2_000_000, before=800_000_000),
    ):
        pass


def test_size_that_is_declared_bounds_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(DamagedArchive):
        extract(save(tmp_path / "x.zip", evil.claiming(100)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Disks and names -----------------------------------------------------------------------------------------------------


def test_more_than_the_disk_holds_is_said(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="GB are needed"):
        archives.need_room(tmp_path, shutil.disk_usage(tmp_path).total + 1)
    archives.need_room(tmp_path, 0)


def test_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    path = save(tmp_path / "x.zip", evil.zipped({"a.png": CONTENT}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        extract(path, tmp_path / "out")
    assert written(tmp_path / "out") == {"mine.txt"}


@pytest.mark.parametrize("names", [["a", "a/b.png"], ["a/b.png", "a"], ["x" * 300 + ".png"], ["a/" * 65 + "b.png"]])
def test_names_that_a_disk_does_not_take(names: list[str], tmp_path: Path) -> None:
    path = save(tmp_path / "x.zip", evil.zipped(dict.fromkeys(names, CONTENT)))
    with pytest.raises(XrganError, match="holds|folders deep") as caught:
        extract(path, tmp_path / "out")
    assert "--folder DIR" in caught.value.hint
    assert len(caught.value.message) < 300
    assert not (tmp_path / "out").exists()


def test_disk_that_does_not_tell_capital_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of Mac and Windows: of two X-rays, one would be written over the other."""
    plain: Callable[..., Any] = Path.open

    def careless(path: Path, *given: Any, **options: Any) -> Any:
        return plain(path.with_name(path.name.lower()), *given, **options)

    path = save(tmp_path / "x.zip", evil.zipped({"a.png": b"1", "A.png": b"2"}))
    extract(path, tmp_path / "careful")
    assert written(tmp_path / "careful") == {"a.png", "A.png"}
    monkeypatch.setattr(Path, "open", careless)
    monkeypatch.setattr(Path, "is_file", lambda path: path.with_name(path.name.lower()).exists())
    with pytest.raises(XrganError, match=r"'A\.png', and another file whose name this disk takes for the same"):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_write_that_fails_is_no_damage(tmp_path: Path) -> None:
    """A limit of this process's own stands for a disk that is full."""
    path = save(tmp_path / "x.zip", evil.zipped({"a.png": b"1", "b.png": bytes(3 << 20)}))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            extract(path, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert not (tmp_path / "out").exists()


# Anything ------------------------------------------------------------------------------------------------------------

pieces = st.sampled_from(
    ["..", ".", "", "a", "b.png", "C:", "c:x", "~", "con", "\\", "..\\", "\\\\server", "\0", "%2e%2e", "ä", "ソ"]
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
                packed = evil.tarred(*(evil.tar_member(member) for member in members | absolute), mode="w")
            else:
                packed = evil.zipped(members | absolute)
        except (UnicodeEncodeError, struct.error):
            return  # no archive can hold such a name
        path = save(root / ("x.tar" if tar else "x.zip"), packed)
        before = written(root)
        try:
            verify(path)
            extract(path, target)
        except XrganError:
            assert not target.exists()
        outside = {file for file in written(root) if not file.startswith("inner/target/")}
        assert outside == before
        assert not any(file.is_symlink() for file in root.rglob("*"))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(["x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"]))
def test_any_damage_ends_in_a_sentence(data: st.DataObject, name: str) -> None:
    """Bytes changed and cut at random: the archive is read whole, or refused in one sentence; never another error."""
    if name == "x.zip":
        packed = evil.zipped({"a.png": CONTENT, "b/c.png": zlib.compress(CONTENT)})
    else:
        packed = evil.tarred(evil.tar_member("a.png"), evil.tar_member("b/c.png"), mode=f"w:{name[6:]}")
    torn = bytearray(packed)
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(torn) - 1), st.integers(0, 255)), max_size=8)):
        torn[at] = byte
    with tempfile.TemporaryDirectory() as folder:
        cut = data.draw(st.integers(0, len(torn))) if data.draw(st.booleans()) else len(torn)
        path = save(Path(folder) / name, bytes(torn[:cut]))
        try:
            verify(path)
            extract(path, Path(folder) / "out")
        except XrganError as error:
            assert "\n" not in error.message
            assert not (Path(folder) / "out").exists()


# A TAR file has no table of contents, and its checksums are the compression's --------------------------------------


def twelve_images() -> list[tuple[tarfile.TarInfo, bytes]]:
    """Members whose bytes don't shrink, so that every part of the compressed file is theirs."""
    rng = np.random.default_rng(0)
    members = []
    for number in range(12):
        content = rng.bytes(2000)
        info = tarfile.TarInfo(f"image{number}.png")
        info.size = len(content)
        members.append((info, content))
    return members


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]], mode: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as file:  # type: ignore[call-overload]
        for info, content in members:
            file.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_every_flipped_bit_of_a_compressed_tar_is_found(kind: str, tmp_path: Path) -> None:
    whole = tar_of(twelve_images(), f"w:{kind}")
    # gzip's header holds a time and a name that no checksum covers.
    places = np.random.default_rng(1).integers(12, len(whole), 40)
    for place in [*places.tolist(), len(whole) - 6]:
        spoiled = bytearray(whole)
        spoiled[place] ^= 0x10
        with pytest.raises(DamagedArchive):
            verify(save(tmp_path / f"x.tar.{kind}", bytes(spoiled)))


@pytest.mark.parametrize("kind", ["", "gz"])
@pytest.mark.parametrize("blocks", [1, 5, 5.5, 10, 59, 60])
def test_a_tar_that_was_cut_is_not_taken_for_a_shorter_one(kind: str, blocks: float, tmp_path: Path) -> None:
    """Cut anywhere, at a header or before the mark of the end as well, and compressed after it was cut."""
    cut = tar_of(twelve_images(), "w:")[: int(512 * blocks)]
    packed = gzip.compress(cut) if kind else cut
    with pytest.raises(DamagedArchive):
        verify(save(tmp_path / "x.tar", packed))


def test_a_spoiled_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    spoiled = bytearray(tar_of(twelve_images(), "w:"))
    spoiled[512 * 5 * 4 + 150] ^= 0x01  # the fifth member's checksum
    with pytest.raises(DamagedArchive, match=r"the header at byte 10,240 is spoiled"):
        verify(save(tmp_path / "x.tar", bytes(spoiled)))


def test_what_follows_the_end_of_a_tar_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xrgan.data.fetching.members.LARGEST_REST", 1 << 20)
    padded = gzip.compress(tar_of(twelve_images(), "w:") + bytes(3 << 20))
    with pytest.raises(DamagedArchive, match="far too much follows"):
        verify(save(tmp_path / "x.tar.gz", padded))
