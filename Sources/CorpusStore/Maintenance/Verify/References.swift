import Foundation

/// What refers to what: names and runs to selections, selections to samples.
struct References {
    /// The names that stand or stood for a selection.
    private(set) var names: [Digest: [String]] = [:]
    /// Of each name that could be read.
    private(set) var histories: [String: [SelectionReference]] = [:]
    /// How many names there are.
    private(set) var nameCount = 0
    /// The runs that read a selection.
    private(set) var runs: [Digest: [String]] = [:]
    private(set) var trails: [RunTrail] = []
    /// What is wrong with names, or keeps names and runs from being listed. A run's own problems are its trail's.
    private(set) var problems: [CorpusError] = []

    init(_ corpus: Corpus) {
        do throws(CorpusError) {
            for name in try corpus.selectionNames() {
                nameCount += 1
                do throws(CorpusError) {
                    let history = try corpus.history(of: name)
                    histories[name] = history
                    for digest in Set(history.map(\.digest)) { names[digest, default: []].append(name) }
                } catch { problems.append(error) }
            }
        } catch { problems.append(error) }
        do throws(CorpusError) { trails = try RunTrail.all(in: corpus) } catch { problems.append(error) }
        for trail in trails {
            for digest in trail.selections { runs[digest, default: []].append(trail.name) }
        }
    }

    /// How a selection is called: by its names, or by its digest.
    func titles(of selection: Digest) -> [String] { names[selection] ?? [selection.hex] }
}
