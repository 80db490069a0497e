package import Foundation

/// A folder that appears complete or not at all.
///
/// The export is written beside its destination under a temporary name, then renamed, so that a reader never meets half
/// of one and a failed export leaves nothing behind.
package struct ExportDestination {
    package let folder: URL

    /// - Throws: ``ExportError`` if `folder` exists and is not an empty folder.
    package init(_ folder: URL) throws(ExportError) {
        self.folder = folder.standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else { throw .destinationIsFile(path: folder.path) }
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        } catch {
            throw .cannotWrite(path: folder.path, reason: "cannot list it")
        }
        if !entries.isEmpty { throw .destinationNotEmpty(path: folder.path) }
    }

    /// Lets `body` fill a temporary folder, then puts it in place.
    package func fill(_ body: (URL) throws -> Void) throws {
        let parent = folder.deletingLastPathComponent()
        let temporary = parent.appendingPathComponent(".\(folder.lastPathComponent).\(UUID().uuidString).tmp")
        try attempt { try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true) }
        do {
            try body(temporary)
            // Renaming onto an empty folder replaces it; onto one that filled up meanwhile it fails.
            guard rename(temporary.path, folder.path) == 0 else {
                throw ExportError.cannotWrite(path: folder.path, reason: String(cString: strerror(errno)))
            }
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw error
        }
    }

    private func attempt(_ body: () throws -> Void) throws(ExportError) {
        do {
            try body()
        } catch {
            throw .cannotWrite(path: folder.path, reason: error.localizedDescription)
        }
    }
}
