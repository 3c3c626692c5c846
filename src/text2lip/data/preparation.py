"""From a talking clip to what training and measuring read: landmarks, lip motion, crops, sound, phones with times."""

import io
from typing import Any

import numpy as np

from text2lip.data.clips import SourceClip
from text2lip.data.grid import read_align
from text2lip.text.timing import Segment, Timeline


MIN_CLIP_FRAMES = 10
MAX_LOST = 0.2  # share of frames without a face that may be bridged
LATE_WORD = 0.1  # seconds between aligned and known word ends that are reported


class ClipError(ValueError):
    """A clip that can't be used, with the reason."""


def prepare_clip(clip: SourceClip, landmarker: Any, tokenizer: Any) -> dict[str, Any]:
    """Everything that is known of one clip.

    Args:
        clip (`SourceClip`): video, text, speaker.
        landmarker ([`FaceLandmarker`]): finds and follows the face.
        tokenizer ([`VisemeTokenizer`]): phones to ids.

    Returns:
        `dict`: name, speaker, split, text, language; fps, size (height, width); landmarks float32 (frames, 478, 3)
        normalised, x, y by size; head float32 (frames, 2, 3), pixels to the canonical frame; lips float32
        (frames, 57, 2) canonical; crops, `list` of PNG bytes, 96 px; audio int16 (samples,) at 16 kHz; mel float32
        (frames, 320); phones, words `list[Segment]`; phone_ids, viseme_ids int64 (tokens,), durations float32
        (tokens,) s; aligned_by "sound" or "file"; late_words: words whose end is over 100 ms from the known one;
        mesh: which one found the landmarks ([`~text2lip.faces.mesh_version.mesh_version`]).

    Raises:
        ClipError: the video can't be read, is too short, shows no face, or is silent.
    """
    from text2lip.faces.canonical import canonical_lips, canonical_transforms
    from text2lip.faces.geometry import to_pixels
    from text2lip.faces.mesh_version import mesh_version
    from text2lip.speech.audio import load_audio, resample, to_int16
    from text2lip.speech.features import SAMPLING_RATE, log_mel

    frames, fps = _read(clip)
    landmarks = track(frames, landmarker)
    height, width = frames[0].shape[:2]
    points = to_pixels(landmarks, height, width)[..., :2]
    try:
        audio = resample(*load_audio(clip.video), SAMPLING_RATE)
    except ValueError as error:
        raise ClipError(f"no sound ({error})") from error
    if np.abs(audio).max() < 1e-3:
        raise ClipError("the sound is silent")
    timeline, aligned_by, late = time_words(clip, audio, SAMPLING_RATE)
    tokens = tokenizer(phones=timeline, language=clip.language, return_tensors="np")
    return {
        "name": clip.name,
        "speaker": clip.speaker,
        "split": clip.split,
        "text": clip.text,
        "language": clip.language,
        "fps": fps,
        "size": (height, width),
        "landmarks": landmarks,
        "head": canonical_transforms(points).astype(np.float32),
        "lips": canonical_lips(points),
        "crops": mouth_crops(frames, points),
        "audio": to_int16(audio),
        "mel": log_mel(audio, len(frames), fps),
        "phones": timeline.phones,
        "words": timeline.words,
        "phone_ids": tokens["phone_ids"][0],
        "viseme_ids": tokens["input_ids"][0],
        "durations": tokens["durations"][0],
        "aligned_by": aligned_by,
        "late_words": late,
        "mesh": mesh_version(landmarker),
    }


def _read(clip: SourceClip) -> tuple[list[np.ndarray], float]:
    from text2lip.media.video import read_frames, video_info

    try:
        fps = video_info(clip.video).fps
        frames = list(read_frames(clip.video, fps))  # on the clock of the sound
    except (ValueError, OSError) as error:
        raise ClipError(f"can't be read ({error})") from error
    if len(frames) < MIN_CLIP_FRAMES:
        raise ClipError(f"too short: {len(frames)} frames, wants {MIN_CLIP_FRAMES}")
    return frames, fps


