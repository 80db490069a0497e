import Foundation
import HDF5

/// A sealed file of vectors (schemas/shard.md, "Vector shards").
struct VectorShard: Sendable {
    static let format = "attune-vectors"
    private static let version = 1

    let digest: Digest
    let stamp: FileStamp
    let head: Head
    let samples: [Digest]
    private let sealed: SealedFile

    /// What the root attribute `vectors` says.
    struct Head: Codable, Sendable, Equatable {
        var name: String
        var element: String
        var width: Int
        var revision: Int
        var source: String

        var json: CanonicalJSON {
            .object([
                "name": .string(name), "element": .string(element), "width": .integer(width),
                "revision": .integer(revision), "source": .string(source),
            ])
        }
    }

    /// The same vectors give the same bytes.
    static func encoded(_ set: VectorSet, revision: Int, source: String) throws(CorpusError) -> FileContents {
        let head = Head(
            name: set.name, element: set.values.element, width: set.width, revision: revision, source: source)
        return try SealedFile.encoded(format: format, version: version) { (file) throws(HDF5Error) in
            try file.attribute("vectors", head.json.text)
            try file.group("/vectors")
            try file.write("/vectors/sample", set.samples.flatMap(\.raw), shape: [set.samples.count, 32])
            let shape = [set.samples.count, set.width]
            switch set.values {
            case .floats(let values): try file.write("/vectors/value", values, shape: shape)
            case .bytes(let values): try file.write("/vectors/value", values, shape: shape)
            }
        }
    }

    init(_ sealed: SealedFile) throws(CorpusError) {
        (digest, stamp, self.sealed) = (sealed.digest, sealed.stamp, sealed)
        let path = sealed.path
        do throws(HDF5Error) {
            guard let text = try sealed.file.attribute("vectors"),
                let head = try? JSONDecoder().decode(Head.self, from: Data(text.utf8)), head.revision > 0,
                (1...1 << 20).contains(head.width), ["float32", "uint8"].contains(head.element),
                Annotations.problem(withStoredName: head.name) == nil
            else { throw HDF5Error(path: path, object: "vectors", "cannot be understood") }
            let ids = try sealed.file.read("/vectors/sample", of: UInt8.self, rank: 2)
            guard ids.shape[1] == 32 else { throw HDF5Error(path: path, object: "/vectors/sample", "has no digests") }
            self.head = head
            samples = (0..<ids.shape[0]).map { Digest(raw: ids.values[$0 * 32..<$0 * 32 + 32]) }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The vectors, one after another.
    func values() throws(CorpusError) -> VectorSet.Values {
        do throws(HDF5Error) {
            func read<E: HDF5Element>(_ type: E.Type) throws(HDF5Error) -> [E] {
                let (values, shape) = try sealed.file.read("/vectors/value", of: type, rank: 2)
                guard shape == [samples.count, head.width] else {
                    throw HDF5Error(
                        path: sealed.path, object: "/vectors/value", "has the shape \(shape), which does not fit")
                }
                return values
            }
            return head.element == "uint8" ? .bytes(try read(UInt8.self)) : .floats(try read(Float.self))
        } catch {
            throw CorpusError(damage: error)
        }
    }

    func set() throws(CorpusError) -> VectorSet {
        do throws(CorpusError) {
            return try VectorSet(name: head.name, width: head.width, samples: samples, values: values())
        } catch {
            guard error.code == .badQuery else { throw error }
            throw CorpusError(.damaged, sealed.path, error.message)
        }
    }

    /// Checks what a file from elsewhere may get wrong.
    func verifyContents() throws(CorpusError) { _ = try set() }
}
