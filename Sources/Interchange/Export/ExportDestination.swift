package import Foundation

/// A folder that appears complete or not at all.
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

    /// Begins to fill it, or goes on where an interrupted export of the same identity stopped.
    func begin(_ identity: String) throws(ExportError) -> PartialExport {
        try PartialExport(for: folder, identity: identity)
    }
}
