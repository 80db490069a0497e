import HDF5
package import Foundation

extension Annotations {
    /// The bytes of a sealed file of them: the same annotations give the same bytes.
    package func packed() throws(CorpusError) -> Data { Data(try AnnotationShard.encoded(self).bytes) }
}

extension Corpus {
    /// What scorers from elsewhere have said of some samples: of each scorer the values that count, in order of the
    /// samples' ids, under its last revision.
    package func annotationSets(of samples: [Digest]) throws(CorpusError) -> [Annotations] {
        let values = try annotations(of: samples)
        var sets: [Annotations] = []
        for scorer in try annotationSummaries().sorted(by: { $0.scorer < $1.scorer }) {
            let own = values.compactMap { sample, values in
                values[scorer.scorer].map { AnnotationValue(sample: sample, value: $0) }
            }
            guard !own.isEmpty else { continue }
            sets.append(
                Annotations(
                    scorer: scorer.scorer, revision: scorer.revision, source: scorer.source,
                    values: own.sorted { $0.sample < $1.sample }))
        }
        return sets
    }

    /// Whether a file of annotations can change what is known of some samples: one of them has no value by the scorer,
    /// or the values that it has are of an earlier revision.
    package func lacksAnnotations(
        of samples: [Digest], by scorer: String, revision: Int
    ) throws(CorpusError) -> Bool {
        if try catalogue.revision(of: scorer) < revision { return true }
        let known = try annotations(of: samples)
        return samples.contains { known[$0]?[scorer] == nil }
    }
}

extension AnnotationShard {
    /// Checks what a file from elsewhere may get wrong.
    func verifyContents() throws(CorpusError) {
        guard Set(annotations.values.map(\.sample)).count == annotations.values.count else {
            throw CorpusError(.damaged, digest.hex, "annotates a sample twice")
        }
    }
}
