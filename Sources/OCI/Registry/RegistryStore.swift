import CorpusStore
package import Foundation

/// A repository of a registry as a place for artifacts.
package struct RegistryStore: ArtifactStore {
    let client: RegistryClient
    /// Bytes of a blob that go out in one request: what is sent again after a broken connection.
    package var uploadPiece = 16 << 20
    /// What the specification asks registries to take, at least.
    static let largestManifest = 4 << 20

    package init(_ client: RegistryClient) { self.client = client }

    package var name: String { client.reference.description }

    package func hasBlob(_ blob: Descriptor) async throws -> Bool {
        try await client.retry.run { () async throws(AttemptError) -> Bool in try await client.hasBlob(blob) }
    }

    package func manifest() async throws -> Data {
        guard let data = try await currentManifest() else {
            throw OCIError(.notFound, name, "there is no such artifact: check repository and tag")
        }
        return data
    }

    private var manifestAddress: HTTPAddress { client.address("manifests/\(client.reference.versionText)") }

    /// Nil where nothing has the reference.
    private func currentManifest(access: Access = .pull) async throws(OCIError) -> Data? {
        let request = HTTPRequest(
            method: .GET, address: manifestAddress,
            headers: [("Accept", MediaType.manifest), ("Accept", MediaType.index)],
            limit: Self.largestManifest)
        return try await client.retry.run { () async throws(AttemptError) -> Data? in
            let answer = try await client.send(request, access: access)
            if answer.status == 404 { return nil }
            guard answer.isSuccess else { throw RegistryClient.failure(answer, subject: name) }
            guard !answer.isTruncated else {
                throw .final(.malformed, name, "its manifest is larger than \(Self.largestManifest) bytes")
            }
            try check(answer)
            return answer.data
        }
    }

    private func check(_ answer: HTTPAnswer) throws(AttemptError) {
        let actual = BlobDigest(Digest(of: answer.data))
        if case .digest(let digest) = client.reference.version, digest != actual {
            throw .final(
                .mismatch, name, "the registry's manifest has the digest \(actual): it is not what was asked for")
        }
        try RegistryClient.check(actual, answer) {
            .final(.mismatch, name, "the manifest does not match the digest \($0) that the registry states")
        }
    }

    package func putManifest(_ data: Data) async throws -> Bool {
        let digest = BlobDigest(Digest(of: data))
        if case .digest(let wanted) = client.reference.version, wanted != digest {
            throw OCIError(.badReference, name, "the artifact's digest is \(digest): push to a tag")
        }
        guard data.count <= Self.largestManifest else {
            throw OCIError(.malformed, name, "the manifest has \(data.count) bytes, more than registries take")
        }
        if try await hasManifest(data) { return false }
        let request = HTTPRequest(
            method: .PUT, address: manifestAddress, headers: [("Content-Type", MediaType.manifest)], body: .data(data))
        try await client.retry.run { () async throws(AttemptError) in
            let answer = try await client.send(request, access: .push)
            // The specification says 201; some registries answer 202, or 200.
            guard answer.isSuccess else { throw RegistryClient.failure(answer, subject: name) }
            try RegistryClient.check(digest, answer) {
                .final(.mismatch, name, "the registry has stored the manifest as \($0), not as \(digest)")
            }
        }
        return true
    }

    /// Whether the reference stands for this manifest. Something that cannot be one does not stand in the way.
    private func hasManifest(_ data: Data) async throws(OCIError) -> Bool {
        do throws(OCIError) {
            return try await currentManifest(access: .push) == data
        } catch {
            if error.code == .mismatch || error.code == .malformed { return false }
            throw error
        }
    }

    package func put(_ content: BlobContent, as blob: Descriptor) async throws {
        let upload = BlobUpload(client: client, blob: blob, content: content, piece: uploadPiece)
        try await upload.run()
    }

    package func fetch(
        _ blob: Descriptor, to file: URL, received: @escaping @Sendable (Int) -> Void
    ) async throws {
        try await BlobDownload(client: client, blob: blob, file: file).run(received: received)
    }
}
