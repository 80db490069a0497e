package import Images
import Codecs

/// What near-duplicates are found by: perceptual hashes of an image and of what a crop of 5 % leaves of it, each mirrored
/// too, and a thumbnail of it in luma and chroma to compare.
package struct ImagePrint: Sendable, Equatable {
    /// Of `CropBox.hashed`, each plain and mirrored.
    package let hashes: [UInt64]
    /// 24×24 values of brightness: with 16×16, what a crop leaves differs from the image by more than many other images do.
    let luma: [UInt8]
    /// 8×8 values of blue's and then of red's difference from it, around 128.
    let chroma: [UInt8]

    static let lumaSide = 24
    static let chromaSide = 8
    private static let lumaCount = lumaSide * lumaSide
    private static let chromaCount = 2 * chromaSide * chromaSide
    private static var hashCount: Int { 2 * CropBox.hashed.count }

    /// The root mean square of brightness around its mean, in levels of 8 bits.
    var contrast: Float {
        let mean = luma.reduce(Float(0)) { $0 + Float($1) } / Float(luma.count)
        let squares = luma.reduce(Float(0)) { $0 + (Float($1) - mean) * (Float($1) - mean) }
        return (squares / Float(luma.count)).squareRoot()
    }

    /// Bytes of a stored print.
    package static let width = 8 * hashCount + lumaCount + chromaCount
    /// What a corpus calls them. Another way to make them needs another name.
    package static let name = "prints2"

    package init(_ image: RGBImage) {
        let reduced = ReducedImage(image)
        let gray = reduced.gray
        var hashes: [UInt64] = []
        for box in CropBox.hashed {
            let (columns, rows) = box.pixels(reduced.width, reduced.height)
            let part = Resampling.resize(
                gray, width: reduced.width, height: reduced.height, to: reduced.width, reduced.height,
                window: Resampling.Window(columns: columns, rows: rows))
            let (plain, mirrored) = PerceptualHash.hashes(part, width: columns.count, height: rows.count)
            hashes += [plain, mirrored]
        }
        self.hashes = hashes
        let side = Self.lumaSide
        let small = Resampling.resize(
            reduced.pixels, width: reduced.width, height: reduced.height, to: side, side, filter: .bicubic)
        var luma: [UInt8] = []
        var (blue, red) = (
            [Float](repeating: 0, count: Self.chromaCount / 2), [Float](repeating: 0, count: Self.chromaCount / 2)
        )
        let cell = side / Self.chromaSide
        let share = 1 / Float(cell * cell)
        for y in 0..<side {
            for x in 0..<side {
                let place = 3 * (y * side + x)
                let (r, g, b) = (Float(small[place]), Float(small[place + 1]), Float(small[place + 2]))
                let brightness = 0.299 * r + 0.587 * g + 0.114 * b
                luma.append(UInt8(brightness.rounded()))
                let to = y / cell * Self.chromaSide + x / cell
                blue[to] += share * 0.564 * (b - brightness)
                red[to] += share * 0.713 * (r - brightness)
            }
        }
        self.luma = luma
        chroma = (blue + red).map { UInt8(min(max($0 + 128, 0), 255).rounded()) }
    }

    /// - Parameter bytes: ``width`` of them, as ``bytes`` gave them.
    package init(bytes: some RandomAccessCollection<UInt8>) {
        precondition(bytes.count == Self.width, "a print has \(Self.width) bytes, not \(bytes.count)")
        let bytes = Array(bytes)
        hashes = (0..<Self.hashCount).map { index in
            bytes[8 * index..<8 * index + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let start = 8 * Self.hashCount
        luma = Array(bytes[start..<start + Self.lumaCount])
        chroma = Array(bytes[(start + Self.lumaCount)...])
    }

    package var bytes: [UInt8] {
        hashes.flatMap { hash in (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * (7 - $0))) } } + luma + chroma
    }
}
