import Foundation
import Synchronization

/// Writes bytes to an open file; gives what went wrong, or nil.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> String? {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 {
            if errno == EINTR { continue }
            return String(cString: strerror(errno))
        }
        rest = rest.dropFirst(written)
    }
    return nil
}

/// A file to write: its name below the export's folder, and its bytes.
struct NewFile: Sendable {
    let name: String
    let bytes: [UInt8]

    func write(into folder: String) throws(ExportError) {
        let path = folder + "/" + name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        if let reason = bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) {
            throw .cannotWrite(path: path, reason: reason)
        }
    }
}

/// Writes many small files on all cores: most of the time goes into making their names.
func write(_ files: [NewFile], into folder: URL) throws(ExportError) {
    let path = folder.path
    let failure = Mutex<ExportError?>(nil)
    let group = 64
    DispatchQueue.concurrentPerform(iterations: (files.count + group - 1) / group) { index in
        for file in files[group * index..<min(group * (index + 1), files.count)] {
            do throws(ExportError) {
                try file.write(into: path)
            } catch {
                failure.withLock { $0 = $0 ?? error }
                return
            }
        }
    }
    if let error = failure.withLock({ $0 }) { throw error }
}
