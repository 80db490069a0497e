/// A vector of each of some samples, all made in one way: features of an encoder, or what images are compared by.
package struct VectorSet: Sendable, Equatable {
    /// Numbers, a row for each sample.
    package enum Values: Sendable, Equatable {
        /// Finite.
        case floats([Float])
        case bytes([UInt8])

        package var count: Int {
            switch self {
            case .floats(let values): values.count
            case .bytes(let values): values.count
            }
        }

        /// As files say it.
        var element: String {
            switch self {
            case .floats: "float32"
            case .bytes: "uint8"
            }
        }
    }

    /// What made the vectors; a change of that deserves a name of its own.
    package let name: String
    /// Numbers of one vector.
    package let width: Int
    package let samples: [Digest]
    package let values: Values

    /// - Throws: ``CorpusError`` for a name that is none, a vector that is not whole, a sample that is there twice, and a
    ///   value that is not a finite number.
    package init(name: String, width: Int, samples: [Digest], values: Values) throws(CorpusError) {
        if let problem = Annotations.problem(withStoredName: name) { throw CorpusError(.badQuery, name, problem) }
        guard width > 0, width <= 1 << 20, values.count == samples.count * width else {
            throw CorpusError(
                .badQuery, name, "\(values.count) values are not \(samples.count) vectors of \(width)")
        }
        var seen: Set<Digest> = []
        for sample in samples where !seen.insert(sample).inserted {
            throw CorpusError(.badQuery, name, "sample \(sample) has two vectors: give one for each")
        }
        if case .floats(let values) = values, let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw CorpusError(
                .badQuery, name, "the vector of sample \(samples[bad / width]) has a value that is \(values[bad])")
        }
        (self.name, self.width, self.samples, self.values) = (name, width, samples, values)
    }

    /// The vectors of some samples, in their order; nil for a sample that has none.
    package func rows(of samples: [Digest]) -> [Int?] {
        let places = Dictionary(zip(self.samples, self.samples.indices)) { first, _ in first }
        return samples.map { places[$0] }
    }
}

/// What a corpus has of one kind of vectors.
package struct VectorSummary: Sendable, Equatable, Codable {
    package let name: String
    /// `float32` or `uint8`.
    package let element: String
    package let width: Int
    /// Vectors in all files; of a sample that has several the last counts.
    package let vectors: Int
    /// How often vectors were given.
    package let revision: Int
    /// Where the last ones came from.
    package let source: String
}
