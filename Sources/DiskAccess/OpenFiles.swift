import CSync

/// How many files this process may have open at once.
package enum OpenFiles {
    /// The usual soft limit of 1,024 is for programs that use select(2), which this one does not. Children get the raised
    /// limit too, so it has an end.
    private static let wanted = 65_536

    /// The limit, raised as far as the system lets this process. Reading it the first time raises it.
    package static let limit = ck_raise_file_limit(wanted)
}
