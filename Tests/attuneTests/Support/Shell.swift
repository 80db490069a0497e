import Foundation
import Testing

/// Commands run through a shell, for what only a shell sets up: limits, closed streams, other users, name spaces.
enum Shell {
    /// The built command and its arguments, quoted for a shell.
    static func attune(_ arguments: [String]) -> String {
        ([Attune.binary.path] + arguments).map(quoted).joined(separator: " ")
    }

    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }

    static func run(_ script: String, environment: [String: String] = [:]) throws -> Outcome {
        try RunningCommand(URL(fileURLWithPath: "/bin/bash"), ["-c", script], environment: environment).wait()
    }

    /// How this machine can make the script see a read-only folder; nil where it cannot.
    enum ReadOnly: CaseIterable, CustomTestStringConvertible {
        /// A bind mount, in a name space of its own.
        case mount
        /// Another user, who may read everything and write nothing.
        case otherUser

        var testDescription: String { self == .mount ? "read-only mount" : "another user" }

        /// Whether it works here: both need a privileged user.
        var isPossible: Bool {
            let probe =
                switch self {
                case .mount: "unshare -m true"
                case .otherUser: "setpriv --reuid 65534 --regid 65534 --clear-groups true"
                }
            return geteuid() == 0 && (try? Shell.run(probe).status) == 0
        }

        /// `script` with `folder` made read-only for it.
        func around(_ script: String, folder: String) -> String {
            switch self {
            case .mount:
                return "unshare -m bash -c "
                    + Shell.quoted(
                        "mount --make-rprivate / && mount --bind \(Shell.quoted(folder)) \(Shell.quoted(folder)) && "
                            + "mount -o remount,ro,bind \(Shell.quoted(folder)) && \(script)")
            case .otherUser:
                return
                    "chmod -R a+rX \(Shell.quoted(folder)) && setpriv --reuid 65534 --regid 65534 --clear-groups bash -c "
                    + Shell.quoted(script)
            }
        }
    }
}
