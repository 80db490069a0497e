/// Bytes that a new file refers to until it is written, instead of copying them.
package protocol ByteSource: Sendable {
    var byteCount: Int { get }

    /// Calls `body` with all bytes, which lie in one piece and at one place as long as the source lives.
    func withBytes<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E)
}

extension Array: ByteSource where Element: HDF5Element {
    package var byteCount: Int { count * MemoryLayout<Element>.stride }

    package func withBytes<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        try withUnsafeBufferPointer { (elements) throws(E) in try body(UnsafeRawBufferPointer(elements)) }
    }
}
