/// A failure of a command that no library module has an error for: what, where, what to do, in one line.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
