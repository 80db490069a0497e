import Corpus
package import Foundation
import NIOHTTP1

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
        try await client.retry.run { () async throws(AttemptError) -> Bool in try await find(blob) }
    }

    /// Asks for a blob; one of another size than the descriptor's cannot be the one that is meant.
    func find(_ blob: Descriptor) async throws(AttemptError) -> Bool {
        let request = HTTPRequest(method: .HEAD, url: client.url("blobs/\(blob.digest)"))
        let answer = try await client.send(request, access: .push)
        await answer.discard()
        if answer.status == 404 { return false }
        guard answer.status == 200 else { throw RegistryClient.failure(answer, subject: "\(blob.digest)") }
        if let length = answer.headers.first(name: "Content-Length").flatMap({ Int($0) }), length != blob.size {
            throw .final(
                .mismatch, client.reference.registry,
                "says that \(blob.digest) has \(length) bytes; it has \(blob.size)")
        }
        return true
    }

    package func manifest() async throws -> Data {
        guard let data = try await currentManifest() else {
            throw OCIError(.notFound, name, "there is no such artifact: check repository and tag")
        }
        return data
    }

    private var manifestURL: URL { client.url("manifests/\(client.reference.versionText)") }

    /// Nil where nothing has the reference.
    private func currentManifest(access: Access = .pull) async throws(OCIError) -> Data? {
        let request = HTTPRequest(
            method: .GET, url: manifestURL, headers: [("Accept", MediaType.manifest), ("Accept", MediaType.index)])
        return try await client.retry.run { () async throws(AttemptError) -> Data? in
            let answer = try await client.send(request, access: access)
            guard answer.status != 404 else {
                await answer.discard()
                return nil
            }
            guard answer.status == 200 else { throw await RegistryClient.explained(answer, subject: name) }
            let data = try await answer.data(limit: Self.largestManifest)
            try check(data, answer)
            return data
        }
    }

    private func check(_ data: Data, _ answer: HTTPAnswer) throws(AttemptError) {
        let actual = BlobDigest(Digest(of: data))
        if case .digest(let digest) = client.reference.version, digest != actual {
            throw .final(
                .mismatch, name, "the registry's manifest has the digest \(actual): it is not what was asked for")
        }
        if let stated = answer.headers.first(name: "Docker-Content-Digest"), stated != actual.description {
            throw .final(.mismatch, name, "the manifest does not match the digest \(stated) that the registry states")
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
        if try await currentManifest(access: .push) == data { return false }
        let request = HTTPRequest(
            method: .PUT, url: manifestURL, headers: [("Content-Type", MediaType.manifest)], body: data)
        try await client.retry.run { () async throws(AttemptError) in
            let answer = try await client.send(request, access: .push)
            guard answer.status == 201 else { throw await RegistryClient.explained(answer, subject: name) }
            await answer.discard()
            if let stated = answer.headers.first(name: "Docker-Content-Digest"), stated != digest.description {
                throw .final(.mismatch, name, "the registry has stored the manifest as \(stated), not as \(digest)")
            }
        }
        return true
    }

    package func put(_ content: BlobContent, as blob: Descriptor) async throws {
        let upload = BlobUpload(client: client, blob: blob, content: content, piece: uploadPiece)
        try await upload.run()
    }

    package func fetch(
        _ blob: Descriptor, to file: URL, received: @Sendable (Int) -> Void
    ) async throws {
        try await BlobDownload(client: client, blob: blob, file: file).run(received: received)
    }
}
