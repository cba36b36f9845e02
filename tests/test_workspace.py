"""Which run, dataset or source a command means, and what the user is told where that is open."""

import datetime
import os
from pathlib import Path

import pytest

from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.files import write_yaml
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return Workspace(Path("data"), Path("runs"))


def add_run(workspace: Workspace, name: str, age: int) -> None:
    run = workspace.run_at(f"{workspace.runs_root}/{name}")
    run.write_config(resolve())
    grow_old(run.config_file, age)


def add_prepared(workspace: Workspace, name: str, source: str = "phantom", age: int = 0) -> None:
    file = workspace.prepared_root / name / "dataset.yaml"
    write_yaml(file, {"source": {"name": source}})
    grow_old(file, age)


def add_raw(workspace: Workspace, name: str) -> None:
    write_yaml(workspace.raw_root / name / "source.yaml", {"name": name})


def grow_old(file: Path, age: int) -> None:
    os.utime(file, (1_000_000_000 - age, 1_000_000_000 - age))


# --- runs


def test_an_empty_workspace_holds_nothing(workspace: Workspace) -> None:
    assert (workspace.runs(), workspace.prepared(), workspace.fetched()) == ([], [], [])
    assert workspace.fetched_since_prepared() == []


def test_the_latest_run_is_the_one_that_changed_last(workspace: Workspace) -> None:
    for name, age in (("b", 30), ("c", 20), ("a", 10)):
        add_run(workspace, name, age)
    assert [run.name for run in workspace.runs()] == ["b", "c", "a"]
    assert workspace.find_run(None).name == "a"
    trained = workspace.run_at("runs/b")
    trained.write_losses([{"epoch": 1.0}])
    assert workspace.find_run(None).name == "b"


def test_runs_of_the_same_moment_stand_by_name(workspace: Workspace) -> None:
    for name in "bca":
        add_run(workspace, name, 0)
    assert [run.name for run in workspace.runs()] == ["a", "b", "c"]


def test_what_is_no_run_is_not_listed(workspace: Workspace) -> None:
    add_run(workspace, "a", 0)
    (workspace.runs_root / "notes").mkdir()
    add_run(workspace, ".building", 0)
    assert [run.name for run in workspace.runs()] == ["a"]


def test_a_run_is_found_by_name_and_by_path(workspace: Workspace, tmp_path: Path) -> None:
    add_run(workspace, "exp1", 0)
    for name in ("exp1", "runs/exp1", str(tmp_path / "runs" / "exp1")):
        assert workspace.find_run(name).path.resolve() == tmp_path / "runs" / "exp1"


