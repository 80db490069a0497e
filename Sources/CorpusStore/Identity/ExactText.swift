import Foundation

/// A text that stands for its bytes, as prompts do: a tokenizer tells composed from decomposed letters, where Swift's
/// strings that are canonically equivalent are equal.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactText, b: ExactText) -> Bool {
        a.withBytes { first in
            b.withBytes { second in
                guard first.count == second.count, let a = first.baseAddress, let b = second.baseAddress else {
                    return first.count == second.count
                }
                return memcmp(a, b, first.count) == 0
            }
        }
    }

    package func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }

    private func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        if let result = text.utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) {
            return result
        }
        return Array(text.utf8).withUnsafeBytes(body)
    }
}
