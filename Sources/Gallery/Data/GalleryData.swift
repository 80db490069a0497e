package import CorpusStore
package import Foundation
import Synchronization
import Workflows

/// What pages know of a corpus. Everything that blocks is here; nothing here knows of the web.
package final class GalleryData: Sendable {
    package let corpus: Corpus
    package let browser: CatalogueBrowser
    package let reader: SampleReader
    /// Nil where there is no place for its index.
    package let search: PromptSearch?
    /// Why there is no search, where its index could not be opened.
    let searchProblem: CorpusError?
    package let thumbnails: Thumbnails
    package let runs: RunHistories
    package let maps: EmbeddingMaps
    package let duplicates: DuplicateSearch
    package let folders: ImageFolders
    package let folderVotes: FolderVotes
    /// The catalogue's version means something to one connection alone, so that it is asked for one at a time.
    private let versions = Mutex(())
    private let look = Mutex<(last: ContinuousClock.Instant, problem: CorpusError?)?>(nil)
    private let listings = Mutex(Recent<GridQuery, GridListing>(most: 6))
    private let members = Mutex(Recent<Digest, SelectionMembers>(most: 8))
    private let mapListings = Mutex(Recent<MapQuery, MapListing>(most: 3))
    private let overviews = Mutex<(version: Int64, score: String, overview: Overview)?>(nil)

    /// - Parameter cache: where thumbnails and the index of prompts go; nil for this user's place.
    package init(_ options: GalleryOptions, scoring: any TraceScoring = TraceScores(), cache: URL? = nil) throws {
        let corpus = try Corpus(at: options.corpus, scoring: scoring, sweeping: false)
        self.corpus = corpus
        if options.allowsEdits { try corpus.requireWritable() }
        browser = CatalogueBrowser(corpus, limits: CatalogueBrowser.Limits(seconds: options.querySeconds))
        reader = SampleReader(corpus)
        let cache = cache ?? corpus.cacheFolder(for: "gallery")
        // Without an index the search says why; all else works.
        do throws(CorpusError) {
            search = try cache.map { folder throws(CorpusError) in try PromptSearch(corpus, in: folder) }
            searchProblem = nil
        } catch { (search, searchProblem) = (nil, error) }
        thumbnails = Thumbnails(reader, folder: cache?.appending(path: "thumbnails"))
        runs = RunHistories(corpus.folder.appending(path: "runs"))
        folders = try ImageFolders(options.folders)
        folderVotes = FolderVotes(corpus)
        duplicates = DuplicateSearch(corpus, browser, mayStore: options.allowsEdits)
        maps = EmbeddingMaps(corpus, folder: cache?.appending(path: "maps"))
    }

    /// Looks for samples that others have added, once in a while.
    ///
    /// - Returns: what is wrong with shards whose samples are left out.
    @discardableResult
    package func lookAround() throws(CorpusError) -> CorpusError? {
        let now = ContinuousClock.now
        let known = look.withLock { state -> CorpusError?? in
            if let state, now - state.last < .seconds(3) { return .some(state.problem) }
            // Others that ask meanwhile need not look, too.
            state = (now, state?.problem)
            return nil
        }
        if let known { return known }
        let problem = try corpus.catchUp().first ?? corpus.unreadable.first
        look.withLock { $0 = (now, problem) }
        return problem
    }

    private func version() throws(CorpusError) -> Int64 {
        try versions.withLock { (_) throws(CorpusError) in try browser.version() }
    }

    /// What a grid shows, as of the catalogue's present version.
    package func listing(_ query: GridQuery) throws -> GridListing {
        let version = try self.version()
        if let known = listings.withLock({ $0[query] }), known.version == version { return known }
        let made = try GridListing(query, in: self, version: version)
        listings.withLock { $0[query] = made }
        return made
    }

    /// The vectors that a page without a choice shows: imported ones, or those of latents.
    func mapName(_ query: MapQuery) throws -> String {
        if let name = query.map { return name }
        return try EmbeddingJob.names(corpus).first?.name ?? VectorStore.latents
    }

    /// The points of a map, as of the catalogue's present version; the area that is chosen does not count.
    package func points(_ query: MapQuery, of map: EmbeddingMap) throws -> MapListing {
        var question = query.points
        question.map = map.embedding.name
        let version = try self.version()
        if let known = mapListings.withLock({ $0[question] }), known.version == version, known.source == map.source {
            return known
        }
        let made = try MapListing(question, map, in: self, version: version)
        mapListings.withLock { $0[question] = made }
        return made
    }

    /// A map that something follows from, which cannot be shown before it is there.
    package func readyMap(_ name: String) throws -> EmbeddingMap {
        switch try maps.map(name) {
        case .ready(let map): return map
        case .failed(let error): throw Refusal.unusable("the map of \(name) could not be made: \(error)")
        case .making(let done, let all):
            throw Refusal(
                status: 503,
                reason: "the map of \(name) is being made (\(all > 0 ? done * 100 / all : 0) %); load again in a moment"
            )
        }
    }

    /// The samples of a selection, by name, history (`best~1`) or digest.
    package func members(of selection: String) throws(CorpusError) -> SelectionMembers {
        // Looked up by name each time: the name may stand for another by now.
        let found = try corpus.selection(meant: selection)
        if let known = members.withLock({ $0[found.digest] }) { return known }
        let made = SelectionMembers(digest: found.digest, ids: found.ids)
        members.withLock { $0[found.digest] = made }
        return made
    }

    func overview(score: String) throws -> Overview {
        let version = try self.version()
        if let known = overviews.withLock({ $0 }), known.version == version, known.score == score {
            return known.overview
        }
        let made = try Overview(self, score: score)
        overviews.withLock { $0 = (version, score, made) }
        return made
    }

    /// The row of a sample.
    ///
    /// - Parameter id: 64 hexadecimal digits, as addresses have them.
    package func row(_ id: String) throws -> CatalogueRow {
        guard let digest = Digest(hex: id) else { throw Refusal.missing("'\(id.prefix(80))' is not a sample's id") }
        do { return try reader.rows([digest])[0] } catch {
            guard error.code == .notFound else { throw error }
            throw Refusal.missing("the corpus has no sample \(id)")
        }
    }
}

/// The ids of a selection, in order, and for looking up.
package struct SelectionMembers: Sendable {
    package let digest: Digest
    package let ids: [Digest]
    package let set: Set<Digest>

    package init(digest: Digest, ids: [Digest]) { (self.digest, self.ids, set) = (digest, ids, Set(ids)) }
}

/// A few things that were used last.
struct Recent<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var values: [Key: (value: Value, used: Int)] = [:]
    private var clock = 0
    private let most: Int

    init(most: Int) { self.most = most }

    subscript(_ key: Key) -> Value? {
        mutating get {
            clock += 1
            values[key]?.used = clock
            return values[key]?.value
        }
        set {
            clock += 1
            values[key] = newValue.map { ($0, clock) }
            if values.count > most, let oldest = values.min(by: { $0.value.used < $1.value.used }) {
                values[oldest.key] = nil
            }
        }
    }
}
