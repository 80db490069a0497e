extension Corpus {
    /// Seals Monte-Carlo traces as one file and adds them to the catalogue.
    ///
    /// - Parameters:
    ///   - records: of one scorer, at least one.
    ///   - scorer: how the samples were scored.
    @discardableResult
    package func append(_ records: [ScoreRecord], by scorer: Scorer) throws(CorpusError) -> Digest {
        let digest = try sealing { () throws(CorpusError) in
            try ScoreShard.write(records, by: scorer, to: shardsFolder, files: files)
        }
        try index(digest)
        return digest
    }

    /// Which of these samples have been scored by `scorer`.
    package func scored(_ samples: [Digest], by scorer: Scorer) throws(CorpusError) -> Set<Digest> {
        try catalogue.scored(samples, by: scorer.digest)
    }
}
