import Foundation

extension Corpus {
    /// Seals a scorer's values as one file, which later revisions by the same scorer overrule.
    ///
    /// - Parameters:
    ///   - values: one for each sample, all of this corpus.
    ///   - scorer: the name of what gave the values.
    ///   - source: where they come from: a file's name.
    /// - Returns: the revision that they make; nil where they say nothing new.
    /// - Throws: ``CorpusError`` naming a sample that the corpus lacks; nothing is stored then.
    @discardableResult
    package func annotate(
        _ values: [AnnotationValue], by scorer: String, from source: String
    ) throws(CorpusError) -> Int? {
        if let problem = Annotations.problem(withName: scorer) { throw CorpusError(.badQuery, scorer, problem) }
        let known = try catalogue.known(values.map(\.sample))
        if let stranger = values.first(where: { !known.contains($0.sample) }) {
            throw CorpusError(.notFound, stranger.sample.hex, "the corpus has no such sample; nothing was annotated")
        }
        // One after the other, so that each makes a revision of its own.
        return try FileLock.hold(folder.appending(path: "refs/.lock")) { () throws(CorpusError) in
            try requireReadable(catchUp())
            let present = try annotations(of: values.map(\.sample))
            guard values.contains(where: { present[$0.sample]?[scorer] != $0.value }) else { return nil }
            let revision = try catalogue.revision(of: scorer) + 1
            let annotations = Annotations(scorer: scorer, revision: revision, source: source, values: values)
            let digest = try sealing { () throws(CorpusError) in
                try AnnotationShard.write(annotations, to: shardsFolder, files: files)
            }
            try catalogue.add(.annotations(AnnotationShard(sealed(digest))))
            return revision
        }
    }

    /// The names of the scorers that have said something, sorted: columns of conditions and rankings.
    package func scorers() throws(CorpusError) -> [String] { try catalogue.scorers() }

    /// What each scorer has said.
    package func annotationSummaries() throws(CorpusError) -> [ScorerSummary] { try catalogue.annotationSummaries() }

    /// The values of some samples by the names of their scorers.
    package func annotations(of samples: [Digest]) throws(CorpusError) -> [Digest: [String: Double]] {
        try catalogue.annotations(of: samples)
    }
}
