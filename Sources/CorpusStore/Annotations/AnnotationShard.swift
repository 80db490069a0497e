import Foundation
import HDF5

/// A sealed file of annotations, all by one scorer (schemas/shard.md, "Annotation shards").
struct AnnotationShard {
    static let format = "attune-annotations"
    static let version = 1

    let digest: Digest
    let stamp: FileStamp
    let annotations: Annotations

    /// What the root attribute `scorer` says.
    private struct Scorer: Codable {
        var name: String
        var revision: Int
        var source: String

        var json: CanonicalJSON {
            .object(["name": .string(name), "revision": .integer(revision), "source": .string(source)])
        }
    }

    /// - Parameter annotations: at least one value.
    static func write(_ annotations: Annotations, to folder: URL, files: AtomicFiles) throws(CorpusError) -> Digest {
        try SealedFile.write(encoded(annotations), to: folder, files: files)
    }

    /// The same annotations give the same bytes.
    ///
    /// - Throws: ``CorpusError`` for a value that is not finite, which no reader would take.
    static func encoded(_ annotations: Annotations) throws(CorpusError) -> FileContents {
        if let bad = annotations.values.first(where: { !$0.value.isFinite }) {
            throw CorpusError(
                .badQuery, annotations.scorer,
                "the value of sample \(bad.sample.hex) is \(bad.value); give finite numbers, and leave out what has none"
            )
        }
        let scorer = Scorer(
            name: annotations.scorer, revision: annotations.revision, source: annotations.source)
        let values = annotations.values
        return try SealedFile.encoded(format: format, version: version) { (file) throws(HDF5Error) in
            try file.attribute("scorer", scorer.json.text)
            try file.group("/annotations")
            try file.write("/annotations/sample", values.flatMap(\.sample.raw), shape: [values.count, 32])
            try file.write("/annotations/value", values.map(\.value), shape: [values.count])
        }
    }

    init(_ sealed: SealedFile) throws(CorpusError) {
        (digest, stamp) = (sealed.digest, sealed.stamp)
        let path = sealed.path
        do throws(HDF5Error) {
            guard let text = try sealed.file.attribute("scorer"),
                let scorer = try? JSONDecoder().decode(Scorer.self, from: Data(text.utf8)), scorer.revision > 0,
                Annotations.problem(withStoredName: scorer.name) == nil
            else { throw HDF5Error(path: path, object: "scorer", "cannot be understood") }
            let ids = try sealed.file.read("/annotations/sample", of: UInt8.self, rank: 2)
            let values = try sealed.file.read("/annotations/value", of: Double.self, rank: 1)
            guard ids.shape[1] == 32, values.shape == [ids.shape[0]], values.values.allSatisfy(\.isFinite) else {
                throw HDF5Error(path: path, object: "/annotations", "has columns that do not fit each other")
            }
            annotations = Annotations(
                scorer: scorer.name, revision: scorer.revision, source: scorer.source,
                values: values.values.enumerated().map { row, value in
                    AnnotationValue(sample: Digest(raw: Array(ids.values[row * 32..<row * 32 + 32])), value: value)
                })
        } catch {
            throw CorpusError(damage: error)
        }
    }
}
