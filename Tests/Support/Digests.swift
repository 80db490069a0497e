package import CorpusStore

extension Digest {
    /// A made-up id that is told by its number.
    package static func numbered(_ number: Int) -> Digest {
        Digest(raw: [UInt8](repeating: 0, count: 24) + withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) })
    }

    /// The number of a made-up id.
    package var number: Int { raw.suffix(8).reduce(0) { $0 << 8 | Int($1) } }
}
