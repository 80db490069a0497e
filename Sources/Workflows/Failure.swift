/// A failure of a workflow that no library module has an error for: what, where, what to do, in one line.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A request that makes no sense, as an option with a value that the model does not allow. The command reports it as it
/// reports what its parser refuses, with exit status 64.
package struct UsageError: Error, CustomStringConvertible, Equatable {
    /// One line, in the words of the command's options.
    package let description: String

    package init(_ description: String) { self.description = description }
}
