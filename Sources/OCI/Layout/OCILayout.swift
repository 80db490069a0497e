import CorpusStore
import DiskAccess
package import Foundation
import Hashing

/// An OCI layout: a folder that holds artifacts as a registry would, to be carried where no network is.
///
/// `oci-layout`, `index.json` (tags to manifests) and `blobs/sha256/<hex>`. Every file appears complete or not at all.
package struct OCILayout: ArtifactStore {
    package let folder: URL
    package let tag: String
    private let files: AtomicFiles

    private struct Marker: Codable {
        var imageLayoutVersion = "1.0.0"
    }

    private struct Index: Codable {
        var schemaVersion = 2
        var mediaType: String? = MediaType.index
        var manifests: [Descriptor] = []
        var annotations: [String: String]?
    }

    private static let nameKey = "org.opencontainers.image.ref.name"

    /// - Parameters:
    ///   - folder: the layout's.
    ///   - tag: names the artifact in it.
    ///   - creating: whether a folder that is not there, or empty, becomes a layout.
    package init(_ folder: URL, tag: String, creating: Bool) throws(OCIError) {
        (self.folder, self.tag) = (folder, tag)
        // Unfinished files lie among the blobs under names that are not digests; readers of layouts ignore those.
        files = AtomicFiles(temporaryFolder: folder.appending(path: "blobs/.unfinished"))
        let marker = folder.appending(path: "oci-layout")
        if let data = try Self.reported({ () throws(DiskError) in try Disk.readIfPresent(marker.path) }) {
            guard let found = try? JSONDecoder().decode(Marker.self, from: data),
                found.imageLayoutVersion.hasPrefix("1.")
            else { throw OCIError(.malformed, marker.path, "is not an OCI layout of version 1") }
            if creating { try makeFolders() }
            return
        }
        let entries = try Self.reported { () throws(DiskError) in try Disk.listIfPresent(folder.path) ?? [] }
        guard creating else { throw OCIError(.notFound, folder.path, "is not an OCI layout") }
        guard entries.allSatisfy({ $0 == "blobs" }) else {
            throw OCIError(.badReference, folder.path, "holds other things: name a new or empty folder")
        }
        try makeFolders()
        try write(Marker(), to: marker)
    }

    private static func reported<R>(_ body: () throws(DiskError) -> R) throws(OCIError) -> R {
        do throws(DiskError) { return try body() } catch { throw OCIError(.io, error.path, error.message) }
    }

    private func makeFolders() throws(OCIError) {
        for name in ["blobs/sha256", "blobs/.unfinished"] {
            do {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: name), withIntermediateDirectories: true)
            } catch {
                throw OCIError(.io, folder.path, "cannot be created: \(error.localizedDescription)")
            }
        }
        files.sweep()
    }

    package var name: String { "oci:\(folder.path):\(tag)" }

    private func location(_ digest: BlobDigest) -> URL { folder.appending(path: "blobs/sha256/\(digest.sha256.hex)") }

    package func hasBlob(_ blob: Descriptor) async throws -> Bool {
        guard let size = try size(of: location(blob.digest)) else { return false }
        guard size == blob.size else {
            throw OCIError(
                .mismatch, location(blob.digest).path,
                "has \(size) bytes instead of \(blob.size): delete it and push again")
        }
        return true
    }

    /// Nil where there is no such file.
    private func size(of file: URL) throws(OCIError) -> Int? {
        try Self.reported { () throws(DiskError) in try Disk.status(file.path) }.map { Int($0.st_size) }
    }

    package func put(_ content: BlobContent, as blob: Descriptor) async throws {
        try explained { () throws(CorpusError) in
            switch content {
            case .data(let data): try files.write(data, to: location(blob.digest))
            case .file(let source):
                let temporary = try files.temporaryFile()
                do throws(DiskError) { try Disk.copy(source.path, into: temporary.file) } catch {
                    throw CorpusError(.io, error.path, error.message)
                }
                try files.install(temporary.url, at: location(blob.digest))
            }
        }
    }

    package func manifest() async throws -> Data {
        let index = try readIndex()
        guard let entry = index.manifests.last(where: { $0.annotations?[Self.nameKey] == tag }) else {
            let known = index.manifests.compactMap { $0.annotations?[Self.nameKey] }.sorted()
            throw OCIError(
                .notFound, folder.path,
                "has no tag '\(tag)'" + (known.isEmpty ? "" : "; there are \(known.joined(separator: ", "))"))
        }
        guard entry.size <= RegistryStore.largestManifest else {
            throw OCIError(.malformed, folder.path, "its manifest is too large")
        }
        let file = location(entry.digest)
        guard let data = try Self.reported({ () throws(DiskError) in try Disk.readIfPresent(file.path) }) else {
            throw OCIError(.notFound, file.path, "is missing")
        }
        guard data.count == entry.size, Digest(of: data) == entry.digest.sha256 else {
            throw OCIError(.mismatch, file.path, "does not match its digest")
        }
        return data
    }

    package func putManifest(_ data: Data) async throws -> Bool {
        let digest = Digest(of: data)
        let entry = Descriptor(
            mediaType: MediaType.manifest, digest: digest, size: data.count, annotations: [Self.nameKey: tag],
            artifactType: MediaType.artifact)
        try await put(.data(data), as: entry)
        // Two pushes into one layout must not lose each other's tag.
        let lock: DiskLock
        do throws(DiskError) {
            lock = try DiskLock(waitingFor: folder.appending(path: "blobs").path, .folder)
        } catch {
            throw OCIError(.io, error.path, error.message)
        }
        defer { withExtendedLifetime(lock) {} }
        var index =
            try Self.reported({ () throws(DiskError) in try Disk.exists(indexURL.path) }) ? readIndex() : Index()
        guard !index.manifests.contains(entry) else { return false }
        index.manifests.removeAll { $0.annotations?[Self.nameKey] == tag }
        index.manifests.append(entry)
        try write(index, to: indexURL)
        return true
    }

    package func fetch(
        _ blob: Descriptor, to file: URL, received: @escaping @Sendable (Int) -> Void
    ) async throws {
        let source = location(blob.digest)
        guard let size = try size(of: source) else { throw OCIError(.notFound, source.path, "is missing") }
        guard size == blob.size else {
            throw OCIError(.mismatch, source.path, "has \(size) bytes instead of \(blob.size)")
        }
        try? FileManager.default.removeItem(at: file)
        var hash = SHA256()
        do throws(DiskError) {
            try Disk.copy(source.path, to: file.path) { hash.update(bufferPointer: $0) }
        } catch {
            throw OCIError(.io, error.path, "\(error.message): check the free space")
        }
        // The copy is what counts, not what lay there a moment ago.
        guard Digest(hash) == blob.digest.sha256 else {
            try? FileManager.default.removeItem(at: file)
            throw OCIError(.mismatch, source.path, "does not match its digest: the medium is damaged")
        }
        received(blob.size)
    }

    private var indexURL: URL { folder.appending(path: "index.json") }

    private func readIndex() throws(OCIError) -> Index {
        let data = try Self.reported { () throws(DiskError) in try Disk.readIfPresent(indexURL.path) }
        guard let data, let index = try? JSONDecoder().decode(Index.self, from: data), index.schemaVersion == 2 else {
            throw OCIError(.malformed, indexURL.path, "is not an OCI index of SHA-256 manifests")
        }
        return index
    }

    private func write(_ document: some Encodable, to url: URL) throws(OCIError) {
        guard let data = try? JSONEncoder.stable.encode(document) else {
            throw OCIError(.malformed, url.path, "cannot be written as JSON")
        }
        try explained { () throws(CorpusError) in try files.write(data, to: url) }
    }

    private func explained(_ body: () throws(CorpusError) -> Void) throws(OCIError) {
        do throws(CorpusError) { try body() } catch { throw OCIError(.io, error.subject, error.message) }
    }
}
