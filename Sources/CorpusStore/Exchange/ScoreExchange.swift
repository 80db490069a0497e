import HDF5
package import Foundation

/// The Monte-Carlo traces of some samples, all by one scorer.
package struct ScoreSet: Sendable {
    package let scorer: Scorer
    /// In order of the samples' ids.
    package let records: [ScoreRecord]

    /// The bytes of a sealed file of them: the same traces give the same bytes.
    package func packed() throws(CorpusError) -> Data { Data(try ScoreShard.encoded(records, by: scorer).bytes) }
}

extension Corpus {
    /// What has been measured of some samples, in order of the scorers' digests.
    package func scores(of samples: [Digest]) throws(CorpusError) -> [ScoreSet] {
        do throws(CorpusError) { return try readScores(of: samples) } catch {
            // `pack` may replace a file between the look-up and the reading.
            guard error.code == .notFound else { throw error }
            try catchUp()
            return try readScores(of: samples)
        }
    }

    private func readScores(of samples: [Digest]) throws(CorpusError) -> [ScoreSet] {
        let wanted = Set(samples)
        var scorers: [Digest: Scorer] = [:]
        var records: [Digest: [Digest: ScoreRecord]] = [:]
        // In order of the files' digests: where two have measured the same, the choice is the same everywhere.
        for digest in try catalogue.scoreShards(of: samples) {
            let shard = try ScoreShard(sealedAsKnown(digest))
            let scorer = shard.scorer.digest
            scorers[scorer] = shard.scorer
            for record in shard.records where wanted.contains(record.sample) {
                if records[scorer]?[record.sample] == nil { records[scorer, default: [:]][record.sample] = record }
            }
        }
        return scorers.sorted { $0.key < $1.key }.map { digest, scorer in
            ScoreSet(
                scorer: scorer, records: (records[digest] ?? [:]).values.sorted { $0.sample < $1.sample })
        }
    }

    /// Those of some samples that nothing by this scorer is known of.
    package func unscored(_ samples: some Sequence<Digest>, by scorer: Digest) throws(CorpusError) -> Set<Digest> {
        let all = Array(samples)
        return Set(all).subtracting(try catalogue.scored(all, by: scorer))
    }
}

extension ScoreShard {
    /// Checks what a file from elsewhere may get wrong.
    func verifyContents() throws(CorpusError) {
        guard Set(records.map(\.sample)).count == records.count else {
            throw CorpusError(.damaged, digest.hex, "scores a sample twice")
        }
        for record in records {
            guard record.timesteps.allSatisfy({ $0 >= 0 }),
                record.draws.allSatisfy({ $0.allSatisfy { $0.isNaN || ($0.isFinite && $0 >= 0) } }),
                record.curves?.errors.allSatisfy({ $0.isNaN || ($0.isFinite && $0 >= 0) }) ?? true
            else {
                throw CorpusError(
                    .damaged, digest.hex, "the trace of sample \(record.sample) is not one of squared norms")
            }
        }
    }
}
