import Codecs
import CorpusStore
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Testing

import Gallery

/// A corpus of made samples in a folder that goes with it.
final class MadeCorpus {
    let folder: URL
    let corpus: Corpus

    /// - Parameters:
    ///   - prompts: each with so many candidates.
    ///   - side: of the images, in pixels.
    init(prompts: [String] = ["a red circle", "a blue square"], candidates: Int = 3, side: Int = 8) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "gallery-\(UUID().uuidString)")
        corpus = try Corpus.create(at: folder.appending(path: "corpus"), scoring: FlatScores())
        let records = try prompts.enumerated().flatMap { place, prompt in
            try (0..<candidates).map { try Self.record(prompt, seed: 100 * place + $0, side: side) }
        }
        try corpus.append(records)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static func record(_ prompt: String, seed: Int, side: Int = 8, png: [UInt8]? = nil) throws -> SampleRecord {
        let pixels = (0..<3 * side * side).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed &* 97) }
        return SampleRecord(
            recipe: SampleRecipe(
                prompt: prompt, seed: UInt64(seed), model: "sha256:m", sampler: "ddim", steps: 4, guidance: 5,
                width: side,
                height: side),
            tag: "made",
            schedule: ScheduleDescription(
                betaStart: 0.00085, betaEnd: 0.012, betaSchedule: "scaled_linear", trainTimesteps: 1000),
            png: try png ?? PNG.encode(width: side, height: side, pixels: pixels), pixels: Digest(of: pixels),
            latentShape: [1, 1, 1], latent: [Float(seed)], timesteps: [900, 600, 300, 100],
            deltaSquared: (0..<4).map { Float(seed + 1) * Float($0 + 1) })
    }

    func data(edits: Bool = true) throws -> GalleryData {
        try GalleryData(options(edits: edits), scoring: FlatScores(), cache: folder.appending(path: "cache"))
    }

    func options(edits: Bool = true) -> GalleryOptions {
        GalleryOptions(corpus: folder.appending(path: "corpus"), port: 7878, allowsEdits: edits, querySeconds: 2)
    }
}

/// MI is the trace's last value, so that tests know the order.
struct FlatScores: TraceScoring {
    let identity = "flat"

    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) {
        (Double(deltaSquared.last ?? .nan), 0.5, Double(deltaSquared.first ?? .nan))
    }
}

/// Asks the gallery without a connection, through everything that a request goes through.
struct Client {
    let responder: RouterResponder<GalleryContext>
    let gate: Gate

    init(_ data: GalleryData, _ options: GalleryOptions) {
        gate = Gate(options)
        responder = Routes.router(data, gate, Work()).buildResponder()
    }

    struct Reply {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func ask(
        _ path: String, method: HTTPRequest.Method = .get, host: String? = "127.0.0.1:7878",
        headers: [String: String] = [:], body: String? = nil
    ) async throws -> Reply {
        var fields = HTTPFields()
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        if let body { fields[.contentLength] = String(body.utf8.count) }
        let request = Request(
            head: HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let response = try await responder.respond(
            to: request, context: GalleryContext(logger: Logger(label: "test")))
        let collector = Collector()
        try await response.body.write(collector)
        return Reply(status: response.status.code, headers: response.headers, body: collector.bytes)
    }

    /// With the cookie and secret of a session, as a page of the gallery asks.
    func change(
        _ path: String, _ body: String, type: String = "application/json",
        session: String = String(repeating: "a", count: 32)
    ) async throws -> Reply {
        try await ask(
            path, method: .post,
            headers: [
                "Cookie": "attune_7878_session=\(session)", "Content-Type": type,
                "X-CSRF-Token": gate.secrets.csrf(of: session),
            ], body: body)
    }
}

private final class Collector: ResponseBodyWriter, @unchecked Sendable {
    var bytes: [UInt8] = []

    func write(_ buffer: ByteBuffer) async throws { bytes += Array(buffer: buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
