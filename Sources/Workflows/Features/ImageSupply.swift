package import Images
import Codecs
package import CorpusStore
import DiskAccess
package import Foundation

/// Images that are read one after another, each with a name.
package enum ImageSupply: Sendable {
    /// Image files below a folder.
    case files(folder: String, names: [String])
    /// Samples of a corpus.
    case samples(reader: SampleReader, rows: [CatalogueRow])

    /// PNG, JPEG and WebP files below a folder, hidden ones left out, in the order of their paths.
    ///
    /// - Throws: ``DiskError`` for a folder that cannot be listed, ``Failure`` where it has no images.
    package init(folder: URL) throws {
        let root = folder.standardizedFileURL.path
        guard let status = try Disk.status(root) else {
            throw Failure("\(root): there is no such folder: give one with images")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure("\(root): is not a folder: give one with images")
        }
        var names: [String] = []
        try Self.list(root, "", depth: 0, &names)
        guard !names.isEmpty else { throw Failure("\(root): has no PNG, JPEG or WebP images") }
        self = .files(folder: root, names: names)
    }

    /// The samples of a corpus's selection, or all that fit a condition.
    ///
    /// - Throws: ``CorpusError``; ``Failure`` where there are none.
    package init(corpus: Corpus, selection: String?, condition: String? = nil) throws {
        let reader = SampleReader(corpus)
        let rows =
            try selection.map { try reader.rows(corpus.selection(meant: $0).ids) }
            ?? corpus.query(CatalogueQuery(condition: condition))
        guard !rows.isEmpty else { throw Failure("no sample fits: see what there is with attune query") }
        self = .samples(reader: reader, rows: rows)
    }

    package var count: Int {
        switch self {
        case .files(_, let names): names.count
        case .samples(_, let rows): rows.count
        }
    }

    /// Paths below the folder, or sample ids.
    package var names: [String] {
        switch self {
        case .files(_, let names): names
        case .samples(_, let rows): rows.map(\.id.hex)
        }
    }

    /// What ``names`` are called in a file of features.
    package var nameKey: String {
        switch self {
        case .files: "file_names"
        case .samples: "ids"
        }
    }

    /// What errors name them by.
    package var source: String {
        switch self {
        case .files(let folder, _): folder
        case .samples: "the corpus's samples"
        }
    }

    /// Some of the images, decoded on all cores.
    ///
    /// - Throws: naming the image that cannot be read.
    package func images(_ range: Range<Int>) throws -> [RGBImage] {
        switch self {
        case .files(let folder, let names):
            return try Self.decoded(range.map { folder + "/" + names[$0] }) { try Array(Disk.read($0)) }
        case .samples(let reader, let rows):
            let files = try reader.images(Array(rows[range]))
            let names = rows[range].map(\.id.hex)
            let byName = Dictionary(zip(names, files)) { first, _ in first }
            return try Self.decoded(names) { byName[$0] ?? [] }
        }
    }

    private static func decoded(
        _ names: [String], _ bytes: @Sendable (String) throws -> [UInt8]
    ) throws -> [RGBImage] {
        try ImageDecoding.decode(names, bytes)
    }

    private static let deepest = 64

    private static func list(_ root: String, _ path: String, depth: Int, _ names: inout [String]) throws {
        let folder = path.isEmpty ? root : root + "/" + path
        guard depth < deepest else {
            throw Failure("\(folder): folders are nested too deep, or link to one above them")
        }
        for name in try Disk.list(folder) where !name.hasPrefix(".") {
            let below = path.isEmpty ? name : path + "/" + name
            if ImageFormat(named: name)?.isRead == true {
                names.append(below)
            } else if let status = try Disk.status(root + "/" + below), status.st_mode & S_IFMT == S_IFDIR {
                try list(root, below, depth: depth + 1, &names)
            }
        }
    }
}
