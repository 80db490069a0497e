import Images
import Tensors

extension RGBImage {
    /// One image of a batch in −1…1, rounded as diffusers rounds; what is not a number becomes black.
    init(_ batch: Tensor, index: Int) {
        let (height, width) = (batch.shape[1], batch.shape[2])
        let size = height * width * 3
        let pixels = batch.withValues { values in
            values[index * size..<(index + 1) * size].map { value in
                let share = value / 2 + 0.5
                // Not by max and min, which hand on a NaN that no integer can hold.
                return share > 0 ? UInt8(((share < 1 ? share : 1) * 255).rounded(.toNearestOrEven)) : 0
            }
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// `[1, H, W, 3]` in −1…1.
    var tensor: Tensor { Tensor(shape: [1, height, width, 3], values: pixels.map { Float($0) / 127.5 - 1 }) }
}
