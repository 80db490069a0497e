/// A connected set of pixels.
struct PixelObject {
    /// The pixels as places in rows of `side`.
    let pixels: [Int]
    private let side: Int
    private let columns: ClosedRange<Int>
    private let rows: ClosedRange<Int>

    init(pixels: [Int], side: Int) {
        self.pixels = pixels
        self.side = side
        let xs = pixels.map { $0 % side }
        let ys = pixels.map { $0 / side }
        columns = (xs.min() ?? 0)...(xs.max() ?? 0)
        rows = (ys.min() ?? 0)...(ys.max() ?? 0)
    }

    /// All set pixels of a mask as one object.
    init(mask: [Bool], side: Int) {
        self.init(pixels: mask.indices.filter { mask[$0] }, side: side)
    }

    var width: Int { columns.count }

    /// The mean place of the pixels.
    var centroid: (x: Double, y: Double) {
        var (x, y) = (0, 0)
        for pixel in pixels {
            x += pixel % side
            y += pixel / side
        }
        return (Double(x) / Double(pixels.count), Double(y) / Double(pixels.count))
    }

    /// The mask cut to the bounding box.
    var cropped: [Bool] {
        var mask = [Bool](repeating: false, count: columns.count * rows.count)
        for pixel in pixels {
            mask[(pixel / side - rows.lowerBound) * columns.count + pixel % side - columns.lowerBound] = true
        }
        return mask
    }

    /// The pixels whose four neighbors belong to the object too; all of them where there is no such pixel.
    var core: [Int] {
        let members = Set(pixels)
        let core = pixels.filter { pixel in
            let x = pixel % side
            return x > 0 && x < side - 1 && members.contains(pixel - 1) && members.contains(pixel + 1)
                && members.contains(pixel - side) && members.contains(pixel + side)
        }
        return core.isEmpty ? pixels : core
    }

    /// The connected objects of a mask (four neighbors) that have at least `least` pixels, in reading order.
    static func all(in mask: [Bool], side: Int, least: Int) -> [PixelObject] {
        var open = mask
        var objects: [PixelObject] = []
        for start in mask.indices where open[start] {
            var found = [start]
            open[start] = false
            var next = 0
            while next < found.count {
                let pixel = found[next]
                next += 1
                let x = pixel % side
                let neighbors = [
                    x > 0 ? pixel - 1 : nil, x < side - 1 ? pixel + 1 : nil, pixel - side, pixel + side,
                ]
                for case let neighbor? in neighbors where mask.indices.contains(neighbor) && open[neighbor] {
                    open[neighbor] = false
                    found.append(neighbor)
                }
            }
            if found.count >= least { objects.append(PixelObject(pixels: found.sorted(), side: side)) }
        }
        return objects
    }
}
