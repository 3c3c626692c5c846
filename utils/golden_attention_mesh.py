"""Writes what MediaPipe itself gives for the crop in `tests/faces/golden_face_mesh.npz` into that file.

The attention mesh has operators that no interpreter but MediaPipe's knows, and the last MediaPipe that holds it wants
numpy 1 and Python 3.12 at most, so this runs in an environment of its own, after `convert_face_mesh.py --golden`:

    pip install mediapipe==0.10.21
    python utils/golden_attention_mesh.py
"""

import os
from pathlib import Path

import mediapipe
import numpy as np
from google.protobuf import text_format
from mediapipe.framework import calculator_pb2
from mediapipe.python import packet_creator, packet_getter
from mediapipe.python._framework_bindings import resource_util


GOLDEN = Path(__file__).parents[1] / "tests/faces/golden_face_mesh.npz"
# The whole crop goes into the network: no detector and no smoothing, which MediaPipe's own solution would add.
GRAPH = """
input_stream: "image" output_stream: "landmarks" output_stream: "score" input_side_packet: "with_attention"
node { calculator: "ImageToTensorCalculator" input_stream: "IMAGE:image" output_stream: "TENSORS:crop"
    options { [mediapipe.ImageToTensorCalculatorOptions.ext] {
        output_tensor_width: 192 output_tensor_height: 192 output_tensor_float_range { min: 0.0 max: 1.0 } } } }
node { calculator: "FaceLandmarksModelLoader"
    input_side_packet: "WITH_ATTENTION:with_attention" output_side_packet: "MODEL:model" }
node { calculator: "TfLiteCustomOpResolverCalculator" output_side_packet: "OP_RESOLVER:operators" }
node { calculator: "InferenceCalculator" input_stream: "TENSORS:crop" output_stream: "TENSORS:all"
    input_side_packet: "MODEL:model" input_side_packet: "OP_RESOLVER:operators"
    options { [mediapipe.InferenceCalculatorOptions.ext] { delegate { tflite {} } } } }
node { calculator: "SplitTensorVectorCalculator"
    input_stream: "all" output_stream: "points" output_stream: "presence"
    options { [mediapipe.SplitVectorCalculatorOptions.ext] {
        ranges { begin: 0 end: 6 } ranges { begin: 6 end: 7 } } } }
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:presence" output_stream: "FLOAT:score" }
node { calculator: "TensorsToFaceLandmarksWithAttention"
    input_stream: "TENSORS:points" output_stream: "LANDMARKS:landmarks" }
"""


def attention_mesh(crop: np.ndarray) -> tuple[np.ndarray, float]:
    """Points `(478, 3)` in pixels of `crop` (192, 192, 3), uint8, and the logit of a face being there."""
    resource_util.set_resource_dir(os.path.dirname(os.path.dirname(mediapipe.__file__)))
    graph = mediapipe.CalculatorGraph(graph_config=text_format.Parse(GRAPH, calculator_pb2.CalculatorGraphConfig()))
    landmarks, scores = [], []
    graph.observe_output_stream(
        "landmarks", lambda _, packet: landmarks.extend(packet_getter.get_proto(packet).landmark)
    )
    graph.observe_output_stream("score", lambda _, packet: scores.append(packet_getter.get_float(packet)))
    graph.start_run({"with_attention": packet_creator.create_bool(True)})
    image = packet_creator.create_image_frame(np.ascontiguousarray(crop), image_format=mediapipe.ImageFormat.SRGB)
    graph.add_packet_to_input_stream("image", image.at(0))
    graph.close_all_packet_sources()
    graph.wait_until_done()
    return np.array([(point.x, point.y, point.z) for point in landmarks], np.float32) * len(crop), scores[0]


def main() -> None:
    with np.load(GOLDEN) as stored:
        arrays = dict(stored)
    points, logit = attention_mesh(arrays["crop"])
    arrays.update(refined_points=points, refined_logit=np.float32(logit))
    part = GOLDEN.with_name(GOLDEN.name + ".part.npz")
    np.savez_compressed(part, **arrays)
    os.replace(part, GOLDEN)
    print("wrote", GOLDEN)


if __name__ == "__main__":
    main()
