package import CorpusStore
import DiskAccess
import Foundation
package import OCI
import Tuning

/// What a corpus's runs tell of the adapters that they made.
package struct AdapterLineage {
    package let adapters: [Provenance.Adapter]

    /// Runs whose log cannot be read are left out: they are `verify`'s business, and no reason not to share.
    ///
    /// - Throws: ``DiskError`` where the folder of runs cannot be looked at.
    package init(_ corpus: Corpus) throws {
        let names = try Disk.listIfPresent(corpus.folder.appending(path: "runs").path) ?? []
        adapters = names.compactMap { name in
            guard let entries = try? RunLog.read(RunFolder(corpus: corpus.folder, name: name).log) else { return nil }
            return Self.adapter(entries, run: name)
        }
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
