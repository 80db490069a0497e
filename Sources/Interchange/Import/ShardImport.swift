package import CorpusStore
package import Foundation

/// Imports shards and batches that were written elsewhere, after checking everything in them.
///
/// The samples are written again, as this corpus writes them: a file from elsewhere may be laid out in other ways, and
/// samples that are here already are left out. Ids do not change, for a sample's id is the digest of its manifest.
package struct ShardImport {
    private let corpus: Corpus
    /// Asked before a file is parsed in this process.
    private let inspect: (URL, Digest) throws -> Void
    private let files: [URL]

    /// Samples that are read and sealed together.
    private static let group = 256

    /// - Parameters:
    ///   - url: a .h5 file, or a folder of them.
    ///   - corpus: where the samples go.
    ///   - isTaken: whether the file at a place of the folder's list is imported.
    ///   - inspect: asked before a file is parsed in this process; throws to refuse it.
    package init(
        _ url: URL, into corpus: Corpus, taking isTaken: (Int) -> Bool = { _ in true },
        inspect: @escaping (URL, Digest) throws -> Void
    ) throws(ImportError) {
        (self.corpus, self.inspect) = (corpus, inspect)
        let url = url.standardizedFileURL
        let files: [URL]
        if try FolderTree.isFolder(url) {
            let tree = try FolderTree(url)
            files = tree.paths.filter(Self.isShard).map(tree.url)
        } else {
            files = [url]
        }
        guard !files.isEmpty else { throw ImportError(url.path, "has no .h5 files") }
        guard files.allSatisfy({ Self.isShard($0.path) }) else { throw ImportError(url.path, "is not a .h5 file") }
        self.files = files.enumerated().filter { isTaken($0.offset) }.map(\.element)
    }

    package var count: Int { files.count }

    private static func isShard(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix(".h5") || name.hasSuffix(".hdf5")
    }

    /// - Parameters:
    ///   - isCancelled: asked before each group of samples.
    ///   - report: told how many files are done.
    package func run(
        isCancelled: () -> Bool = { false }, report: (Int) -> Void = { _ in }
    ) throws -> ImageImport.Outcome {
        var outcome = ImageImport.Outcome()
        // Vectors come after the samples that they are of.
        var vectors: [(file: URL, digest: Digest)] = []
        for (index, file) in files.enumerated() {
            try explaining(file) {
                let digest = try Digest(of: TextFile.read(file))
                try inspect(file, digest)
                if try Corpus.vectors(in: file, digest: digest) != nil {
                    vectors.append((file, digest))
                } else {
                    try add(file, digest, isCancelled, &outcome)
                }
            }
            if !outcome.isFinished { return outcome }
            report(index + 1)
        }
        for (file, digest) in vectors { try explaining(file) { outcome.vectors += try addVectors(file, digest) } }
        return outcome
    }

    private func explaining(_ file: URL, _ body: () throws -> Void) throws {
        do { try body() } catch let error as CorpusError where error.code == .damaged {
            throw ImportError(file.path, "was refused: \(error.message)")
        }
    }

    /// Imports the vectors of samples that the corpus has, where they are new or others than before.
    private func addVectors(_ file: URL, _ digest: Digest) throws -> Int {
        guard let (set, source) = try Corpus.vectors(in: file, digest: digest) else { return 0 }
        let known = try corpus.rows(set.samples)
        let isPresent = try corpus.vectorSummaries().contains { $0.name == set.name && $0.width == set.width }
        let present = isPresent ? try corpus.vectors(named: set.name) : nil
        let wanted = set.samples(notIn: present).filter { known[$0] != nil }
        guard let new = try set.picking(wanted) else { return 0 }
        try corpus.add(new, from: source)
        return new.samples.count
    }

    private func add(
        _ file: URL, _ digest: Digest, _ isCancelled: () -> Bool, _ outcome: inout ImageImport.Outcome
    ) throws {
        let shard = try ShardReader(file, digest: digest)
        let known = try corpus.rows(shard.ids)
        let missing = shard.ids.indices.filter { known[shard.ids[$0]] == nil }
        outcome.skipped += shard.ids.count - missing.count
        // All of a file is read and checked before any of it is imported.
        for start in stride(from: 0, to: missing.count, by: Self.group) {
            for record in try shard.records(Array(missing[start..<min(start + Self.group, missing.count)])) {
                if let problem = record.problem {
                    throw CorpusError(.damaged, file.path, "sample \(record.id) \(problem)")
                }
            }
        }
        var made = 0
        try corpus.appendShards { append in
            for start in stride(from: 0, to: missing.count, by: Self.group) {
                outcome.isFinished = !isCancelled()
                if !outcome.isFinished { break }
                let records = try shard.records(Array(missing[start..<min(start + Self.group, missing.count)]))
                try append(records)
                made += records.count
            }
        }
        outcome.made += made
    }
}

extension SampleRecord {
    /// What no sample may have, though its digests fit; nil where all is well.
    fileprivate var problem: String? {
        if !latent.allSatisfy(\.isFinite) { return "has a latent with values that are not finite" }
        if !recipe.guidance.isFinite { return "has a guidance that is not finite" }
        if recipe.steps < 0 { return "has \(recipe.steps) steps" }
        if zip(timesteps, timesteps.dropFirst()).contains(where: { $0 < $1 }) {
            return "has a trace whose timesteps rise"
        }
        if let schedule, timesteps.contains(where: { $0 >= schedule.trainTimesteps }) {
            return "has a trace beyond its schedule's \(schedule.trainTimesteps) timesteps"
        }
        if deltaSquared.contains(where: { $0 < 0 || $0.isInfinite }) {
            return "has a trace with values below zero or not finite"
        }
        if let flow {
            if !flow.sigmas.allSatisfy({ (0...1).contains($0) })
                || zip(flow.sigmas, flow.sigmas.dropFirst()).contains(where: { $0 <= $1 })
            {
                return "has a trace whose sigmas are not between 0 and 1 or do not fall"
            }
            if flow.velocityDelta.contains(where: \.isInfinite) { return "has a flow trace with infinite values" }
        }
        return nil
    }
}
