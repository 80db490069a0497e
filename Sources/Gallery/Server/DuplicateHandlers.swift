import CorpusStore
import Curation
import Workflows

extension Handlers {
    /// The page of near-duplicates, or how far the search for them is.
    func duplicates(_ visit: Visit) throws -> Answer {
        var layout = try layout("Near-duplicates", .duplicates, visit, scripts: ["duplicates.js"], isWide: true)
        let choices = DuplicatesPage.Choices(
            scores: try data.browser.scores(),
            methods: ["phash"] + (try EmbeddingJob.names(data.corpus).map(\.name)))
        var asked: DuplicateQuery?
        func refused(_ reason: String, _ status: Int) -> Answer {
            .page(DuplicatesPage.without(asked, reason, isWaiting: false, choices, layout), status: status)
        }
        do {
            let query = try DuplicateQuery(visit.query)
            asked = query
            switch try data.duplicates.groups(query) {
            case .making(let done, let all):
                layout.refresh = 2
                return .page(
                    DuplicatesPage.without(
                        query,
                        "Near-duplicates are being looked for\(Self.share(done, of: all)). This page loads again by itself.",
                        isWaiting: true, choices, layout))
            case .failed(let error): throw error
            case .ready(let found):
                let shown = try found.groups.enumerated().dropFirst(query.from).prefix(DuplicatesPage.pageSize).map {
                    place, group in
                    let members = try data.members(of: group, by: query.by)
                    return DuplicatesPage.Group(
                        number: place + 1, distance: group.distance, count: members.count,
                        members: Array(members.prefix(DuplicatesPage.mostMembers)))
                }
                return .page(DuplicatesPage.page(query, found, shown, choices, layout))
            }
        } catch let error as CorpusError where error.code == .badQuery || error.code == .notFound {
            return refused(error.description, 400)
        } catch let error as CurationError {
            return refused(error.description, 400)
        } catch let error as UsageError {
            return refused(error.description, 400)
        } catch let error as Failure {
            return refused(error.description, 422)
        } catch let refusal as Refusal {
            return refused(refusal.reason, refusal.status)
        }
    }
}
