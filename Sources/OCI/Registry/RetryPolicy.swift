/// How often, and after which pauses, a request that may succeed later is sent again.
package struct RetryPolicy: Sendable {
    /// Attempts that bring nothing before the trouble is reported; an attempt that made progress restarts the count.
    package var attempts = 6
    package var firstPause = Duration.milliseconds(500)
    /// Also the longest that a registry's Retry-After is obeyed for.
    package var longestPause = Duration.seconds(60)

    package init() {}

    /// Doubles from attempt to attempt; a random part keeps many clients from coming back at once.
    func pause(after attempt: Int, asked: Duration?) -> Duration {
        if let asked { return min(asked, longestPause) }
        let doubled = min(firstPause * (1 << min(attempt - 1, 16)), longestPause)
        return doubled * Double.random(in: 0.5...1)
    }

    /// Runs `body` until it succeeds or fails for good.
    func run<Result>(
        _ body: () async throws(AttemptError) -> Result
    ) async throws(OCIError) -> Result {
        var attempt = 0
        while true {
            do throws(AttemptError) {
                return try await body()
            } catch {
                attempt = error.madeProgress ? 1 : attempt + 1
                guard error.mayRetry, attempt < attempts, !Task.isCancelled else { throw error.error }
                try? await Task.sleep(for: pause(after: attempt, asked: error.retryAfter))
            }
        }
    }
}

/// One attempt that failed, and whether another makes sense.
struct AttemptError: Error {
    let error: OCIError
    var mayRetry = false
    /// How long the other side asks us to wait.
    var retryAfter: Duration?
    var madeProgress = false

    static func final(_ error: OCIError) -> AttemptError { AttemptError(error: error) }
    static func final(_ code: OCIError.Code, _ subject: String, _ message: String) -> AttemptError {
        AttemptError(error: OCIError(code, subject, message))
    }
    static func again(_ subject: String, _ message: String, after: Duration? = nil) -> AttemptError {
        AttemptError(error: OCIError(.unavailable, subject, message), mayRetry: true, retryAfter: after)
    }
}
