"""Writes what MediaPipe itself gives for a picture to `tests/faces/golden_person_matte.npz`.

The network has an operator that no interpreter but MediaPipe's knows, and the last MediaPipe that holds it wants
numpy 1 and Python 3.12 at most, so this runs in an environment of its own:

    pip install mediapipe==0.10.21
    python utils/golden_person_matte.py
"""

import hashlib
import os
from pathlib import Path

import mediapipe
import numpy as np


ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/faces/golden_person_matte.npz"
MODEL = "modules/selfie_segmentation/selfie_segmentation.tflite"


def main() -> None:
    model = Path(mediapipe.__file__).parent / MODEL
    print("model", hashlib.sha256(model.read_bytes()).hexdigest())
    with np.load(ROOT / "tests/faces/golden_face_mesh.npz") as stored:
        crop = stored["crop"]  # of the astronaut's photograph (NASA, public domain)
    image = np.pad(crop, ((0, 64), (32, 32), (0, 0)), mode="edge")  # 256 x 256: MediaPipe then resamples nothing
    with mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as segmentation:
        mask = segmentation.process(image).segmentation_mask
    part = GOLDEN.with_name(GOLDEN.name + ".part.npz")
    np.savez_compressed(part, mask=np.asarray(mask, np.float16))
    os.replace(part, GOLDEN)
    print("wrote", GOLDEN.relative_to(ROOT), "mean", float(mask.mean()))


if __name__ == "__main__":
    main()
