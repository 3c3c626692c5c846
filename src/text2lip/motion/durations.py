"""How long a text takes that nobody says: the times of a silent film."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from text2lip.devices import execution_device
from text2lip.text.nominal_durations import EDGE_SECONDS
from text2lip.text.ssml import Piece, to_pieces
from text2lip.text.timing import Segment, Timeline


PHONE_RANGE = (0.03, 0.4)  # seconds at speaking rate 1


def predict_timeline(
    viseme_encoder: Any,
    tokenizer: Any,
    text: str | Sequence[Piece],
    language: str | None = None,
    speaking_rate: float = 1.0,
    lead: float = EDGE_SECONDS[0],
    tail: float = EDGE_SECONDS[1],
) -> Timeline:
    """Times of a text by the encoder's duration head; pauses are those of punctuation and markup.

    Args:
        viseme_encoder ([`VisemeEncoderModel`]): predicts seconds of each viseme.
        tokenizer ([`VisemeTokenizer`]): text to phones and visemes.
        text (`str` or `list[Piece]`): plain text, SSML, or its pieces.
        language (`str`, *optional*): language of `text`; defaults to the tokenizer's.
        speaking_rate (`float`): 2 is twice as fast; breaks of SSML keep their length.
        lead, tail (`float`): seconds of silence before the first and after the last phone.

    Returns:
        [`Timeline`]: of phones with stress marks, and words.

    Raises:
        ValueError: no text, nothing to say, an unknown language, or an encoder for other visemes than the tokenizer's.
    """
    viseme_encoder.check_tokenizer(tokenizer)
    language = language or tokenizer.config.language
    text = to_pieces(text, language)
    last = max((i for i, piece in enumerate(text) if piece.text), default=-1)
    after = sum(piece.pause for piece in text[last + 1 :])
    if last < 0 and after > 0:  # breaks alone
        return Timeline.from_phones([("", 0.0, after)])
    plain = tokenizer.timeline([replace(piece, rate=1.0) for piece in text], language)
    paced = tokenizer.timeline([replace(piece, rate=piece.rate * speaking_rate) for piece in text], language)
    seconds = predict_seconds(viseme_encoder, tokenizer, plain)
    edges = {0: lead - EDGE_SECONDS[0], len(seconds) - 1: tail - EDGE_SECONDS[1] + after}
    clock, phones, new_time = 0.0, [], {}
    for i, (phone, nominal, length) in enumerate(zip(paced.phones, plain.phones, seconds)):
        if phone.label:
            length *= (phone.end - phone.start) / (nominal.end - nominal.start)  # the pace here
        else:
            length = phone.end - phone.start + edges.get(i, 0.0)
        phones.append(Segment(phone.label, clock, clock + length))
        new_time[phone.start], new_time[phone.end] = clock, clock + length
        clock += length
    words = [word._replace(start=new_time[word.start], end=new_time[word.end]) for word in paced.words]
    return Timeline.from_phones(phones, words)


@torch.no_grad()
def predict_seconds(viseme_encoder: Any, tokenizer: Any, timeline: Timeline) -> np.ndarray:
    """Seconds of each phone of a timeline, whose own times don't count: float (phones,), within `PHONE_RANGE`."""
    tokens = tokenizer(phones=timeline, return_tensors="pt").to(execution_device(viseme_encoder))
    output = viseme_encoder(tokens.input_ids, tokens.attention_mask, tokens.phone_ids, tokens.features)
    lengths = output.durations(tokens.attention_mask)[0].cpu().numpy()
    nominal = tokens.durations[0].cpu().double().numpy()
    middles = np.cumsum(nominal) - nominal / 2
    owners = np.searchsorted([phone.end for phone in timeline.phones], middles)  # a phone is one or more tokens
    return np.bincount(owners, lengths, len(timeline.phones)).clip(*PHONE_RANGE)
