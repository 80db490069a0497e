/// A Zstandard frame by its blocks (RFC 8878, section 3.1.1): what lets a plane of bytes be stored, or taken out,
/// without going through the compressor.
struct ZstdFrame {
    /// Bytes of what the frame holds.
    let contentSize: Int
    let blocks: [Block]

    struct Block {
        enum Kind: UInt32 { case raw, runLength, compressed }

        let kind: Kind
        /// What is stored, without the block's header.
        let bytes: UnsafeRawBufferPointer
        /// What the header states: of a run its length, else the number of bytes.
        let size: Int
    }

    static let largestBlock = 1 << 17
    private static let magic: UInt32 = 0xFD2F_B528
    private static let headerSize = 9
    private static let blockHeaderSize = 3

    /// Nil for a frame that is damaged, or of a kind that shards have no use for: with a dictionary, a checksum, or a
    /// content of unknown size.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 5, Self.number(bytes, 0, 4) == Self.magic else { return nil }
        let descriptor = bytes[4]
        let isSingleSegment = descriptor & 0x20 != 0
        // Bits of a checksum, a dictionary, and of no meaning yet.
        guard descriptor & 0b1111 == 0 else { return nil }
        let widths = [isSingleSegment ? 1 : 0, 2, 4, 8]
        let width = widths[Int(descriptor >> 6)]
        var position = isSingleSegment ? 5 : 6
        guard (1...4).contains(width), position + width <= bytes.count else { return nil }
        contentSize = Int(Self.number(bytes, position, width)) + (width == 2 ? 256 : 0)
        position += width

        var blocks: [Block] = []
        var isLast = false
        while !isLast {
            guard position + Self.blockHeaderSize <= bytes.count else { return nil }
            let header = Self.number(bytes, position, Self.blockHeaderSize)
            position += Self.blockHeaderSize
            guard let kind = Block.Kind(rawValue: header >> 1 & 3) else { return nil }
            let size = Int(header >> 3)
            let end = position + (kind == .runLength ? 1 : size)
            guard end <= bytes.count else { return nil }
            blocks.append(
                Block(kind: kind, bytes: UnsafeRawBufferPointer(rebasing: bytes[position..<end]), size: size))
            position = end
            isLast = header & 1 != 0
        }
        guard position == bytes.count else { return nil }
        self.blocks = blocks
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UInt32 {
        (0..<count).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }

    /// The most bytes that a frame takes which stores its content as it is, in pieces that are each written alone.
    static func bound(_ contentSize: Int, pieces: Int) -> Int {
        headerSize + contentSize + (contentSize / largestBlock + pieces) * blockHeaderSize
    }

    /// Puts a frame together.
    struct Builder {
        private let memory: UnsafeMutableRawBufferPointer
        private var count = 0
        private var lastHeader = 0

        /// - Parameters:
        ///   - memory: has space for every block that will be added.
        ///   - contentSize: bytes of what all blocks hold, at most 4 GB.
        init(_ memory: UnsafeMutableRawBufferPointer, contentSize: Int) {
            self.memory = memory
            put(magic, 4)
            // One segment, four bytes of content size, no checksum.
            put(0b1010_0000, 1)
            put(UInt32(contentSize), 4)
        }

        /// Bytes as they are.
        mutating func store(_ bytes: UnsafeRawBufferPointer) {
            for start in stride(from: 0, to: bytes.count, by: largestBlock) {
                let end = min(start + largestBlock, bytes.count)
                let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                add(Block(kind: .raw, bytes: piece, size: piece.count))
            }
        }

        /// A block of another frame. Compressed ones may refer to codes and offsets of those before them: all that a
        /// frame has come from one other frame, in its order. What is stored raw between them leaves nothing to refer
        /// to.
        mutating func add(_ block: Block) {
            lastHeader = count
            put(block.kind.rawValue << 1 | UInt32(block.size) << 3, blockHeaderSize)
            UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: block.bytes)
            count += block.bytes.count
        }

        /// Marks the end and hands the frame out.
        mutating func finish() -> UnsafeRawBufferPointer {
            memory[lastHeader] |= 1
            return UnsafeRawBufferPointer(rebasing: memory[..<count])
        }

        private mutating func put(_ number: UInt32, _ bytes: Int) {
            for index in 0..<bytes { memory[count + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
            count += bytes
        }
    }
}
