import Foundation

/// Sends one blob in pieces. After a broken connection the registry is asked how far it is, and the upload resumes
/// there; where it knows nothing of the upload any more, it starts again.
struct BlobUpload {
    let client: RegistryClient
    let blob: Descriptor
    let content: BlobContent
    let piece: Int

    /// What a piece is never cut below where a proxy takes no large requests.
    private static let smallestPiece = 512 << 10

    /// An upload in progress: where the next piece goes, how much has arrived, and how large pieces are.
    private struct Session {
        var address: HTTPAddress
        var offset = 0
        var piece: Int
    }

    func run() async throws(OCIError) {
        var session: Session?
        try await client.retry.run { () async throws(AttemptError) in
            let before = session?.offset ?? 0
            do throws(AttemptError) {
                if let known = session { session = try await resume(known) }
                if session == nil { session = try await begin() }
                // No session: the registry has found the blob in another of its repositories.
                guard var current = session else { return }
                while current.offset < blob.size {
                    current = try await send(current)
                    session = current
                }
                try await finish(current)
            } catch {
                var failure = error
                failure.madeProgress = (session?.offset ?? 0) > before
                throw failure
            }
        }
    }

    /// Nil when the registry says that it has the blob already.
    private func begin() async throws(AttemptError) -> Session? {
        let request = HTTPRequest(method: .POST, address: client.address("blobs/uploads/"))
        let answer = try await client.send(request, access: .push)
        guard answer.isSuccess else { throw explained(answer) }
        if answer.status == 201, try await client.hasBlob(blob) { return nil }
        guard let address = try client.locations.next(answer, .upload) else {
            throw .final(.malformed, client.reference.registry, "does not say where an upload continues")
        }
        let smallest = answer.headers.first("OCI-Chunk-Min-Length").flatMap { Int($0) } ?? 0
        return Session(address: address, piece: max(piece, smallest))
    }

    /// How far an interrupted upload is; nil when it is gone.
    private func resume(_ session: Session) async throws(AttemptError) -> Session? {
        let answer = try await client.send(HTTPRequest(method: .GET, address: session.address), access: .push)
        guard answer.isSuccess, let end = Self.end(answer) else { return nil }
        // `0-0` is what registries say of nothing; one byte is not worth telling apart.
        let offset = end == 0 ? 0 : end + 1
        // More than one piece too few or any too many: not our upload as we know it.
        guard offset == session.offset || offset == min(session.offset + session.piece, blob.size) else { return nil }
        return Session(address: try next(answer, session), offset: offset, piece: session.piece)
    }

    /// The last byte that a registry says it has: `0-99`, `bytes=0-99`, `bytes 0-99/*`.
    private static func end(_ answer: HTTPAnswer) -> Int? {
        guard let text = answer.headers.first("Range"),
            let match = text.firstMatch(of: /(\d+)\s*-\s*(\d+)/), match.1 == "0"
        else { return nil }
        return Int(match.2)
    }

    private func send(_ session: Session) async throws(AttemptError) -> Session {
        let count = min(session.piece, blob.size - session.offset)
        let end = session.offset + count
        let request = HTTPRequest(
            method: .PATCH, address: session.address,
            headers: [
                ("Content-Type", "application/octet-stream"), ("Content-Range", "\(session.offset)-\(end - 1)"),
            ], body: body(from: session.offset, count: count))
        let answer = try await client.send(request, access: .push)
        if answer.status == 413, count > Self.smallestPiece {
            var smaller = session
            smaller.piece = max(count / 4, Self.smallestPiece)
            return smaller
        }
        guard answer.isSuccess else { throw explained(answer, mayStartAgain: true) }
        let offset = Self.offset(after: answer, from: session.offset, to: end)
        return Session(address: try next(answer, session), offset: offset, piece: session.piece)
    }

    /// How far an upload is after a piece: what the registry says, if that is a part of the piece. Some count the byte
    /// after the last, some the piece alone; the blob's digest is checked in the end.
    private static func offset(after answer: HTTPAnswer, from start: Int, to end: Int) -> Int {
        guard let last = Self.end(answer), last > start, last + 1 < end else { return end }
        return last + 1
    }

    private func finish(_ session: Session) async throws(AttemptError) {
        let address = session.address.appending("digest", blob.digest.description)
        let answer = try await client.send(HTTPRequest(method: .PUT, address: address), access: .push)
        // The specification says 201; some registries answer 202, 204 or 200.
        guard answer.isSuccess else { throw explained(answer, mayStartAgain: true) }
        try RegistryClient.check(blob.digest, answer) {
            .final(.mismatch, client.reference.registry, "has stored the blob as \($0), not as \(blob.digest)")
        }
    }

    /// - Parameter mayStartAgain: whether a registry that has lost the upload, or sees its parts out of order, is sent
    ///   it once more.
    private func explained(_ answer: HTTPAnswer, mayStartAgain: Bool = false) -> AttemptError {
        var failure = RegistryClient.failure(answer, subject: client.reference.description)
        if mayStartAgain, answer.status == 404 || answer.status == 416 { failure.mayRetry = true }
        return failure
    }

    /// Where the upload continues; where the answer does not say, at the same address.
    private func next(_ answer: HTTPAnswer, _ session: Session) throws(AttemptError) -> HTTPAddress {
        try client.locations.next(answer, .upload) ?? session.address
    }

    private func body(from offset: Int, count: Int) -> HTTPBody {
        switch content {
        case .data(let data): .data(Data(data.dropFirst(offset).prefix(count)))
        case .file(let url): .file(url, from: offset, count: count)
        }
    }
}
