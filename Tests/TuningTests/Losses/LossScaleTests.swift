import Tensors
import Testing
import Tuning

@Suite struct LossScaleTests {
    /// Slopes of predictions come near 1/8 of those of a plain sum, whatever the sizes are.
    @Test(arguments: [1, 2048, 16384, 1 << 20, 12345], [1, 0.02, 2500])
    func slopesComeNearOne(values: Int, steepness: Double) {
        for share in [1, 1.0 / 50] {
            let scale = LossScale.factor(.float16, values: values, steepness: steepness, share: share)
            #expect(scale.significand == 1)
            let slope = Double(scale) * steepness * share / Double(values)
            #expect(slope > 1.0 / 16 && slope <= 1.0 / 8, "\(slope)")
        }
    }

    @Test func otherTypesNeedNone() {
        for dtype in [.float32, .bfloat16] as [DType] {
            #expect(LossScale.factor(dtype, values: 1 << 20, steepness: 2500, share: 1) == 1)
        }
    }
}
