package import CorpusStore
import Foundation

/// Changes that people make in the gallery. Run one after the other.
extension GalleryData {
    /// One mark of one sample.
    package struct MarkRequest: Decodable, Sendable {
        package let id: String
        package let name: String
        package let value: Double

        package init(id: String, name: String, value: Double) { (self.id, self.name, self.value) = (id, name, value) }
    }

    /// Marks of one request.
    package static let mostMarks = 5000

    /// Seals marks as annotations: one file for each kind of mark. Of two marks of one kind on one sample the later counts.
    package func mark(_ requests: [MarkRequest]) throws {
        guard requests.count <= Self.mostMarks else {
            throw Refusal.unusable("\(requests.count) marks in one request; at most \(Self.mostMarks)")
        }
        var values: [String: [Digest: Double]] = [:]
        var order: [String] = []
        for request in requests {
            guard let id = Digest(hex: request.id) else {
                throw Refusal.unusable("'\(request.id.prefix(80))' is not a sample's id")
            }
            if let problem = Mark.problem(request.name, request.value) { throw Refusal.unusable(problem) }
            if values[request.name] == nil { order.append(request.name) }
            values[request.name, default: [:]][id] = request.value
        }
        for name in order {
            let marks = (values[name] ?? [:]).sorted { $0.key < $1.key }
            try corpus.annotate(
                marks.map { AnnotationValue(sample: $0.key, value: $0.value) }, by: name, from: "attune serve")
        }
    }

    /// Notes which of two samples somebody likes better.
    ///
    /// - Parameter winner: 0 or 1; nil where they are as good as each other.
    package func vote(_ ids: [Digest], winner: Int?) throws {
        guard ids.count == 2, ids[0] != ids[1] else { throw Refusal.unusable("a vote needs two samples") }
        let present = try corpus.annotations(of: ids)
        let values = ids.enumerated().map { place, id in
            let change = winner.map { $0 == place ? 1.0 : -1.0 } ?? 0
            return AnnotationValue(sample: id, value: (present[id]?[Mark.votes] ?? 0) + change)
        }
        try corpus.annotate(values, by: Mark.votes, from: "attune serve")
    }

    /// A selection of what is picked now, which `--follow` and `attune select` can resolve again.
    package func storePicks(as name: String, replacing seen: Digest?) throws -> Selection {
        guard try corpus.scorers().contains(Mark.pick) else { throw Self.nothingPicked }
        let selection = try corpus.resolve(CatalogueQuery(condition: "\(Mark.pick) > 0"))
        guard !selection.ids.isEmpty else { throw Self.nothingPicked }
        try corpus.store(selection, as: name, replacing: seen)
        return selection
    }

    private static let nothingPicked = Refusal.unusable(
        "no sample is picked or rejected: pick with the space key and reject with x first")

    /// Adds what is picked to a selection, and takes out what is rejected.
    package func applyPicks(to name: String, seen: Digest?) throws -> Selection {
        guard try corpus.scorers().contains(Mark.pick) else { throw Self.nothingPicked }
        let picked = try corpus.ids(CatalogueQuery(condition: "\(Mark.pick) > 0"))
        let rejected = try corpus.ids(CatalogueQuery(condition: "\(Mark.pick) < 0"))
        guard !picked.isEmpty || !rejected.isEmpty else { throw Self.nothingPicked }
        return try change(name, seen: seen, adding: picked, removing: rejected)
    }

    /// Adds samples to a selection and takes others out.
    ///
    /// - Parameter seen: what the name stood for when the change was decided.
    package func change(
        _ name: String, seen: Digest?, adding added: [Digest], removing removed: [Digest]
    ) throws -> Selection {
        let before = try seen.map { digest throws(CorpusError) in try corpus.selection(digest).ids } ?? []
        let (gone, had) = (Set(removed), Set(before))
        var seenIDs = had
        let ids =
            before.filter { !gone.contains($0) } + added.filter { !gone.contains($0) && seenIDs.insert($0).inserted }
        let known = try browser.keys(of: added)
        if let stranger = added.first(where: { known[$0] == nil }) {
            throw Refusal.missing("the corpus has no sample \(stranger.hex)")
        }
        let selection = Selection(ids: ids, policy: .list)
        try corpus.store(selection, as: name, replacing: seen)
        return selection
    }

    /// What a name stands for now; nil for a free one.
    package func present(_ name: String) throws(CorpusError) -> Digest? { try corpus.history(of: name).last?.digest }
}
