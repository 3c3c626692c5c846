"""Prepared clips: one safetensors file a clip while they are made, one Parquet file a split to read and to share."""

import json
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from text2lip.data.mesh_stamp import MESH_KEY, check_mesh, is_current
from text2lip.files import inside, replaced_file
from text2lip.text.timing import Segment


ARRAYS = ("landmarks", "head", "lips", "audio", "mel", "phone_ids", "viseme_ids", "durations")
TIMED = ("phones", "words")


@dataclass(frozen=True)
class PreparedClip:
    """What lip training reads of one clip; see [`prepare_clip`] for all fields and their units."""

    name: str
    speaker: str
    text: str
    fps: float
    lips: np.ndarray
    mel: np.ndarray
    phone_ids: np.ndarray
    viseme_ids: np.ndarray
    durations: np.ndarray
    phones: list[Segment]
    words: list[Segment]

    @property
    def silent(self) -> np.ndarray:
        """bool (frames,): no phone is spoken, nor within 80 ms."""
        times = (np.arange(len(self.lips)) + 0.5) / self.fps
        voiced = np.zeros(len(times), bool)
        for phone in self.phones:
            if phone.label:
                voiced |= (times > phone.start - 0.08) & (times < phone.end + 0.08)
        return ~voiced


def load_prepared(folder: str | Path, split: str, limit: int | None = None) -> list[PreparedClip]:
    """The clips of one split, in the order of the split.

    Args:
        folder (`str` or `Path`): made by `examples/prepare_grid.py`.
        split (`str`): such as "train".
        limit (`int`, *optional*): only so many, see [`read_prepared`].

    Raises:
        ValueError: that split was not prepared, or by another face mesh; a limit under 1.
    """
    wanted = list(PreparedClip.__dataclass_fields__)
    return [PreparedClip(**{key: row[key] for key in wanted}) for row in read_prepared(folder, split, wanted, limit)]


