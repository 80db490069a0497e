/// What is wrong with something that was to come in: the file and the entry in it, and what to do.
package struct ImportError: Error, CustomStringConvertible, Equatable {
    /// A path, with `!entry` or `, line n` where the trouble is inside the file.
    package let place: String
    package let message: String

    package init(_ place: String, _ message: String) { (self.place, self.message) = (place, message) }

    package var description: String { "\(place): \(message)" }
}
