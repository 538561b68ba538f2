# SPDX-License-Identifier: Apache-2.0
"""ResNet-50 (He et al. 2015; stride in the 3 x 3 convolution) with random weights, as an ONNX file.

Batch norm is folded into the convolutions, as anybody would run it; the last layer has one output.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride of the first


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(1)

    def weight(self, *shape):
        name = f"w{len(self.weights)}"
        scale = np.sqrt(2 / max(1, np.prod(shape[1:])))
        value = (self.random.standard_normal(shape) * scale).astype(np.float32)
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def node(self, op, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def conv(self, x, wide, narrow, size, stride=1):
        return self.node("Conv", x, self.weight(wide, narrow, size, size), self.weight(wide),
                         kernel_shape=[size, size], strides=[stride, stride], pads=[size // 2] * 4)

    def block(self, x, narrow, width, stride, first):
        y = self.node("Relu", self.conv(x, width, narrow, 1))
        y = self.node("Relu", self.conv(y, width, width, 3, stride))
        y = self.conv(y, 4 * width, width, 1)
        return self.node("Relu", self.node("Add", y, self.conv(x, 4 * width, narrow, 1, stride) if first else x))


def build():
    g = Graph()
    x = g.node("Relu", g.conv("pixels", 64, 3, 7, 2))
    x = g.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    narrow = 64
    for width, blocks, stride in STAGES:
        for i in range(blocks):
            x = g.block(x, narrow, width, stride if i == 0 else 1, i == 0)
            narrow = 4 * width
    x = g.node("Flatten", g.node("GlobalAveragePool", x))
    x = g.node("Gemm", x, g.weight(1, narrow), g.weight(1), transB=1)
    graph = helper.make_graph(
        g.nodes, "resnet50", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", 1])], g.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def ensure(folder):
    path = folder / "resnet50.onnx"
    if not path.exists():
        part = path.with_suffix(".part")
        onnx.save(build(), part)
        part.replace(path)
    return str(path)
