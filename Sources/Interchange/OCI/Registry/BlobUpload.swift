import Foundation
import NIOHTTP1

/// Sends one blob in pieces. After a broken connection the registry is asked how far it is, and the upload goes on there;
/// where it knows nothing of the upload any more, it starts again.
struct BlobUpload {
    let client: RegistryClient
    let blob: Descriptor
    let content: BlobContent
    let piece: Int

    /// An upload in progress: where the next piece goes, and how much has arrived.
    private struct Session {
        var url: URL
        var offset: Int
    }

    func run() async throws(OCIError) {
        var session: Session?
        try await client.retry.run { () async throws(AttemptError) in
            let before = session?.offset ?? 0
            do throws(AttemptError) {
                if let known = session { session = try await resume(known) }
                var current: Session
                if let known = session { current = known } else { current = try await begin() }
                session = current
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

    private func begin() async throws(AttemptError) -> Session {
        let answer = try await client.send(HTTPRequest(method: .POST, url: client.url("blobs/uploads/")), access: .push)
        guard answer.status == 202 else {
            throw await RegistryClient.explained(answer, subject: client.reference.description)
        }
        await answer.discard()
        return Session(url: try next(answer), offset: 0)
    }

    /// How far an interrupted upload is; nil when it is gone.
    private func resume(_ session: Session) async throws(AttemptError) -> Session? {
        let answer = try await client.send(HTTPRequest(method: .GET, url: session.url), access: .push)
        await answer.discard()
        guard answer.status == 204, let range = answer.headers.first(name: "Range"),
            let end = range.split(separator: "-").last.flatMap({ Int($0) })
        else { return nil }
        // `0-0` is what registries say of nothing; one byte is not worth telling apart.
        let offset = end == 0 ? 0 : end + 1
        // More than one piece too few or any too many: not our upload as we know it.
        guard offset == session.offset || offset == min(session.offset + piece, blob.size) else { return nil }
        return Session(url: try next(answer), offset: offset)
    }

    private func send(_ session: Session) async throws(AttemptError) -> Session {
        let data = try read(at: session.offset)
        let end = session.offset + data.count
        let request = HTTPRequest(
            method: .PATCH, url: session.url,
            headers: [
                ("Content-Type", "application/octet-stream"), ("Content-Range", "\(session.offset)-\(end - 1)"),
            ], body: data)
        let answer = try await client.send(request, access: .push)
        guard answer.status == 202 else {
            var failure = await RegistryClient.explained(answer, subject: client.reference.description)
            // A registry that has lost the upload, or sees its parts out of order: start again.
            if answer.status == 404 || answer.status == 416 { failure.mayRetry = true }
            throw failure
        }
        await answer.discard()
        return Session(url: try next(answer), offset: end)
    }

    private func finish(_ session: Session) async throws(AttemptError) {
        let url = session.url.appending(queryItems: [URLQueryItem(name: "digest", value: blob.digest.description)])
        let answer = try await client.send(
            HTTPRequest(method: .PUT, url: url, headers: [("Content-Length", "0")]), access: .push)
        guard answer.status == 201 else {
            var failure = await RegistryClient.explained(answer, subject: client.reference.description)
            if answer.status == 404 || answer.status == 416 { failure.mayRetry = true }
            throw failure
        }
        await answer.discard()
    }

    private func next(_ answer: HTTPAnswer) throws(AttemptError) -> URL {
        guard let url = client.location(answer) else {
            throw .final(.malformed, client.reference.registry, "does not say where an upload goes on")
        }
        return url
    }

    private func read(at offset: Int) throws(AttemptError) -> Data {
        let count = min(piece, blob.size - offset)
        switch content {
        case .data(let data):
            return Data(data.dropFirst(offset).prefix(count))
        case .file(let url):
            do {
                let handle = try FileHandle(forReadingFrom: url)
                defer { try? handle.close() }
                try handle.seek(toOffset: UInt64(offset))
                let data = try handle.read(upToCount: count) ?? Data()
                guard data.count == count else {
                    throw OCIError(.io, url.path, "became shorter while it was sent")
                }
                return data
            } catch {
                throw .final(.io, url.path, "cannot be read: \(error)")
            }
        }
    }
}
