import Hummingbird
import HTTPTypes

/// What every answer tells the browser to refuse.
enum SecurityHeaders {
    /// Nothing but this server's own files, no inline scripts or styles, in no frame.
    static let policy =
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    static func add(to headers: inout HTTPFields) {
        headers[.contentSecurityPolicy] = policy
        headers[.xContentTypeOptions] = "nosniff"
        headers[name("X-Frame-Options")] = "DENY"
        headers[name("Referrer-Policy")] = "same-origin"
        headers[name("Cross-Origin-Resource-Policy")] = "same-origin"
        headers[name("Cross-Origin-Opener-Policy")] = "same-origin"
        headers[name("Permissions-Policy")] = "camera=(), microphone=(), geolocation=()"
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
    }

    private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .server }
}
