import CorpusStore
package import Foundation

/// Where artifacts lie: a registry's repository or an OCI layout. Both speak of blobs by digest and manifests by tag.
package protocol ArtifactStore: Sendable {
    /// For people: what is talked to.
    var name: String { get }

    func hasBlob(_ blob: Descriptor) async throws -> Bool

    /// Stores a blob whose digest and size the caller vouches for; the other side checks them again.
    func put(_ content: BlobContent, as blob: Descriptor) async throws

    /// Stores a manifest under this store's reference, unless it stands there already.
    ///
    /// - Returns: whether anything changed.
    func putManifest(_ data: Data) async throws -> Bool

    /// The manifest that the reference stands for, verified where the reference or the store states a digest.
    func manifest() async throws -> Data

    /// Brings a blob to a file, and resumes where an earlier attempt stopped.
    ///
    /// - Parameter file: what it holds already is kept if the whole proves right in the end. When this returns, the
    ///   file's size and SHA-256 are those of the descriptor.
    func fetch(_ blob: Descriptor, to file: URL, received: @escaping @Sendable (Int) -> Void) async throws
}

/// The bytes of a blob that is to be stored.
package enum BlobContent: Sendable {
    case data(Data)
    case file(URL)
}
