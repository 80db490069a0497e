package import CorpusStore
import DiskAccess
import Foundation

/// A selection as a user names it: a name, `name~1`, a digest or its first digits, or a file.
package struct SelectionArgument {
    package let text: String
    package let selection: Selection

    /// - Parameter complete: whether the samples of a file must be in the corpus.
    /// - Throws: ``CorpusError`` for what is not there, ``Failure`` for a file that cannot be read.
    package init(_ text: String, in corpus: Corpus, complete: Bool) throws {
        self.text = text
        selection = try Self.find(text, in: corpus, complete: complete)
    }

    private static func find(_ text: String, in corpus: Corpus, complete: Bool) throws -> Selection {
        // Names have no slash; what is not a selection may still be a file of the current folder.
        if !text.contains("/"), text != "-" {
            do throws(CorpusError) {
                return try corpus.selection(meant: text)
            } catch {
                guard !Disk.isSurelyAbsent(text) else { throw error }
            }
        }
        return try corpus.selection(reading: data(text), at: text, complete: complete)
    }

    /// The bytes of a file, or of standard input for `-`.
    static func data(_ path: String) throws -> Data {
        if path == "-" { return try FileHandle.standardInput.readToEnd() ?? Data() }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Failure("\(path): cannot be read: \(error.localizedDescription)")
        }
    }
}
