import Foundation

/// Writes a tar archive, file after file: the same files give the same bytes.
final class TarWriter {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Bytes so far.
    private(set) var size = 0

    private static let bufferSize = 1 << 20

    init(_ url: URL) throws(ExportError) {
        path = url.path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        buffer.reserveCapacity(Self.bufferSize + 4096)
    }

    deinit { close(descriptor) }

    func add(_ name: String, _ bytes: some Collection<UInt8>) throws(ExportError) {
        buffer += TarHeader.regularFile(name, size: bytes.count)
        buffer += bytes
        buffer += repeatElement(0, count: TarHeader.padding(after: bytes.count))
        size += TarHeader.blockSize + bytes.count + TarHeader.padding(after: bytes.count)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Writes the two empty blocks that end an archive.
    func finish() throws(ExportError) {
        buffer += repeatElement(0, count: 2 * TarHeader.blockSize)
        try flush()
    }

    private func flush() throws(ExportError) {
        let problem = buffer.withUnsafeBytes { writeAll($0, to: descriptor) }
        if let problem { throw .cannotWrite(path: path, reason: problem) }
        buffer.removeAll(keepingCapacity: true)
    }
}
