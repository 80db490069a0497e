/// What is wrong with something that was to be imported: the file and the entry in it, and what to do.
package struct ImportError: Error, CustomStringConvertible, Equatable {
    /// A path, with `!entry` or `, line n` where the trouble is inside the file.
    package let place: String
    package let message: String
    /// Why one sample cannot be imported; nil for trouble with more than one sample, which always ends an import.
    package let reason: ImportTally.Reason?

    package init(_ place: String, _ message: String, skippable reason: ImportTally.Reason? = nil) {
        (self.place, self.message, self.reason) = (place, message, reason)
    }

    package var description: String { "\(place): \(message)" }
}
