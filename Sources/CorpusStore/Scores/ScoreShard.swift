import Foundation
import HDF5

/// A sealed file of Monte-Carlo traces and error curves, all by one scorer (schemas/shard.md, "Score shards").
struct ScoreShard {
    static let format = "attune-scores"
    /// The newest version that is read: error curves. 2 and 3 are left out, which versions up to 0.2 took for known.
    static let version = 4
    private static let versionWithoutCurves = 1

    let digest: Digest
    let scorer: Scorer
    let records: [ScoreRecord]

    /// - Parameter records: at least one, all with as many timesteps and draws as the scorer says, and with error curves
    ///   if it has negatives.
    static func write(
        _ records: [ScoreRecord], by scorer: Scorer, to folder: URL, files: AtomicFiles
    ) throws(CorpusError) -> Digest {
        try SealedFile.write(encoded(records, by: scorer), to: folder, files: files)
    }

    /// The same records give the same bytes.
    static func encoded(_ records: [ScoreRecord], by scorer: Scorer) throws(CorpusError) -> FileContents {
        let hasCurves = scorer.negatives != nil
        precondition(
            records.allSatisfy { ($0.curves != nil) == hasCurves }, "error curves belong to scorers with negatives")
        return try SealedFile.encoded(format: format, version: hasCurves ? version : versionWithoutCurves) {
            (file) throws(HDF5Error) in
            try file.attribute("scorer", scorer.json.text)
            let shape = [records.count, scorer.steps]
            try file.group("/scores")
            try file.write("/scores/sample", records.flatMap(\.sample.raw), shape: [records.count, 32])
            try file.write("/scores/timestep", records.flatMap(\.timesteps), shape: shape)
            try file.write(
                "/scores/delta_sq", records.flatMap { $0.draws.flatMap(\.self) },
                shape: [records.count, scorer.draws, scorer.steps])
            if hasCurves { try writeCurves(of: records, by: scorer, to: file) }
        }
    }

    private static func writeCurves(
        of records: [ScoreRecord], by scorer: Scorer, to file: borrowing FileWriter
    ) throws(HDF5Error) {
        let curves = records.map { $0.curves ?? ErrorCurves(negatives: [], errors: []) }
        let most = curves.map(\.negatives.count).max() ?? 0
        var (places, texts): ([ExactText: Int64], [ExactText]) = ([:], [])
        var (indices, errors): ([Int64], [Float]) = ([], [])
        for curve in curves {
            for text in curve.negatives.map({ ExactText($0) }) {
                let place = places[text] ?? Int64(texts.count)
                if places.updateValue(place, forKey: text) == nil { texts.append(text) }
                indices.append(place)
            }
            let missing = most - curve.negatives.count
            indices += Array(repeating: -1, count: missing)
            for start in stride(from: 0, to: curve.errors.count, by: curve.prompts) {
                errors += curve.errors[start..<start + curve.prompts] + Array(repeating: .nan, count: missing)
            }
        }
        var (bytes, offsets): ([UInt8], [Int64]) = ([], [0])
        for text in texts {
            bytes += Array(text.text.utf8)
            offsets.append(Int64(bytes.count))
        }
        try file.write("/scores/negative", indices, shape: [records.count, most])
        try file.write(
            "/scores/error", errors, shape: [records.count, scorer.draws, scorer.steps, 2 + most])
        try file.group("/negatives")
        try file.write("/negatives/text", bytes, shape: [bytes.count])
        try file.write("/negatives/text_offset", offsets, shape: [offsets.count])
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
            let curves = scorer.negatives == nil ? nil : try Self.curves(sealed, scorer, count)
            self.scorer = scorer
            records = (0..<count).map { row in
                ScoreRecord(
                    sample: Digest(raw: Array(ids.values[row * 32..<row * 32 + 32])),
                    timesteps: Array(timesteps.values[row * steps..<(row + 1) * steps]),
                    draws: (row * draws..<(row + 1) * draws).map {
                        Array(deltas.values[$0 * steps..<($0 + 1) * steps])
                    }, curves: curves?[row])
            }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    private static func curves(
        _ sealed: borrowing SealedFile, _ scorer: Scorer, _ count: Int
    ) throws(HDF5Error) -> [ErrorCurves] {
        let (file, path) = (sealed.file, sealed.path)
        let places = try file.read("/scores/negative", of: Int64.self, rank: 2)
        let errors = try file.read("/scores/error", of: Float.self, rank: 4)
        let bytes = try file.read("/negatives/text", of: UInt8.self, rank: 1).values
        let offsets = try file.read("/negatives/text_offset", of: Int64.self, rank: 1).values
        let most = places.shape[1]
        guard places.shape[0] == count, errors.shape == [count, scorer.draws, scorer.steps, 2 + most] else {
            throw HDF5Error(path: path, object: "/scores/error", "differs in shape from the other columns")
        }
        guard offsets.first == 0, offsets.last == Int64(bytes.count), zip(offsets, offsets.dropFirst()).allSatisfy(<=)
        else { throw HDF5Error(path: path, object: "/negatives/text_offset", "does not fit the texts") }
        let texts = zip(offsets, offsets.dropFirst()).map {
            String(decoding: bytes[Int($0)..<Int($1)], as: UTF8.self)
        }
        let size = scorer.draws * scorer.steps * (2 + most)
        var curves: [ErrorCurves] = []
        curves.reserveCapacity(count)
        for row in 0..<count {
            let own = places.values[row * most..<(row + 1) * most].prefix { $0 >= 0 }
            guard own.allSatisfy({ $0 < Int64(texts.count) }),
                places.values[row * most + own.count..<(row + 1) * most].allSatisfy({ $0 == -1 })
            else { throw HDF5Error(path: path, object: "/scores/negative", "names no text") }
            var kept: [Float] = []
            kept.reserveCapacity(scorer.draws * scorer.steps * (2 + own.count))
            for start in stride(from: row * size, to: (row + 1) * size, by: 2 + most) {
                kept += errors.values[start..<start + 2 + own.count]
            }
            curves.append(ErrorCurves(negatives: own.map { texts[Int($0)] }, errors: kept))
        }
        return curves
    }
}
