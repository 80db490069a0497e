import ArgumentParser
import Tensors

/// What a model's products are computed in.
struct PrecisionOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What products are computed in: float32, or bfloat16 with sums in float32: up to twice as fast on processors that have it (attune doctor says), and half the memory for weights. float16 is for devices of PyTorch without bfloat16, tf32 for CUDA (docs/precision.md).",
            valueName: "type"))
    var precision = Precision.float32
}

extension Precision: ExpressibleByArgument {}
