"""The face mesh's name in files that keep landmarks: safetensors name it in their metadata, Parquet in a column."""

import warnings
from pathlib import Path

from text2lip.faces.mesh_version import builtin_mesh_version
from text2lip.files import replaced_file


MESH_KEY = "mesh"  # the column, the key of the metadata
NO_MESH = ""  # what is kept was found by no mesh


def meshes_of(path: str | Path) -> set[str | None]:
    """What a file says of the mesh of its landmarks: a version ([`mesh_version`]), `NO_MESH`, None for nothing."""
    if Path(path).suffix == ".parquet":
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(path) as file:
            named = MESH_KEY in file.schema_arrow.names
            return set(file.read([MESH_KEY])[MESH_KEY].unique().to_pylist()) if named else {None}
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return {(file.metadata() or {}).get(MESH_KEY)}


def is_current(path: str | Path) -> bool:
    """Whether the file is there and its landmarks are of the built-in mesh; not so where it says nothing."""
    return Path(path).is_file() and meshes_of(path) <= {builtin_mesh_version(), NO_MESH}


def check_mesh(path: str | Path, remedy: str, argument: str = "prepared") -> None:
    """Refuse a file whose landmarks are of another mesh than the built-in one; warn of one that doesn't say.

    Args:
        path (`str` or `Path`): a file that is there.
        remedy (`str`): how to make it anew.
        argument (`str`): the name of what was given, for errors.

    Raises:
        ValueError: the mesh is another one.
    """
    other = meshes_of(path) - {builtin_mesh_version(), NO_MESH}
    if not other:
        return
    if other != {None}:
        named = ", ".join(str(one) for one in sorted(other - {None}))
        raise ValueError(
            f"{argument}: the landmarks in {str(path)!r} are of the face mesh {named}, not of "
            f"{builtin_mesh_version()}, which text2lip has now; {remedy}."
        )
    warnings.warn(
        f"{str(path)!r} doesn't say which face mesh found its landmarks, and an earlier one's don't fit; {remedy}, or "
        f"say that they are of today's: examples/prepare_grid.py --stamp {path}",
        stacklevel=3,
    )


def stamp(path: str | Path) -> int:
    """Note the built-in mesh in files that don't name any: in one, or in all below a folder. How many were changed.

    Raises:
        ValueError: there is no such file or folder, or it is a file of another kind.
    """
    path = Path(path)
    files = [f for f in (path, *path.rglob("*")) if f.suffix in (".safetensors", ".parquet") and f.is_file()]
    if not files:
        raise ValueError(f"stamp: {str(path)!r} holds no .safetensors and no .parquet; give what was prepared.")
    unnamed = [file for file in files if None in meshes_of(file)]
    for file in unnamed:
        with replaced_file(file) as temporary:
            (_stamp_parquet if file.suffix == ".parquet" else _stamp_tensors)(file, temporary)
    return len(unnamed)


def _stamp_tensors(path: Path, target: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    with safe_open(path, framework="np") as file:
        told = file.metadata() or {}
    save_file(load_file(path), target, told | {MESH_KEY: builtin_mesh_version()})


def _stamp_parquet(path: Path, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        named = MESH_KEY in schema.names
        schema = schema if named else schema.append(pa.field(MESH_KEY, pa.string()))
        with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in file.iter_batches(batch_size=32):
                told = batch[MESH_KEY].to_pylist() if named else [None] * batch.num_rows
                told = pa.array([builtin_mesh_version() if one is None else one for one in told])
                columns = [told if name == MESH_KEY else batch[name] for name in schema.names]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
