import Hummingbird
import Logging

/// What a request carries along on its way to a handler.
struct GalleryContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Set by ``GateMiddleware``.
    var session = ""
    /// Of the page's form or script.
    var isGenuine = false

    init(source: ApplicationRequestContextSource) { coreContext = CoreRequestContextStorage(source: source) }

    /// Without a connection, for tests.
    init(logger: Logger) { coreContext = CoreRequestContextStorage(source: LoggerSource(logger: logger)) }

    private struct LoggerSource: RequestContextSource {
        let logger: Logger
    }
}
