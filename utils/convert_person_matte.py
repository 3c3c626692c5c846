"""Converts MediaPipe's selfie segmentation into this library's files.

The source is the npm package @mediapipe/selfie_segmentation 0.1.1675465747 (Apache-2.0):

    npm pack @mediapipe/selfie_segmentation@0.1.1675465747 && tar xf mediapipe-selfie_segmentation-*.tgz
    python utils/convert_person_matte.py package/selfie_segmentation.tflite

writes `src/text2lip/checkpoints/person_matte/` (config and weights). `golden_person_matte.py` writes what MediaPipe
itself gives for a picture, which the tests compare with.
"""

import argparse
from pathlib import Path

import numpy as np
from convert_face_mesh import fill
from published_weights import read_published, store_published
from tflite_weights import TFLiteGraph

from text2lip.faces.person_matte import PersonMatte


ROOT = Path(__file__).parents[1]
CHECKPOINT = ROOT / "src/text2lip/checkpoints/person_matte"
DATA = "By MediaPipe's authors on data of their own, none of which was seen here."
LICENCE = "Apache-2.0"
NOTES = "Copyright The MediaPipe Authors; NOTICE.md beside the weights tells their source and what was changed."
COMMAND = "python utils/convert_person_matte.py package/selfie_segmentation.tflite"
SHA256 = "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27"


def convert(data: bytes) -> PersonMatte:
    """The network with the weights of `selfie_segmentation.tflite`."""
    graph = TFLiteGraph(data)
    arrays = graph.weights(graph.weighted_before(graph.outputs[0]))
    last = graph.maker[graph.maker[graph.outputs[0]].inputs[0]]  # MediaPipe's own Convolution2DTransposeBias
    weight, bias = (graph.constant(tensor) for tensor in last.inputs[1:])
    model = PersonMatte()
    fill(model, [*arrays, np.ascontiguousarray(weight.transpose(3, 0, 1, 2)), bias])
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tflite", type=Path, help="selfie_segmentation.tflite of the npm package")
    args = parser.parse_args()
    data = read_published(args.tflite, SHA256, "version 0.1.1675465747")
    model = convert(data)
    store_published(model, CHECKPOINT, data=DATA, licence=LICENCE, command=COMMAND, notes=NOTES)
    print("wrote", CHECKPOINT.relative_to(ROOT))


if __name__ == "__main__":
    main()
