"""What the built-in lip readers read off mouths: shared by the benchmarks."""

import numpy as np
import rows

from text2lip import metrics as M
from text2lip.metrics.lip_reader import SIGHTS


FIGURES = ("wer", "bleu1", "bleu4")
READ = tuple(f"{figure}_{sees}" for sees in ("landmarks", "crops") for figure in FIGURES)


def chosen_readers(folders: list[str]) -> dict[str, M.LipReader]:
    """The reader of "landmarks" and that of "crops": of `folders`, the built-in one where none of them sees that."""
    given = [M.LipReader.from_pretrained(folder).float().eval() for folder in folders]
    return {sees: M.builtin_reader(sees) for sees in SIGHTS} | {reader.config.sees: reader for reader in given}


def reading(
    sees: str, mouth: np.ndarray, clip: rows.BenchClip, reader: M.LipReader | None = None
) -> tuple[str, str] | None:
    """What the reader of "landmarks" or "crops" reads, and what was said; None if that is no sentence of its grammar.

    Args:
        sees (`str`): which reader.
        mouth (`np.ndarray`): canonical lips (frames, 57, 2), or mouth crops uint8 (frames, 96, 96, 3).
        clip (`BenchClip`): whose text was said.
        reader (`LipReader`, *optional*): another one than the built-in.
    """
    reader, said = reader or M.builtin_reader(sees), clip.record.get("text", "").lower()
    return (reader.read([mouth])[0], said) if reader.knows(said) else None


def reading_figures(readings: list[tuple[str, str] | None]) -> dict[str, float | None]:
    """Word error rate and BLEU of all clips together, None where none could be read."""
    readings = [pair for pair in readings if pair]
    if not readings:
        return dict.fromkeys(FIGURES)
    read, said = zip(*readings)
    return {"wer": M.wer(read, said), "bleu1": M.bleu(read, said, 1), "bleu4": M.bleu(read, said)}
