package import Hummingbird
package import Logging

/// What a request carries along on its way to a handler.
package struct GalleryContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Set by `GateMiddleware`.
    package var session = ""
    /// Of the page's form or script.
    package var isGenuine = false

    package init(source: ApplicationRequestContextSource) { coreContext = CoreRequestContextStorage(source: source) }

    /// Without a connection, for tests.
    package init(logger: Logger) { coreContext = CoreRequestContextStorage(source: LoggerSource(logger: logger)) }

    private struct LoggerSource: RequestContextSource {
        let logger: Logger
    }
}
