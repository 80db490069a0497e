import CorpusStore
import Foundation

/// Brings one blob to a file. What the file holds already is continued (Range); nothing counts before size and SHA-256
/// are right.
struct BlobDownload {
    let client: RegistryClient
    let blob: Descriptor
    let file: URL

    func run(received: @escaping @Sendable (Int) -> Void) async throws(OCIError) {
        var hasStartedOver = false
        try await client.retry.run { () async throws(AttemptError) in
            let partial = try PartialFile(file, limit: blob.size)
            let resumed = partial.count
            received(resumed)
            do throws(AttemptError) {
                if partial.count < blob.size { try await receive(into: partial, received: received) }
            } catch {
                var failure = error
                failure.madeProgress = partial.count > resumed
                throw failure
            }
            guard partial.digest == blob.digest.sha256 else {
                try? FileManager.default.removeItem(at: file)
                var failure = AttemptError.final(
                    .mismatch, "\(client.reference.registry)",
                    "sent other bytes than \(blob.digest): nothing of them was kept")
                // What an earlier process left may have been torn by a crash: once more from the start.
                failure.mayRetry = resumed > 0 && !hasStartedOver
                hasStartedOver = true
                throw failure
            }
        }
    }

    private func receive(
        into partial: PartialFile, received: @escaping @Sendable (Int) -> Void
    ) async throws(AttemptError) {
        var request = HTTPRequest(method: .GET, address: client.address("blobs/\(blob.digest)"))
        if partial.count > 0 { request.headers.append(("Range", "bytes=\(partial.count)-")) }
        let receiver = Receiver(
            partial: partial, blob: blob, file: file, registry: client.reference.registry, received: received)
        let answer = try await client.send(request, access: .pull, to: receiver)
        if answer.status == 416 {
            try partial.restart()
            throw receiver.otherPart
        }
        guard answer.isSuccess else {
            throw RegistryClient.failure(answer, subject: "\(client.reference.registry) \(blob.digest)")
        }
        guard partial.count == blob.size else {
            throw .again(
                client.reference.registry, "sent \(partial.count) of the \(blob.size) bytes of \(blob.digest)")
        }
    }

    /// Puts the bytes of an answer where they belong.
    private struct Receiver: BodyReceiver {
        let partial: PartialFile
        let blob: Descriptor
        let file: URL
        let registry: String
        let received: @Sendable (Int) -> Void

        var otherPart: AttemptError {
            .again(registry, "sends another part of \(blob.digest) than it was asked for")
        }

        func begin(_ head: HTTPAnswer) throws(AttemptError) {
            guard head.status == 206 else { return try partial.restart() }
            // An answer about another part: ask for the whole.
            guard Self.start(head) ?? 0 == partial.count else {
                try partial.restart()
                throw otherPart
            }
        }

        func receive(_ bytes: UnsafeRawBufferPointer) throws(AttemptError) {
            guard partial.count + bytes.count <= blob.size else {
                try? FileManager.default.removeItem(at: file)
                throw .final(.mismatch, registry, "sends more than the \(blob.size) bytes that \(blob.digest) has")
            }
            try partial.append(bytes)
            received(partial.count)
        }

        /// Where a partial answer begins: `bytes 5-9/10`, `bytes 5-9/*`, `bytes=5-9/10`. Nil where it does not say.
        private static func start(_ answer: HTTPAnswer) -> Int? {
            answer.headers.first("Content-Range")?.firstMatch(of: /(\d+)\s*-\s*\d+/).flatMap { Int($0.1) }
        }
    }
}
