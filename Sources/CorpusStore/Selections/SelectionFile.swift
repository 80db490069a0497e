package import Foundation

extension Corpus {
    /// Reads a selection from a file: a selection's document, of any corpus, or a list of ids, one per line.
    ///
    /// In a list, an id may be shortened to its first eight digits or more where the corpus has just one such sample;
    /// what follows an id on its line is ignored, as are empty lines and those that begin with `#`. An id that comes
    /// again counts once.
    ///
    /// - Parameters:
    ///   - data: the file's bytes.
    ///   - path: where the bytes come from, for errors.
    ///   - complete: whether every sample must be in this corpus.
    package func selection(
        reading data: Data, at path: String, complete: Bool = true
    ) throws(CorpusError) -> Selection {
        let first = data.first { !" \t\r\n".utf8.contains($0) }
        let selection: Selection
        if first == UInt8(ascii: "{") {
            selection = try Selection(data: data, at: path)
        } else {
            selection = Selection(ids: try listed(data, at: path), policy: .list)
        }
        guard !selection.ids.isEmpty else { throw CorpusError(.badQuery, path, "lists no sample") }
        guard complete else { return selection }
        let known = try catalogue.known(selection.ids)
        let unknown = selection.ids.filter { !known.contains($0) }
        if let id = unknown.first {
            throw CorpusError(
                .notFound, path,
                "\(unknown.count) of its \(selection.ids.count) samples are not in this corpus, such as \(id): pull, "
                    + "import or generate them first")
        }
        return selection
    }

    private func listed(_ data: Data, at path: String) throws(CorpusError) -> [Digest] {
        guard let text = String(data: data, encoding: .utf8) else {
            throw CorpusError(.badQuery, path, "is neither a selection's document nor a list of ids: it is not UTF-8")
        }
        var ids: [Digest] = []
        var seen: Set<Digest> = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard let word = line.split(whereSeparator: { $0.isWhitespace || $0 == "," }).first, !word.hasPrefix("#")
            else { continue }
            let id = try sample(meant: word.lowercased(), at: "\(path):\(index + 1)")
            if seen.insert(id).inserted { ids.append(id) }
        }
        return ids
    }

    private func sample(meant digits: String, at place: String) throws(CorpusError) -> Digest {
        if let id = Digest(hex: digits) { return id }
        guard (8..<64).contains(digits.utf8.count), digits.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else {
            throw CorpusError(.badQuery, place, "'\(digits.prefix(80))' is not a sample's id: 64 hexadecimal digits")
        }
        func padded(_ digit: Character) -> String { digits.padding(toLength: 64, withPad: "\(digit)", startingAt: 0) }
        let found = try query(
            CatalogueQuery(condition: "_id BETWEEN x'\(padded("0"))' AND x'\(padded("f"))'", top: 2))
        guard found.count < 2 else {
            throw CorpusError(.badQuery, place, "more than one sample's id begins with \(digits): give more digits")
        }
        guard let id = found.first?.id else {
            throw CorpusError(.notFound, place, "no sample's id begins with \(digits)")
        }
        return id
    }
}
