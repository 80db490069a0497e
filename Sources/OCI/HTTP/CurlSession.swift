import CCurl

/// libcurl's handles for one request at a time, and the connections that stay open between requests.
///
/// Only one thread uses a session at a time: the transport hands it out and takes it back.
final class CurlSession: @unchecked Sendable {
    let easy: UnsafeMutableRawPointer
    let multi: UnsafeMutableRawPointer

    /// Nil when there is no memory for it.
    init?() {
        guard let easy = cc_easy_new() else { return nil }
        guard let multi = cc_multi_new() else {
            cc_easy_free(easy)
            return nil
        }
        (self.easy, self.multi) = (easy, multi)
    }

    deinit {
        cc_easy_free(easy)
        cc_multi_free(multi)
    }
}
