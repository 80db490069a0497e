/// The square blocks of outputs that a batch of images is cut into.
struct WinogradTiling: Sendable {
    let height, width, inputs, outputs: Int
    /// How many blocks there are, and their sides in pixels.
    let count, side: Int
    private let tileColumns, tilesAnImage: Int

    init(_ shape: [Int], outputs: Int, side: Int) {
        self.side = side
        (height, width, inputs, self.outputs) = (shape[1], shape[2], shape[3], outputs)
        tileColumns = (width + side - 1) / side
        tilesAnImage = (height + side - 1) / side * tileColumns
        count = shape[0] * tilesAnImage
    }

    /// Tiles that pass through all stages together: up to 48, in a number of equal blocks that splits evenly over
    /// cores. Four or fewer are not worth reading the kernel twice.
    var blockTiles: Int {
        let blocks = count <= 4 ? 1 : count <= 48 ? 2 : (count + 191) / 192 * 4
        return (count + blocks - 1) / blocks
    }

    /// Tiles whose transforms are in memory together, at most 64 MB of them.
    var groups: [Range<Int>] {
        let size = max(PathSizes.winogradGroup / (36 * inputs) / 12 * 12, 96)
        let parts = (count + size - 1) / size
        return (0..<parts).map { $0 * count / parts..<($0 + 1) * count / parts }
    }

    /// The image of a tile and the first pixel of its block.
    func place(_ tile: Int) -> (image: Int, y: Int, x: Int) {
        let (image, index) = tile.quotientAndRemainder(dividingBy: tilesAnImage)
        return (image, index / tileColumns * side, index % tileColumns * side)
    }
}
