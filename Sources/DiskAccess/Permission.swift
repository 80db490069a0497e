import CSync
import Foundation

/// What this process may do with files, asked before work begins that would need it.
package enum Permission {
    /// Why a file or folder cannot be written to, as an error number; nil where it can, or where there is none.
    package static func writeProblem(_ path: String) -> Int32? {
        let code = ck_write_problem(path)
        return code == 0 || code == ENOENT ? nil : code
    }
}