def track(frames: list[np.ndarray], landmarker: Any) -> np.ndarray:
    """Landmarks of every frame, short losses bridged, smoothed without lag: float32 (frames, 478, 3).

    Raises:
        ClipError: no face, or lost in more than a fifth of the frames.
    """
    try:
        landmarks, _ = landmarker.track(frames)
    except ValueError as error:
        raise ClipError(f"no face ({error})") from error
    lost = np.isnan(landmarks).any((1, 2))
    if lost.mean() > MAX_LOST:
        raise ClipError(f"no face in {lost.sum()} of {len(lost)} frames")
    return smooth_landmarks(bridge(landmarks, lost))


def bridge(landmarks: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Fill the frames that are `lost` (frames,) by straight lines between their neighbours."""
    if not lost.any():
        return landmarks
    found = np.flatnonzero(~lost)
    flat = landmarks.reshape(len(landmarks), -1)
    filled = np.stack([np.interp(np.arange(len(flat)), found, column[found]) for column in flat.T], 1)
    return filled.reshape(landmarks.shape).astype(np.float32)


def smooth_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Zero-lag smoothing along the frames: a parabola through five (Savitzky & Golay 1964), which keeps peaks.

    Args:
        landmarks (`np.ndarray`): (frames, ...), at least five frames.
    """
    from scipy.signal import savgol_filter

    return savgol_filter(landmarks, 5, 2, axis=0, mode="interp").astype(np.float32)


def mouth_crops(frames: list[np.ndarray], points: np.ndarray) -> list[bytes]:
    """The stabilised mouth crop of every frame as PNG, 96 x 96."""
    from PIL import Image

    from text2lip.faces.crop import CROP_SIZE, crop, mouth_crop_transform

    packed = []
    for frame, matrix in zip(frames, mouth_crop_transform(points)):
        buffer = io.BytesIO()
        Image.fromarray(crop(frame, matrix, CROP_SIZE)).save(buffer, "PNG", compress_level=1)
        packed.append(buffer.getvalue())
    return packed


def time_words(clip: SourceClip, audio: np.ndarray, sampling_rate: int) -> tuple[Timeline, str, list[str]]:
    """Phones and words by alignment of the sound; by the clip's own word times where that fails.

    Returns:
        `tuple`: the timeline, "sound" or "file", and the words whose end lies over 100 ms from the known one.

    Raises:
        ClipError: the sound can't be aligned and there are no known word times.
    """
    from text2lip.speech.alignment import AlignmentError
    from text2lip.speech.forced_alignment import align

    known = read_align(clip.align) if clip.align else []
    try:
        timeline = align(audio, sampling_rate, clip.spoken or clip.text, clip.language)
    except AlignmentError as error:
        if not known:
            raise ClipError(f"sound and text don't fit ({error})") from error
        return spread_phones(known, clip, len(audio) / sampling_rate), "file", []
    words = clip.text.split()
    if len(words) == len(timeline.words):
        timed = [Segment(word, segment.start, segment.end) for word, segment in zip(words, timeline.words)]
        timeline = Timeline(timeline.phones, timed, timeline.duration)
    late = [
        f"{ours.label} {ours.end - theirs.end:+.2f} s"
        for ours, theirs in zip(timeline.words, known)
        if abs(ours.end - theirs.end) > LATE_WORD
    ]
    return timeline, "sound", late


def spread_phones(words: list[Segment], clip: SourceClip, duration: float) -> Timeline:
    """Phones of known `words`, each word's time shared by its phones in proportion to their nominal durations."""
    from text2lip.text.nominal_durations import PHONE_SECONDS, phone_class
    from text2lip.text.phonemes import get_g2p

    spoken = (clip.spoken or clip.text).split()
    g2p = get_g2p("espeak", clip.language)
    phones = []
    for word, text in zip(words, spoken):
        labels = [phone for part in g2p(text) for phone in part.phones]
        shares = np.array([PHONE_SECONDS[phone_class(label)] for label in labels])
        edges = word.start + (word.end - word.start) * np.concatenate([[0], shares.cumsum() / shares.sum()])
        phones += [Segment(label, edges[i], edges[i + 1]) for i, label in enumerate(labels)]
    return Timeline.from_phones(phones, words, max(duration, phones[-1].end))
