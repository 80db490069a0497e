package import CorpusStore
import DiskAccess
import Foundation
package import OCI
import Tuning

/// What a corpus's runs tell of the adapters that they made.
package struct AdapterLineage {
    package let adapters: [Provenance.Adapter]
    /// What is wrong with logs that are damaged, a line each. Their runs are left out, which is no reason not to share.
    package let problems: [String]

    /// - Throws: ``DiskError`` where the folder of runs cannot be looked at, ``RunLogError`` where a log cannot be read.
    package init(_ corpus: Corpus) throws {
        var (adapters, problems): ([Provenance.Adapter], [String]) = ([], [])
        for name in try RunFolder.names(in: corpus.folder) {
            do throws(RunLogError) {
                let entries = try RunLog.read(RunFolder(corpus: corpus.folder, name: name).log)
                if let adapter = Self.adapter(entries, run: name) { adapters.append(adapter) }
            } catch {
                guard case .damaged = error else { throw error }
                problems.append("\(error)")
            }
        }
        (self.adapters, self.problems) = (adapters, problems)
    }

    private static func adapter(_ entries: [RunLogEntry], run: String) -> Provenance.Adapter? {
        var identity: RunIdentity?
        var selections: [String] = []
        var digest: String?
        for entry in entries {
            switch entry {
            case .run(let run): identity = run
            case .resolution(let resolution) where selections.last != resolution.selection.hex:
                selections.append(resolution.selection.hex)
            case .finished(let end): digest = end.adapter
            default: break
            }
        }
        guard let identity, let digest else { return nil }
        let settings = identity.configuration
        return Provenance.Adapter(
            digest: digest, model: identity.model, run: run, kind: settings.kind.rawValue, rank: settings.rank,
            alpha: settings.alpha, selections: selections)
    }
}
