import Foundation

/// Where handlers do what blocks: looking into files and the catalogue. The threads that serve connections never wait.
package struct Work: Sendable {
    /// Pages, and the small things on them, apart: a slow question must not hold up the images of others.
    private let pages: OperationQueue
    private let images: OperationQueue
    /// One change after the other.
    private let edits: OperationQueue

    package init(cores: Int = ProcessInfo.processInfo.activeProcessorCount) {
        func queue(_ name: String, _ width: Int) -> OperationQueue {
            let queue = OperationQueue()
            queue.name = "attune-gallery \(name)"
            queue.maxConcurrentOperationCount = width
            return queue
        }
        pages = queue("pages", max(4, cores))
        images = queue("images", max(2, cores))
        edits = queue("edits", 1)
    }

    package enum Kind: Sendable { case page, image, edit }

    package func run<R: Sendable>(_ kind: Kind, _ body: @escaping @Sendable () throws -> R) async throws -> R {
        let queue =
            switch kind {
            case .page: pages
            case .image: images
            case .edit: edits
            }
        return try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Result(catching: body)) }
        }
    }
}
