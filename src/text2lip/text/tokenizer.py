"""VisemeTokenizer: text or timed phones to viseme ids, phone ids, articulatory features and durations."""

import os
from collections.abc import Iterable, Sequence

import numpy as np
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.utils import PushToHubMixin

from text2lip.cards import ModelCardMixin
from text2lip.text.reading import Reading
from text2lip.text.ssml import Piece
from text2lip.text.timing import Segment, Timeline, check_unit
from text2lip.text.visemes import (
    PHONE_TO_ID,
    get_viseme_set,
    sequence_features,
    split_phone,
    viseme_set_from_table,
)


class VisemeEncoding(dict):
    """What [`VisemeTokenizer`] returns; keys are attributes too. B clips, N tokens (the longest clip's).

    Attributes:
        input_ids: int64 (B, N), viseme ids; padding is the number of visemes.
        phone_ids: int64 (B, N), indices in `PHONE_INVENTORY`; 0 in padding.
        features: float32 (B, N, 6) in [0, 1], columns as `FEATURES`; 0 in padding.
        durations: float32 (B, N), seconds; 0 in padding. Tokens follow each other without gap from time 0.
        attention_mask: bool (B, N), False in padding.
        labels (`list[list[str]]`): viseme labels.
        text (`list[str | None]`): the text that spans count in (normalised), None where only phones were given.
        words (`list[list[str]]`): spoken words in order.
        word_spans (`list[list[tuple[int, int]]]`): first and one-past-last token of each word.
        char_spans (`list[list[tuple[int, int] | None]]`): for each token its word's characters in `text`.
    """

    def __getattr__(self, name: str):
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(f"VisemeEncoding has no {name!r}; it has {sorted(self)}") from error

    def to(self, device) -> "VisemeEncoding":
        """Move the tensors (of `return_tensors="pt"`) to a device; returns itself."""
        for key, value in self.items():
            if hasattr(value, "to"):
                self[key] = value.to(device)
        return self


