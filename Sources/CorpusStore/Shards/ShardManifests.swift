/// The manifests of a shard's rows, as canonical JSON.
package struct ShardManifests: Sendable {
    private let bytes: [UInt8]
    /// Where each begins, and the end of the last.
    private let offsets: [Int64]

    init(bytes: [UInt8], offsets: [Int64]) { (self.bytes, self.offsets) = (bytes, offsets) }

    package func with<R>(_ row: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        try bytes.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[Int(offsets[row])..<Int(offsets[row + 1])]))
        }
    }
}