def test_a_run_elsewhere_is_found_by_its_path(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = workspace.run_at(str(tmp_path / "mailed"))
    elsewhere.write_config(resolve())
    assert workspace.find_run(str(tmp_path / "mailed")).name == "mailed"
    assert workspace.find_run("mailed").name == "mailed"  # it stands in the current directory


def test_an_unknown_run_is_named_with_the_runs_there_are(workspace: Workspace) -> None:
    add_run(workspace, "exp1", 10)
    add_run(workspace, "exp2", 5)
    with pytest.raises(XrganError) as error:
        workspace.find_run("exp3")
    assert error.value.message == "There is no run runs/exp3."
    assert error.value.hint == "Did you mean exp2? The runs here: exp1, exp2."


def test_without_any_run_the_way_to_one_is_told(workspace: Workspace) -> None:
    with pytest.raises(XrganError, match="There is no run in runs. `xrgan train` makes one."):
        workspace.find_run(None)
    with pytest.raises(XrganError, match=r"There is no run runs/exp1\.$"):
        workspace.find_run("exp1")


def test_a_new_run_is_numbered_by_dataset_and_day(workspace: Workspace) -> None:
    today = datetime.date.today().isoformat()
    first = workspace.new_run("chests")
    assert first.path == workspace.runs_root / f"chests-{today}-1"
    first.path.mkdir(parents=True)
    second = workspace.new_run("chests")
    assert second.name == f"chests-{today}-2"
    assert not second.path.exists()
    assert workspace.new_run("others").name == f"others-{today}-1"


# --- prepared datasets


def test_prepared_datasets_stand_with_the_latest_last(workspace: Workspace) -> None:
    add_prepared(workspace, "a", age=1)
    add_prepared(workspace, "b", age=2)
    add_prepared(workspace, ".c.123.tmp", age=0)
    assert [path.name for path in workspace.prepared()] == ["b", "a"]


def test_a_prepared_dataset_is_found_by_name_and_by_path(workspace: Workspace, tmp_path: Path) -> None:
    add_prepared(workspace, "chests")
    for name in ("chests", "data/prepared/chests", str(tmp_path / "data/prepared/chests")):
        assert workspace.find_prepared(name).resolve() == tmp_path / "data/prepared/chests"


def test_an_unknown_dataset_is_named_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(XrganError, match="no prepared dataset chests in data/prepared. `xrgan prepare` makes one"):
        workspace.find_prepared("chests")
    add_prepared(workspace, "a", age=2)
    add_prepared(workspace, "b", age=1)
    with pytest.raises(XrganError) as error:
        workspace.find_prepared("chests")
    assert error.value.hint == "Prepared are: a, b."


def test_a_source_is_new_until_something_was_prepared_from_it(workspace: Workspace) -> None:
    add_raw(workspace, "phantom")
    add_raw(workspace, "kermany")
    assert [path.name for path in workspace.fetched_since_prepared()] == ["kermany", "phantom"]
    add_prepared(workspace, "my_chests", source="phantom")
    assert [path.name for path in workspace.fetched_since_prepared()] == ["kermany"]


def test_a_damaged_dataset_hides_no_other(workspace: Workspace) -> None:
    for name in ("kermany", "phantom"):
        add_raw(workspace, name)
        add_prepared(workspace, f"{name}_64", source=name)
    file = workspace.prepared_root / "kermany_64" / "dataset.yaml"
    for content in ("source: kermany\n", "source: [", "- 1\n", "content_hash: 3\n", ""):
        file.write_text(content)
        assert [path.name for path in workspace.fetched_since_prepared()] == ["kermany"]
        assert workspace.prepared_of("?") is None and workspace.prepared_of("") is None
    write_yaml(file, {"content_hash": "abc"})
    assert workspace.prepared_of("abc") == file.parent


# --- fetched sources


def test_only_whole_sources_are_listed(workspace: Workspace) -> None:
    add_raw(workspace, "phantom")
    add_raw(workspace, "jrs")
    add_raw(workspace, ".staging")
    (workspace.raw_root / "half").mkdir()
    assert [path.name for path in workspace.fetched()] == ["jrs", "phantom"]


def test_the_only_source_needs_no_name(workspace: Workspace) -> None:
    with pytest.raises(XrganError, match="Nothing was fetched yet into data/raw. `xrgan fetch phantom`"):
        workspace.find_raw(None)
    add_raw(workspace, "phantom")
    assert workspace.find_raw(None) == workspace.raw_root / "phantom"


def test_several_sources_are_a_choice_to_make(workspace: Workspace) -> None:
    add_raw(workspace, "phantom")
    add_raw(workspace, "jrs")
    with pytest.raises(XrganError) as error:
        workspace.find_raw(None)
    assert error.value.message == "Several sources were fetched: jrs, phantom."
    assert error.value.hint == "Say which: `xrgan prepare jrs`."
    assert error.value.exit_code == 2


def test_a_source_is_found_by_name_and_any_folder_by_its_path(workspace: Workspace, tmp_path: Path) -> None:
    add_raw(workspace, "phantom")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.png").write_bytes(b"")
    assert workspace.find_raw("phantom") == workspace.raw_root / "phantom"
    assert workspace.find_raw("scans") == Path("scans")
    assert workspace.find_raw(str(tmp_path / "scans")) == tmp_path / "scans"


@pytest.mark.parametrize("here", [".", "..", "./"])
def test_a_dot_is_the_current_folder_and_not_the_raw_root(
    workspace: Workspace, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_raw(workspace, "phantom")
    assert workspace.find_raw(here).resolve() == Path(here).resolve()


def test_an_unknown_source_is_named_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(XrganError, match="no fetched source jrs in data/raw.*`xrgan fetch jrs` fetches it"):
        workspace.find_raw("jrs", ["jrs"])
    add_raw(workspace, "phantom")
    (workspace.raw_root / "empty").mkdir()
    for name in ("jrs", "empty"):
        with pytest.raises(XrganError, match=f"no fetched source {name}.*Fetched are: phantom"):
            workspace.find_raw(name)


def test_an_empty_folder_and_a_file_are_no_source(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "images.zip").touch()
    with pytest.raises(XrganError, match=r"nothing is empty\."):
        workspace.find_raw(str(tmp_path / "nothing"))
    with pytest.raises(XrganError, match=r"images\.zip is a file.* `xrgan fetch --archive .*images\.zip`"):
        workspace.find_raw(str(tmp_path / "images.zip"))


def test_only_what_can_be_fetched_is_said_to_be(workspace: Workspace) -> None:
    known = ["kermany", "nih"]
    with pytest.raises(XrganError) as error:
        workspace.find_raw("kermani", known)
    assert error.value.hint == "Did you mean kermany? `xrgan fetch kermany` fetches it."
    with pytest.raises(XrganError) as error:
        workspace.find_raw("my-scans", known)
    assert error.value.hint.startswith("`xrgan fetch --list` shows the known sources")
    add_raw(workspace, "phantom")
    with pytest.raises(XrganError) as error:
        workspace.find_raw("phantoms", known)
    assert error.value.hint == "Did you mean phantom?"


def test_a_name_that_is_nearly_another_is_asked_about(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data", tmp_path / "runs")
    RunDir(tmp_path / "runs/first").write_config(Config())
    with pytest.raises(XrganError, match="Did you mean first"):
        workspace.find_run("frist")
    with pytest.raises(XrganError, match="The runs here: first"):
        workspace.find_run("other")
    (tmp_path / "data/prepared/phantom_32").mkdir(parents=True)
    (tmp_path / "data/prepared/phantom_32/dataset.yaml").write_text("classes: []")
    with pytest.raises(XrganError, match="Did you mean phantom_32"):
        workspace.find_prepared("phantom32")