class VisemeTokenizer(ModelCardMixin, ConfigMixin, PushToHubMixin):
    """Turns text, or phones with times, into visemes with durations.

    Each token is a letter of IPA (a diphthong or an affricate is two), so that the mouth can move inside of a phone.
    From phones the times are exact; from text alone they are nominal (`text2lip.text.nominal_durations`).

    Args:
        viseme_set (`str`): "oculus" (15 labels), "azure" (22), or the path of a JSON file with the user's own table.
        language (`str`): language of the text: espeak code, alias or English name.
        table (`dict[str, str]`, *optional*): the user's own viseme table, IPA phone -> label; wins over `viseme_set`.
        g2p (`str`): "espeak", "hibari" or "gruut", what reads the text; see [`get_g2p`].

    Raises:
        ValueError: an unknown viseme set or a bad table.
    """

    config_name = "tokenizer_config.json"

    @register_to_config
    def __init__(
        self,
        viseme_set: str = "oculus",
        language: str = "en-us",
        table: dict[str, str] | None = None,
        g2p: str = "espeak",
    ):
        if table is None:
            self.visemes = get_viseme_set(viseme_set)
        else:
            name = viseme_set if viseme_set not in ("oculus", "azure") else "custom"
            self.visemes = viseme_set_from_table(table, str(name))
        # with its table, as the file need not exist where the tokenizer is loaded again
        self.register_to_config(viseme_set=self.visemes.name, table=self.visemes.source)

    @property
    def labels(self) -> tuple[str, ...]:
        """Viseme labels by id."""
        return self.visemes.labels

    @property
    def vocab_size(self) -> int:
        """Number of visemes, padding not counted."""
        return len(self.visemes)

    @property
    def pad_token_id(self) -> int:
        """Id of padding: the number of visemes."""
        return len(self.visemes)

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        *,
        phones: Timeline | Sequence | None = None,
        language: str | None = None,
        padding: bool = True,
        return_tensors: str | None = None,
    ) -> VisemeEncoding:
        """Encode one clip or a batch; the result always has a batch axis.

        Args:
            text (`str` or `list[str]`, *optional*): plain text or SSML (starts with `<speak`). With `phones` it only
                serves `char_spans`.
            phones (*optional*): a [`Timeline`], a list of (IPA phone, start s, end s), or a list of either.
            language (`str`, *optional*): language of `text`; defaults to the tokenizer's.
            padding (`bool`): pad to the longest clip; needed for tensors of clips of different length.
            return_tensors (`str`, *optional*): "np", "pt", or None for Python lists.

        Returns:
            [`VisemeEncoding`]

        Raises:
            ValueError: neither text nor phones, an empty batch, text with nothing to say, timings that overlap, run
                backwards or are no seconds, batches of different size, an unknown language or tensor type.
        """
        if return_tensors not in (None, "np", "pt"):
            raise ValueError(f"return_tensors: {return_tensors!r} is unknown; wants None, 'np' or 'pt'.")
        texts = None if text is None else [text] if isinstance(text, str) else _listed(text, "text")
        timelines = None if phones is None else _timelines(phones)
        if texts is None and timelines is None:
            raise ValueError("text, phones: both are None; give one of them.")
        if texts is not None and timelines is not None and len(texts) != len(timelines):
            raise ValueError(f"text, phones: {len(texts)} texts but {len(timelines)} phone lists; wants as many.")
        language = language or self.config.language
        if timelines is None:
            readings = [Reading.from_text(item, language, self.config.g2p) for item in texts]
        else:
            readings = [Reading.from_timeline(item, texts[i] if texts else None) for i, item in enumerate(timelines)]
        return self._collate([self._encode(reading) for reading in readings], padding, return_tensors)

    def timeline(self, text: str | Sequence[Piece], language: str | None = None) -> Timeline:
        """Phones, with stress marks, and words of a text with nominal times (`text2lip.text.nominal_durations`).

        Args:
            text (`str` or `list[Piece]`): plain text, SSML, or what [`parse_ssml`] or [`plain_pieces`] made of it.
            language (`str`, *optional*): language of `text`; defaults to the tokenizer's.

        Raises:
            ValueError: no text, nothing to say, or an unknown language.
        """
        return Reading.from_text(text, language or self.config.language, self.config.g2p).timeline()

    def _encode(self, reading: Reading) -> dict:
        """Tokens of one clip: phones cut into letters, each with its share of the phone's time."""
        letters: list[str] = []
        edges = [0.0]
        whole: list[int | None] = []  # id of a phone that has one of its own
        first_token = []
        for phone in reading.phones:
            parts = split_phone(phone.label)
            first_token.append(len(letters))
            if phone.label and parts == [("", 1.0)] and letters:  # a lone tone mark: the phone before it goes on
                edges[-1] = phone.end
                continue
            phone_id = self.visemes.phone_id([letter for letter, _ in parts])
            share = 0.0
            for letter, part in parts:
                share += part
                letters.append(letter)
                whole.append(phone_id)
                edges.append(phone.start + share * (phone.end - phone.start))
            edges[-1] = phone.end
        first_token.append(len(letters))
        ids = [i if phone_id is None else phone_id for phone_id, i in zip(whole, self.visemes.letter_ids(letters))]
        char_spans: list[tuple[int, int] | None] = [None] * len(letters)
        word_spans = [(first_token[a], first_token[b]) for a, b in reading.phone_spans]
        for span, (first, last) in zip(reading.char_spans, word_spans):
            char_spans[first:last] = [span] * (last - first)
        return {
            "input_ids": np.array(ids, np.int64),
            "phone_ids": np.array([PHONE_TO_ID[letter] for letter in letters], np.int64),
            "features": sequence_features(letters),
            "durations": np.diff(np.array(edges)).astype(np.float32),
            "attention_mask": np.ones(len(letters), bool),
            "labels": [self.labels[i] for i in ids],
            "text": reading.text,
            "words": reading.words,
            "word_spans": word_spans,
            "char_spans": char_spans,
        }

    def _collate(self, items: list[dict], padding: bool, return_tensors: str | None) -> VisemeEncoding:
        arrays = {
            "input_ids": self.pad_token_id, "phone_ids": 0, "features": 0.0, "durations": 0.0, "attention_mask": False,
        }  # fmt: skip
        lengths = {len(item["input_ids"]) for item in items}
        if return_tensors and not padding and len(lengths) > 1:
            raise ValueError("padding: clips of different length can't be one tensor; set padding=True.")
        encoding = VisemeEncoding({key: [item[key] for item in items] for key in items[0]})
        for key, fill in arrays.items():
            rows = encoding[key]
            if padding:
                rows = [_pad(row, max(lengths), fill) for row in rows]
            if return_tensors is None:
                encoding[key] = [row.tolist() for row in rows]
                continue
            encoding[key] = np.stack(rows)
            if return_tensors == "pt":
                import torch

                encoding[key] = torch.from_numpy(encoding[key])
        return encoding

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Labels of viseme ids (a sequence or a 1-D tensor), else a ValueError; padding is left out."""
        ids = [int(i) for i in ids]
        if wrong := [i for i in ids if not 0 <= i <= self.pad_token_id]:
            raise ValueError(f"ids: {wrong[0]} is not a viseme id; wants 0 to {self.pad_token_id - 1}.")
        return [self.labels[i] for i in ids if i != self.pad_token_id]

    def segments(self, encoding: VisemeEncoding, index: int = 0) -> list[Segment]:
        """Visemes of clip `index` with times in seconds, gapless; neighbours with the same label are joined."""
        joined: list[Segment] = []
        clock = 0.0
        row = zip(encoding["input_ids"][index], encoding["durations"][index], encoding["attention_mask"][index])
        for viseme, duration, real in row:
            if not real:
                continue
            label, end = self.labels[int(viseme)], clock + float(duration)
            if joined and joined[-1].label == label:
                joined[-1] = joined[-1]._replace(end=end)
            else:
                joined.append(Segment(label, clock, end))
            clock = end
        return joined

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike,
        subfolder: str | None = None,
        return_unused_kwargs: bool = False,
        **kwargs,
    ):
        """Load a tokenizer from a folder or a Hub id that holds `tokenizer_config.json`.

        Args:
            pretrained_model_name_or_path (`str` or `os.PathLike`): folder or Hub id.
            subfolder (`str`, *optional*): folder inside of it.
            return_unused_kwargs (`bool`): also return the keyword arguments that were not used.
            kwargs: configuration values to replace, and diffusers' arguments (`revision`, `token`, ...).
        """
        path = pretrained_model_name_or_path
        config, kwargs = cls.load_config(path, subfolder=subfolder, return_unused_kwargs=True, **kwargs)
        return cls.from_config(config, return_unused_kwargs=return_unused_kwargs, **kwargs)

    def save_pretrained(self, save_directory: str | os.PathLike, push_to_hub: bool = False, **kwargs):
        """Write `tokenizer_config.json` to a folder, from where `from_pretrained` loads it again; with `push_to_hub`
        upload it too, `repo_id`, `token`, ... go through `kwargs`."""
        self.save_config(save_directory, push_to_hub=push_to_hub, **kwargs)


def _pad(row: np.ndarray, length: int, fill) -> np.ndarray:
    width = [(0, length - len(row))] + [(0, 0)] * (row.ndim - 1)
    return np.pad(row, width, constant_values=fill)


def _listed(items, name: str) -> list:
    items = list(items)
    if not items:
        raise ValueError(f"{name}: the batch is empty.")
    return items


def _timelines(phones) -> list[Timeline]:
    """A batch of timelines from whatever `__call__` accepts as phones."""
    if isinstance(phones, Timeline):
        phones = [phones]
    items = _listed(phones, "phones")
    if isinstance(items[0], (tuple, list)) and items[0] and isinstance(items[0][0], str):
        items = [items]
    return [_timeline(item) for item in items]


def _timeline(phones) -> Timeline:
    if isinstance(phones, Timeline):
        check_unit(phones.phones, stated=True)
        return phones
    rows = list(phones)
    for row in rows:
        if not (isinstance(row, (tuple, list)) and len(row) == 3 and isinstance(row[0], str)):
            raise ValueError(f"phones: {row!r} is not (IPA phone, start s, end s).")
    if not rows:
        raise ValueError("phones: the list is empty.")
    timeline = Timeline.from_phones(rows)
    check_unit(timeline.phones)
    return timeline