def read_prepared(
    folder: str | Path, split: str, columns: list[str], limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of one split with the given columns, arrays as numpy, times as [`Segment`], one by one.

    Args:
        folder (`str` or `Path`): made by `examples/prepare_grid.py`.
        split (`str`): such as "train".
        columns (`list[str]`): of [`prepare_clip`]'s fields.
        limit (`int`, *optional*): only so many rows, evenly from all of the split: clips stand in the order of their
            sentences, and the first of them would all begin alike.

    Raises:
        ValueError: that split was not prepared, or by another face mesh; a limit under 1.
    """
    import pyarrow.parquet as parquet

    if limit is not None and limit < 1:
        raise ValueError(f"limit: got {limit} clips; one is the least, None takes all.")

    path = parquet_path(folder, split)
    if not path.exists():
        there = ", ".join(splits_of(folder))
        raise ValueError(
            f"split: {split!r} is not prepared in {str(folder)!r} "
            + (f"(there: {there}); name the split of its clips, as docs/source/en/training.md says," if there else ";")
            + f" run examples/prepare_grid.py --output {folder}"
        )
    check_mesh(path, f"prepare them anew with examples/prepare_grid.py --output {folder}")
    stored = [*columns, *(f"{name}_shape" for name in columns if name in ARRAYS)]
    with parquet.ParquetFile(path) as file:
        count, first = file.metadata.num_rows, 0
        wanted = range(count) if limit is None else {number * count // limit for number in range(limit)}
        for batch in file.iter_batches(batch_size=16, columns=stored):
            yield from _numpy_rows(batch, [i for i in range(batch.num_rows) if first + i in wanted])
            first += batch.num_rows


def parquet_path(folder: str | Path, split: str) -> Path:
    """Where the Parquet file of a split is; `datasets` reads the split's name out of the file's."""
    return inside(Path(folder) / "data", f"{split}-00000-of-00001.parquet", "split")


def splits_of(folder: str | Path) -> list[str]:
    """Names of the splits that are prepared in `folder`, in alphabetical order."""
    end = "-00000-of-00001.parquet"
    return sorted(path.name.removesuffix(end) for path in parquet_path(folder, "").parent.glob(f"*{end}"))


def hold_out(items: list[Any], every: int = 10) -> tuple[list[Any], list[Any]]:
    """Take every tenth item, the first among them, out of those to learn from.

    Returns:
        `tuple`: what is left, and what is held out: one item at least.

    Raises:
        ValueError: fewer than two items.
    """
    if len(items) < 2:
        raise ValueError(f"clips: got {len(items)}; one to learn from and one to validate on are the least.")
    return [item for i, item in enumerate(items) if i % every], items[::every]


def held_out(folder: str | Path, items: Sized) -> str:
    """What to say of `items`, those to validate on, where `val` is not prepared: see [`hold_out`]; "" where it is."""
    if "val" in splits_of(folder):
        return ""
    return f"; no split 'val' in {folder}: {len(items)} clips of 'train' are held out for validation"


def _numpy_rows(batch, wanted: list[int]) -> Iterator[dict[str, Any]]:
    names = batch.schema.names
    for index in wanted:
        row = {}
        for name in names:
            value = batch.column(name)[index]
            if name in ARRAYS:
                shape = batch.column(f"{name}_shape")[index].as_py()
                row[name] = value.values.to_numpy(zero_copy_only=False).reshape(shape).copy()
            elif name in TIMED:
                row[name] = [Segment(part["label"], part["start"], part["end"]) for part in value.as_py()]
            elif not name.endswith("_shape"):
                row[name] = value.as_py()
        yield row


def record_path(folder: str | Path, name: str) -> Path:
    """Where the record of clip `name` is kept while a data set is made."""
    return inside(Path(folder) / "cache", f"{name}.safetensors", "clip")


def is_prepared(folder: str | Path, name: str) -> bool:
    """Whether the record of clip `name` is there, and of the built-in face mesh."""
    return is_current(record_path(folder, name))


def save_record(path: Path, record: dict[str, Any]):
    """Write what [`prepare_clip`] made; the file appears whole or not at all."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(record[name]) for name in ARRAYS}
    arrays["crops"] = np.frombuffer(b"".join(record["crops"]), np.uint8)
    arrays["crop_sizes"] = np.array([len(crop) for crop in record["crops"]])
    rest = {name: value for name, value in record.items() if name not in (*arrays, MESH_KEY)}
    told = {"record": json.dumps(rest)} | ({MESH_KEY: record[MESH_KEY]} if record.get(MESH_KEY) is not None else {})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as temporary:
        temporary.write_bytes(save(arrays, told))


def load_record(path: Path) -> dict[str, Any]:
    """Read what [`save_record`] wrote.

    Raises:
        ValueError: the landmarks are of another face mesh than the built-in one.
    """
    from safetensors import safe_open

    check_mesh(path, "prepare the clip anew with examples/prepare_grid.py")
    with safe_open(path, framework="np") as file:
        told = file.metadata()
        record = json.loads(told["record"]) | {MESH_KEY: told.get(MESH_KEY)}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    edges = np.concatenate([[0], arrays.pop("crop_sizes").cumsum()])
    packed = arrays.pop("crops").tobytes()
    record["crops"] = [packed[start:end] for start, end in zip(edges, edges[1:])]
    for name in TIMED:
        record[name] = [Segment(*part) for part in record[name]]
    return {**record, **arrays}


def write_parquet(path: Path, records: Iterable[dict[str, Any]], count: int):
    """Write records as one Parquet file that `datasets` and any Arrow reader open; arrays lie flat beside their shape.

    Args:
        path (`Path`): of the file.
        records (`Iterable[dict]`): as [`load_record`] gives them.
        count (`int`): how many, for the progress bar.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from tqdm import tqdm

    path.parent.mkdir(parents=True, exist_ok=True)
    writer, rows = None, []
    with replaced_file(path) as temporary:
        try:
            for record in tqdm(records, total=count, unit="clip", desc=path.name, disable=count < 20):
                rows.append(_arrow_row(record))
                if len(rows) == 32:
                    writer, rows = _write_rows(pa, parquet, writer, temporary, rows), []
            if rows:
                writer = _write_rows(pa, parquet, writer, temporary, rows)
        finally:
            if writer is not None:
                writer.close()


def _write_rows(pa, parquet, writer, path: Path, rows: list[dict]):
    schema = writer.schema if writer is not None else None
    table = pa.Table.from_pylist(rows, schema=schema or _schema(pa))
    writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
    writer.write_table(table)
    return writer


def _schema(pa):
    number = {"audio": pa.int16(), "phone_ids": pa.int64(), "viseme_ids": pa.int64()}
    segment = pa.struct([("label", pa.string()), ("start", pa.float64()), ("end", pa.float64())])
    fields = [(name, pa.string()) for name in ("name", "speaker", "split", "text", "language", "aligned_by", MESH_KEY)]
    fields += [("fps", pa.float64()), ("size", pa.list_(pa.int64())), ("late_words", pa.list_(pa.string()))]
    fields += [(name, pa.list_(segment)) for name in TIMED] + [("crops", pa.list_(pa.binary()))]
    for name in ARRAYS:
        fields += [(name, pa.list_(number.get(name, pa.float32()))), (f"{name}_shape", pa.list_(pa.int64()))]
    return pa.schema(fields)


def _arrow_row(record: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in record.items() if name not in (*ARRAYS, *TIMED)}
    for name in TIMED:
        row[name] = [part._asdict() for part in record[name]]
    for name in ARRAYS:
        row[name], row[f"{name}_shape"] = record[name].ravel(), list(record[name].shape)
    return row
