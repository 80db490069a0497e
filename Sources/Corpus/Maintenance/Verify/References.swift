import Foundation

/// What refers to what: names and runs to selections, selections to samples.
struct References {
    /// The names that stand or stood for a selection.
    private(set) var names: [Digest: [String]] = [:]
    /// The runs that read a selection.
    private(set) var runs: [Digest: [String]] = [:]
    let trails: [RunTrail]

    /// - Parameter unreadable: called with what is wrong with a name.
    init(_ corpus: Corpus, unreadable: (CorpusError) -> Void = { _ in }) {
        for name in corpus.selectionNames() {
            do throws(CorpusError) {
                for digest in Set(try corpus.history(of: name).map(\.digest)) {
                    names[digest, default: []].append(name)
                }
            } catch { unreadable(error) }
        }
        trails = RunTrail.all(in: corpus.folder)
        for trail in trails {
            for digest in trail.selections { runs[digest, default: []].append(trail.name) }
        }
    }

    /// How a selection is called: by its names, or by its digest.
    func titles(of selection: Digest) -> [String] { names[selection] ?? [selection.hex] }
}
