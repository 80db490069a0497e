/// How well a mask matches each shape.
enum ShapeTemplates {
    /// Masks are compared at this many cells along each side of the bounding box.
    static let cells = 24

    private static let templates: [(kind: ShapeKind, mask: [Float])] = ShapeKind.allCases.map { ($0, template($0)) }

    /// The shape with the best intersection over union.
    ///
    /// - Parameter mask: rows of `width` values, cut to the object's bounding box.
    static func best(_ mask: [Bool], width: Int) -> (kind: ShapeKind, iou: Double) {
        let cells = resample(mask, width: width)
        var best = (kind: ShapeKind.circle, iou: -1.0)
        for (kind, template) in templates {
            var (both, either): (Float, Float) = (0, 0)
            for (a, b) in zip(cells, template) {
                both += min(a, b)
                either += max(a, b)
            }
            let iou = Double(both / either)
            if iou > best.iou { best = (kind, iou) }
        }
        return best
    }

    /// A large drawing of the shape. A pixel counts where the shape covers more than a third of it, as the judge's
    /// threshold on saturation has it.
    private static func template(_ kind: ShapeKind) -> [Float] {
        let (side, scale, radius) = (64, ShapesRenderer.scale, 28.0)
        let points = (0..<side * scale).map { ShapesRenderer.coordinate($0, Double(side) / 2, radius) }
        let fine = kind.mask(columns: points, rows: points, pixel: 1 / (Double(scale) * radius))
        var mask = [Bool](repeating: false, count: side * side)
        for y in 0..<side {
            for x in 0..<side {
                var covered = 0
                for dy in 0..<scale {
                    for dx in 0..<scale where fine[(y * scale + dy) * side * scale + x * scale + dx] { covered += 1 }
                }
                mask[y * side + x] = covered * 3 > scale * scale
            }
        }
        let object = PixelObject(mask: mask, side: side)
        return resample(object.cropped, width: object.width)
    }

    /// Box resampling to ``cells`` in each direction, as Pillow does it: the mean of the pixels whose centers lie in the
    /// cell, or the nearest one where cells are smaller than pixels.
    private static func resample(_ mask: [Bool], width: Int) -> [Float] {
        let height = mask.count / width
        let columns = spans(width)
        var narrow = [Float](repeating: 0, count: height * cells)
        for y in 0..<height {
            for (cell, span) in columns.enumerated() {
                let set = span.count { mask[y * width + $0] }
                narrow[y * cells + cell] = quantized(Float(set) / Float(span.count))
            }
        }
        var out = [Float](repeating: 0, count: cells * cells)
        for (cell, span) in spans(height).enumerated() {
            for x in 0..<cells {
                let sum = span.reduce(Float(0)) { $0 + narrow[$1 * cells + x] }
                out[cell * cells + x] = quantized(sum / Float(span.count))
            }
        }
        return out
    }

    private static func quantized(_ share: Float) -> Float { (share * 255).rounded() / 255 }

    private static func spans(_ size: Int) -> [Range<Int>] {
        let scale = Double(size) / Double(cells)
        let support = 0.5 * max(scale, 1)
        return (0..<cells).map { cell in
            let center = (Double(cell) + 0.5) * scale
            let low = max(Int(center - support + 0.5), 0)
            let high = min(Int(center + support + 0.5), size)
            return low..<max(high, low + 1)
        }
    }
}
