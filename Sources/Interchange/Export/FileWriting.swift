import DiskAccess
import Foundation
import Synchronization

extension ExportError {
    /// What went wrong with a file of an export.
    init(_ error: DiskError) { self = .cannotWrite(path: error.path, reason: error.reason) }

    /// Runs what touches the disk, and tells of its errors as an export does.
    static func explaining<R: ~Copyable>(_ body: () throws(DiskError) -> R) throws(ExportError) -> R {
        do throws(DiskError) { return try body() } catch { throw ExportError(error) }
    }
}

/// A file to write: its name below the export's folder, and its bytes.
struct NewFile: Sendable {
    let name: String
    let bytes: [UInt8]

    func write(into folder: String) throws(ExportError) {
        try ExportError.explaining { () throws(DiskError) in
            try DiskFile(folder + "/" + name, .replace).write(bytes)
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
