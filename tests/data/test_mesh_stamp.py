import warnings

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from synthetic_clips import _mouth_film, mouth_film

from text2lip import FaceLandmarker
from text2lip.data.mesh_stamp import MESH_KEY, NO_MESH, check_mesh, is_current, meshes_of, stamp
from text2lip.data.prepared import (
    is_prepared,
    load_prepared,
    load_record,
    parquet_path,
    record_path,
    save_record,
    write_parquet,
)
from text2lip.faces.mesh_version import builtin_mesh_version, mesh_version
from text2lip.training.face_pack import load_faces, save_faces


@pytest.fixture
def record():
    return _mouth_film("s1/a", "train", np.random.default_rng(0)) | {MESH_KEY: builtin_mesh_version()}


@pytest.fixture
def folder(tmp_path, record):
    """Makes a prepared folder of one clip, of the mesh that is asked for."""

    def make(mesh):
        made = record | {MESH_KEY: mesh}
        save_record(record_path(tmp_path, "s1/a"), made)
        write_parquet(parquet_path(tmp_path, "train"), [made], 1)
        return tmp_path

    return make


def test_other_weights_are_another_mesh():
    landmarker = FaceLandmarker.from_builtin()
    assert mesh_version(landmarker) == builtin_mesh_version() and builtin_mesh_version().startswith("attention-")
    next(landmarker.refiner.parameters()).data.view(-1)[0] += 1e-3
    assert mesh_version(landmarker) != builtin_mesh_version()
    landmarker.refiner = None
    assert mesh_version(landmarker).startswith("face-")


@pytest.mark.parametrize("mesh", [NO_MESH, None])
def test_what_is_of_this_mesh_or_of_none_is_taken(folder, mesh):
    made = folder(builtin_mesh_version() if mesh is None else mesh)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_prepared(made, "train")) == 1
        assert load_record(record_path(made, "s1/a"))[MESH_KEY] in (builtin_mesh_version(), NO_MESH)
    assert is_prepared(made, "s1/a") and not is_prepared(made, "s1/b")


def test_landmarks_of_another_mesh_are_refused_with_the_remedy(folder):
    made = folder("face-0123")
    assert not is_prepared(made, "s1/a")
    with pytest.raises(
        ValueError, match=f"face mesh face-0123, not of {builtin_mesh_version()}.*prepare_grid.py --output"
    ):
        load_prepared(made, "train")
    with pytest.raises(ValueError, match="face mesh face-0123"):
        load_record(record_path(made, "s1/a"))


def test_files_of_before_are_warned_of_until_they_are_stamped(folder):
    made = folder(None)
    assert not is_prepared(made, "s1/a")  # a cache is made anew
    with pytest.warns(UserWarning, match="doesn't say which face mesh.*prepare_grid.py --stamp"):
        before = load_prepared(made, "train")[0]
    assert stamp(made) == 2 and stamp(made) == 0
    assert is_prepared(made, "s1/a") and meshes_of(parquet_path(made, "train")) == {builtin_mesh_version()}
    after = load_prepared(made, "train")[0]
    assert np.array_equal(after.lips, before.lips) and after.words == before.words


def test_a_file_that_has_no_such_column_is_stamped(folder):
    import pyarrow.parquet as parquet

    path = parquet_path(folder(None), "train")
    parquet.write_table(parquet.read_table(path).drop([MESH_KEY]), path)
    with pytest.warns(UserWarning, match="face mesh"):
        check_mesh(path, "do it anew")
    assert stamp(path) == 1 and is_current(path)


def test_what_is_of_another_mesh_is_not_stamped(folder):
    made = folder("face-0123")
    assert stamp(made) == 0 and not is_prepared(made, "s1/a")


def test_a_place_where_nothing_is_to_stamp_is_told(tmp_path):
    (tmp_path / "notes.txt").touch()
    for place in ("nowhere", "notes.txt", "."):
        with pytest.raises(ValueError, match="stamp: .*holds no .safetensors and no .parquet"):
            stamp(tmp_path / place)


def test_faces_that_are_packed_name_their_mesh(tmp_path):
    path = tmp_path / "faces.safetensors"
    save_faces(path, [mouth_film(0, "train")])
    assert len(load_faces(path)) == 1 and meshes_of(path) == {builtin_mesh_version()}
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        told = file.metadata()
    save_file(load_file(path), path, told | {MESH_KEY: "face-0123"})
    with pytest.raises(ValueError, match="^faces: .*face-0123.*examples/prepare_pairs.py"):
        load_faces(path)
