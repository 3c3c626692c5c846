"""SyncNet's judgement of lips and sound: LSE-D (distance) and LSE-C (confidence).

Chung & Zisserman 2016, "Out of Time: Automated Lip Sync in the Wild"; LSE-D and LSE-C are the names that Prajwal et
al. 2020 (Wav2Lip) gave to its scores. The layers, their names and the preprocessing are those of the authors'
published code, so that `syncnet_v2.model` loads by name (utils/convert_metric_weights.py). The scores may be called
LSE-C and LSE-D only with these weights, and always with the sound that was used. No weights ship.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.fft import dct
from scipy.ndimage import median_filter
from torch import nn

from text2lip.metrics.aggregate import to_array
from text2lip.metrics.frame_arrays import as_frames, mesh_points
from text2lip.metrics.judge import Judge
from text2lip.speech.features import mel_filters


_FPS, _RATE, _SIZE = 25, 16000, 224
_WINDOW = 5  # frames, which are 20 steps of the MFCC
_MARGIN = 0.4  # of half a face, around it
_STEPS = 4  # MFCC steps a frame
MAX_SHIFT = 15


class SyncNet(Judge):
    """Two towers into one space of 1024 dimensions: 5 face frames, and 0.2 s of MFCC."""

    metric = "lse"

    def __init__(self):
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_block(nn.Conv2d(1, 64, 3, padding=1)),
            nn.MaxPool2d(1, 1),
            *_block(nn.Conv2d(64, 192, 3, padding=1)),
            nn.MaxPool2d(3, (1, 2)),
            *_block(nn.Conv2d(192, 384, 3, padding=1)),
            *_block(nn.Conv2d(384, 256, 3, padding=1)),
            *_block(nn.Conv2d(256, 256, 3, padding=1)),
            nn.MaxPool2d(3, 2),
            *_block(nn.Conv2d(256, 512, (5, 4))),
        )
        self.netcnnlip = nn.Sequential(
            *_block(nn.Conv3d(3, 96, (5, 7, 7), (1, 2, 2))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(nn.Conv3d(256, 512, (1, 6, 6))),
        )
        self.netfcaud, self.netfclip = _head(), _head()

    def forward_aud(self, mfcc: torch.Tensor) -> torch.Tensor:
        """MFCC (batch, 1, 13, 20) to (batch, 1024)."""
        return self.netfcaud(self.netcnnaud(mfcc).flatten(1))

    def forward_lip(self, faces: torch.Tensor) -> torch.Tensor:
        """Faces (batch, 3, 5, 224, 224), blue green red in [0, 255], to (batch, 1024)."""
        return self.netfclip(self.netcnnlip(faces).flatten(1))


def _block(convolution: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module]:
    norm = nn.BatchNorm3d if isinstance(convolution, nn.Conv3d) else nn.BatchNorm2d
    return convolution, norm(convolution.out_channels), nn.ReLU()


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


class SyncScores(NamedTuple):
    """LSE-C (higher is better), LSE-D (lower is better), and the frames by which the sound comes too early."""

    lse_c: float
    lse_d: float
    offset: int


def sync_scores(lips: Any, sound: Any, max_shift: int = MAX_SHIFT) -> SyncScores:
    """The scoring rule: distances of lips and sound at every shift.

    The sound is shifted by -15 to 15 frames (past its ends it is zeros, as in the published code); at each shift the
    Euclidean distances are averaged over the windows. LSE-D is the smallest of the 31 means, LSE-C the median minus
    the smallest, the offset where the smallest is found.

    Args:
        lips, sound (`np.ndarray` or `torch.Tensor`): (windows, 1024), one for each frame, or a ValueError.
        max_shift (`int`): frames.
    """
    lips, sound = (torch.from_numpy(to_array(x, np.float64)) for x in (lips, sound))
    if lips.ndim != 2 or lips.shape != sound.shape or not len(lips):
        raise ValueError(f"lips: has shape {tuple(lips.shape)}, sound {tuple(sound.shape)}; wants equal (windows, d).")
    padded = F.pad(sound, (0, 0, max_shift, max_shift))
    shifted = padded.unfold(0, len(lips), 1).transpose(1, 2)  # (shifts, windows, dimensions)
    distance = F.pairwise_distance(lips[None], shifted).mean(1)  # (shifts,)
    smallest, at = distance.min(0)
    return SyncScores(float(distance.median() - smallest), float(smallest), max_shift - int(at))


@torch.no_grad()
def sync_features(
    faces: Any, audio: Any, *, fps: float, sampling_rate: int, model: SyncNet | None = None, batch_size: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """SyncNet's view of every 5-frame window and of its sound: two float32 (windows, 1024).

    Args and errors as in [`lse`]; windows = min(frames, sound in frames) - 5.
    """
    faces, audio = as_frames(faces, "faces"), to_array(audio)
    if fps != _FPS:
        raise ValueError(f"fps: {fps}; SyncNet judges {_FPS} frames per second.")
    if sampling_rate != _RATE:
        raise ValueError(f"sampling_rate: {sampling_rate}; SyncNet hears {_RATE} Hz, resample the sound.")
    if faces.shape[1:3] != (_SIZE, _SIZE):
        raise ValueError(
            f"faces: are {faces.shape[2]} x {faces.shape[1]} px; SyncNet sees crops of {_SIZE} x {_SIZE}."
        )
    if audio.ndim != 1:
        raise ValueError(f"audio: has shape {audio.shape}; wants mono (samples,).")
    windows = min(len(faces), len(audio) // (_RATE // _FPS)) - _WINDOW
    if windows < 1:
        raise ValueError(f"faces: {len(faces)} frames with {len(audio)} samples; wants more than {_WINDOW} frames.")
    model = model or SyncNet.published()
    like = next(model.parameters())
    coefficients = torch.from_numpy(syncnet_mfcc(audio)).to(like.dtype).to(like.device)[None]  # (1, 13, steps)
    bgr = np.ascontiguousarray(faces[..., ::-1])
    lips, sound = [], []
    for start in range(0, windows, batch_size):
        firsts = range(start, min(start + batch_size, windows))
        clip = torch.from_numpy(bgr[start : firsts[-1] + _WINDOW]).to(like.dtype).to(like.device)
        clip = clip * (1 if bgr.dtype == np.uint8 else 255)
        seen = torch.stack([clip[i : i + _WINDOW] for i in range(len(firsts))])
        lips.append(model.forward_lip(seen.movedim(-1, 1)))
        steps = [coefficients[..., i * _STEPS : i * _STEPS + _WINDOW * _STEPS] for i in firsts]
        sound.append(model.forward_aud(torch.stack(steps)))
    return tuple(torch.cat(x).float().cpu().numpy() for x in (lips, sound))


def syncnet_faces(frames: Any, points: np.ndarray) -> np.ndarray:
    """Faces as SyncNet's published pipeline cuts them, by the mesh in the place of its face detector.

    The square of the face's longer side, median of 13 frames, with 0.2 of it more at both sides and 0.4 below.
    Outside of the picture it is grey, 110.

    Args:
        frames (`np.ndarray`): (frames, height, width, 3), uint8 or float in [0, 1].
        points (`np.ndarray`): (frames, 468 or more, 2 or more), landmarks in pixels.

    Returns:
        `np.ndarray`: uint8 (frames, 224, 224, 3).

    Raises:
        ValueError: bad frames, landmarks of another number, or with NaN.
    """
    frames, points = as_frames(frames), mesh_points(points, len(frames))
    low, high = points[:, :468, :2].min(1), points[:, :468, :2].max(1)
    half = median_filter((high - low).max(1) / 2, 13, mode="nearest")
    centre = median_filter((low + high) / 2, (13, 1), mode="nearest")
    faces = []
    for frame, (x, y), reach in zip(frames, centre, half):
        scale = _SIZE / (2 * reach * (1 + _MARGIN))
        matrix = np.array([[scale, 0, scale * (reach * (1 + _MARGIN) - x)], [0, scale, scale * (reach - y)]])
        levels = frame if frame.dtype == np.uint8 else (255 * frame).round().astype(np.uint8)
        faces.append(cv2.warpAffine(levels, matrix, (_SIZE, _SIZE), borderValue=(110, 110, 110)))
    return np.stack(faces)


def lse(faces: Any, audio: Any, *, fps: float, sampling_rate: int, model: SyncNet | None = None) -> SyncScores:
    """LSE-C and LSE-D of one clip.

    Args:
        faces (`np.ndarray` or `torch.Tensor`): (frames, 224, 224, 3) RGB, uint8 or float in [0, 1]: face crops.
        audio (`np.ndarray`): (samples,), mono, in [-1, 1].
        fps (`float`): must be 25.
        sampling_rate (`int`): must be 16000.
        model (`SyncNet`, *optional*): defaults to the weights in the weights folder, read once.

    Raises:
        ValueError: another rate, size or shape, or a clip of no more than 5 frames.
        MissingWeights: no model is given and the weights are not there.
    """
    return sync_scores(*sync_features(faces, audio, fps=fps, sampling_rate=sampling_rate, model=model))


def syncnet_mfcc(audio: np.ndarray) -> np.ndarray:
    """Mel-frequency cepstral coefficients as SyncNet hears them: float64 (13, steps), 100 steps a second.

    Davis & Mermelstein 1980 with the defaults of python_speech_features, on samples of 16 bits: pre-emphasis 0.97,
    25 ms windows without a taper every 10 ms, 512-point spectrum, 26 mel bands to 8 kHz, orthonormal DCT, lifter 22,
    the first coefficient replaced by the log energy. `audio` (samples,) in [-1, 1] is at 16 kHz.
    """
    signal = np.round(np.clip(np.asarray(audio, np.float64), -1, 1) * 32767)
    signal = np.append(signal[:1], signal[1:] - 0.97 * signal[:-1])
    length, hop, size = 400, 160, 512
    steps = 1 + max(0, -(-(len(signal) - length) // hop))
    signal = np.pad(signal, (0, max(0, (steps - 1) * hop + length - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(signal, length)[::hop][:steps]
    power = np.abs(np.fft.rfft(frames, size)) ** 2 / size  # (steps, 257)
    tiny = np.finfo(float).eps
    energy = np.maximum(power.sum(1), tiny)
    bands = np.log(np.maximum(power @ mel_filters(26, size, whole_bins=True).T, tiny))
    coefficients = dct(bands, type=2, axis=1, norm="ortho")[:, :13]
    coefficients *= 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    coefficients[:, 0] = np.log(energy)
    return coefficients.T
