import Foundation

enum HTTPMethod: String, Sendable {
    case GET, HEAD, POST, PUT, PATCH
}

/// What a request carries.
enum HTTPBody: Sendable {
    case data(Data)
    /// `count` bytes of a file, read as they are sent.
    case file(URL, from: Int, count: Int)

    var count: Int {
        switch self {
        case .data(let data): data.count
        case .file(_, _, let count): count
        }
    }
}

/// One request, as it goes over the wire.
struct HTTPRequest: Sendable {
    var method: HTTPMethod
    var address: HTTPAddress
    var headers: [(name: String, value: String)] = []
    var body: HTTPBody?
    /// Bytes of an answer that are kept in memory at most.
    var limit = 1 << 16
}

/// Header fields in the order in which they came; their names are compared without regard to case.
struct HTTPHeaders: Sendable {
    private(set) var fields: [(name: String, value: String)] = []

    mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }

    subscript(name: String) -> [String] {
        fields.filter { $0.name.caseInsensitiveCompare(name) == .orderedSame }.map(\.value)
    }

    func first(_ name: String) -> String? { self[name].first }
}

/// One answer: its head, and what was kept of its body.
struct HTTPAnswer: Sendable {
    let address: HTTPAddress
    let status: Int
    let headers: HTTPHeaders
    var data = Data()
    /// Whether the body was longer than the request's limit; `data` is its start then.
    var isTruncated = false

    /// Registries answer with different codes to one request; what counts is that it was accepted.
    var isSuccess: Bool { 200..<300 ~= status }
}

/// Takes the body of a successful answer as it comes, on the thread of the transfer.
protocol BodyReceiver: Sendable {
    /// Called once, before the first byte, or at the end where there is none.
    func begin(_ head: HTTPAnswer) throws(AttemptError)
    func receive(_ bytes: UnsafeRawBufferPointer) throws(AttemptError)
}
