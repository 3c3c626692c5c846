"""Reads the weights out of a .tflite file: just enough of FlatBuffers and of the TFLite schema, no package needed."""

import struct
from dataclasses import dataclass

import numpy as np


ADD, CONCATENATION, CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, PRELU = 0, 2, 3, 4, 6, 54
DTYPES = {0: np.float32, 1: np.float16, 2: np.int32}


@dataclass
class Operator:
    """One node of the graph: its code (see the constants above) and the tensors that it reads and writes."""

    code: int
    inputs: list[int]
    outputs: list[int]


class Table:
    """A FlatBuffers table at byte `position` of `data`; fields are addressed by their number in the schema."""

    def __init__(self, data: bytes, position: int):
        self.data, self.position = data, position
        self.vtable = position - struct.unpack_from("<i", data, position)[0]
        self.vtable_size = struct.unpack_from("<H", data, self.vtable)[0]

    def at(self, field: int) -> int | None:
        """Byte position of a field, None where the file leaves it at its default."""
        slot = 4 + 2 * field
        if slot >= self.vtable_size:
            return None
        offset = struct.unpack_from("<H", self.data, self.vtable + slot)[0]
        return self.position + offset if offset else None

    def number(self, field: int, form: str = "<i") -> int:
        where = self.at(field)
        return 0 if where is None else struct.unpack_from(form, self.data, where)[0]

    def vector(self, field: int, dtype) -> np.ndarray:
        where = self.at(field)
        if where is None:
            return np.empty(0, dtype)
        where += struct.unpack_from("<I", self.data, where)[0]
        count = struct.unpack_from("<I", self.data, where)[0]
        return np.frombuffer(self.data, dtype, count, where + 4)

    def tables(self, field: int) -> list["Table"]:
        where = self.at(field)
        if where is None:
            return []
        start = where + struct.unpack_from("<I", self.data, where)[0] + 4
        return [Table(self.data, start + 4 * i + int(offset)) for i, offset in enumerate(self.vector(field, "<u4"))]


class TFLiteGraph:
    """The operators and constants of a .tflite file's only subgraph.

    Args:
        data (`bytes`): the file. ValueError unless it is a TFLite FlatBuffer.
    """

    def __init__(self, data: bytes):
        if data[4:8] != b"TFL3":
            raise ValueError(f"`data` must be a TFLite file (b'TFL3' at byte 4), got {data[4:8]!r} there")
        model = Table(data, struct.unpack_from("<I", data)[0])
        codes = [max(code.number(0, "<b"), code.number(3)) for code in model.tables(1)]
        (graph,) = model.tables(2)
        self.buffers = model.tables(4)
        self.tensors = graph.tables(0)
        self.outputs = graph.vector(2, "<i4").tolist()
        self.operators = [
            Operator(codes[node.number(0, "<I")], node.vector(1, "<i4").tolist(), node.vector(2, "<i4").tolist())
            for node in graph.tables(3)
        ]
        self.maker = {tensor: operator for operator in self.operators for tensor in operator.outputs}

    def constant(self, tensor: int) -> np.ndarray:
        """The values of a constant tensor; float16 ones are found behind the operator that widens them."""
        maker = self.maker.get(tensor)
        if maker is not None and maker.code == DEQUANTIZE:
            tensor = maker.inputs[0]
        table = self.tensors[tensor]
        values = self.buffers[table.number(2, "<I")].vector(0, np.uint8)
        return values.view(DTYPES[table.number(1, "<b")]).reshape(table.vector(0, "<i4"))

    def weighted_before(self, tensor: int) -> list[Operator]:
        """Operators with weights on which `tensor` depends, in the file's order."""
        wanted, open_tensors = set(), [tensor]
        while open_tensors:
            operator = self.maker.get(open_tensors.pop())
            if operator is not None and id(operator) not in wanted:
                wanted.add(id(operator))
                open_tensors += operator.inputs
        weighted = (CONV_2D, DEPTHWISE_CONV_2D, PRELU)
        return [operator for operator in self.operators if id(operator) in wanted and operator.code in weighted]

    def weights(self, operators: list[Operator]) -> list[np.ndarray]:
        """Weights in torch's layout: (out, in, height, width) and a bias per convolution, (channels,) per PReLU."""
        arrays = []
        for operator in operators:
            first, *rest = (self.constant(tensor) for tensor in operator.inputs[1:])
            if operator.code == PRELU:
                first = first.reshape(-1)
            else:  # (out, height, width, in), or (1, height, width, channels) for depthwise
                first = first.transpose((0, 3, 1, 2) if operator.code == CONV_2D else (3, 0, 1, 2))
            arrays += [np.ascontiguousarray(first), *rest]
        return arrays
