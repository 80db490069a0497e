import Foundation
import HDF5

/// A sealed file of Monte-Carlo traces, all by one scorer (schemas/shard.md, "Score shards").
struct ScoreShard {
    static let format = "attune-scores"

    let digest: Digest
    let scorer: Scorer
    let records: [ScoreRecord]

    /// - Parameter records: at least one, all with as many timesteps and draws as the scorer says.
    static func write(
        _ records: [ScoreRecord], by scorer: Scorer, to folder: URL, files: AtomicFiles
    ) throws(CorpusError) -> Digest {
        try SealedFile.write(image(of: records, by: scorer), to: folder, files: files)
    }

    /// The same records give the same bytes.
    static func image(of records: [ScoreRecord], by scorer: Scorer) throws(CorpusError) -> FileImage {
        try SealedFile.image(format: format, version: 1) { (file) throws(HDF5Error) in
            try file.attribute("scorer", scorer.json.text)
            let shape = [records.count, scorer.steps]
            try file.group("/scores")
            try file.write("/scores/sample", records.flatMap(\.sample.raw), shape: [records.count, 32])
            try file.write("/scores/timestep", records.flatMap(\.timesteps), shape: shape)
            try file.write(
                "/scores/delta_sq", records.flatMap { $0.draws.flatMap(\.self) },
                shape: [records.count, scorer.draws, scorer.steps])
        }
    }

    init(_ sealed: consuming SealedFile) throws(CorpusError) {
        digest = sealed.digest
        let path = sealed.path
        do throws(HDF5Error) {
            guard let text = try sealed.file.attribute("scorer"),
                let scorer = try? JSONDecoder().decode(Scorer.self, from: Data(text.utf8)),
                scorer.schedule.isPlausible, scorer.draws >= 0, scorer.steps >= 0
            else { throw HDF5Error(path: path, object: "scorer", "cannot be understood") }
            let ids = try sealed.file.read("/scores/sample", of: UInt8.self, rank: 2)
            let timesteps = try sealed.file.read("/scores/timestep", of: Int32.self, rank: 2)
            let deltas = try sealed.file.read("/scores/delta_sq", of: Float.self, rank: 3)
            let count = ids.shape[0]
            let (draws, steps) = (scorer.draws, scorer.steps)
            guard ids.shape[1] == 32, timesteps.shape == [count, steps], deltas.shape == [count, draws, steps] else {
                throw HDF5Error(path: path, object: "/scores", "columns differ in shape")
            }
            self.scorer = scorer
            records = (0..<count).map { row in
                ScoreRecord(
                    sample: Digest(raw: Array(ids.values[row * 32..<row * 32 + 32])),
                    timesteps: Array(timesteps.values[row * steps..<(row + 1) * steps]),
                    draws: (row * draws..<(row + 1) * draws).map {
                        Array(deltas.values[$0 * steps..<($0 + 1) * steps])
                    })
            }
        } catch {
            throw CorpusError(damage: error)
        }
    }
}
