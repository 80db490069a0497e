import DiskAccess
import Foundation

/// Writes a tar archive, file after file: the same files give the same bytes.
final class TarWriter {
    private let file: DiskFile
    private var buffer: [UInt8] = []
    /// Bytes so far.
    private(set) var size = 0

    private static let bufferSize = 1 << 20

    init(_ url: URL) throws(ExportError) {
        file = try ExportError.explaining { () throws(DiskError) in try DiskFile(url.path, .replace) }
        buffer.reserveCapacity(Self.bufferSize + 4096)
    }

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
        try ExportError.explaining { () throws(DiskError) in try file.write(buffer) }
        buffer.removeAll(keepingCapacity: true)
    }
}
