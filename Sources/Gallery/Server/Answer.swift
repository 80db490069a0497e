import Foundation
import HTTPTypes
import Hummingbird
import Markup

/// What a handler gives back.
struct Answer: Sendable {
    var status: Int
    var type: String
    var body: [UInt8]
    /// Nil is not to be kept by anybody.
    var caching: Caching?
    var location: String?
    var tag: String?

    enum Caching: String, Sendable {
        /// What a digest names never changes.
        case forever = "private, max-age=31536000, immutable"
        /// Asked again each time, and answered with 304 where nothing changed.
        case revalidate = "private, no-cache"
    }

    init(
        status: Int = 200, type: String, body: [UInt8], caching: Caching? = nil, location: String? = nil,
        tag: String? = nil
    ) {
        (self.status, self.type, self.body) = (status, type, body)
        (self.caching, self.location, self.tag) = (caching, location, tag)
    }

    static func page(_ page: Markup, status: Int = 200) -> Answer {
        Answer(status: status, type: "text/html; charset=utf-8", body: page.documentBytes)
    }

    static func json(_ value: some Encodable, status: Int = 200) throws -> Answer {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return Answer(status: status, type: "application/json", body: Array(try encoder.encode(value)))
    }

    /// To be followed by a GET.
    static func redirect(to location: String) -> Answer {
        Answer(status: 303, type: "text/plain; charset=utf-8", body: [], location: location)
    }

    /// - Parameter known: the tag that the browser has.
    func response(known: String? = nil) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        if let caching { headers[.cacheControl] = caching.rawValue }
        if let location { headers[.location] = location }
        if let tag {
            headers[.eTag] = "\"\(tag)\""
            if known == "\"\(tag)\"" { return Response(status: .notModified, headers: headers) }
        }
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

/// A refusal or failure with the status that it has on the web.
package struct Refusal: Error {
    package let status: Int
    package let reason: String

    package static func missing(_ reason: String) -> Refusal { Refusal(status: 404, reason: reason) }
    package static func unusable(_ reason: String) -> Refusal { Refusal(status: 400, reason: reason) }
}
