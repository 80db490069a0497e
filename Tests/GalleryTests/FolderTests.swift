import Codecs
import CorpusStore
import Foundation
import HTTPTypes
import Testing

import Gallery

/// Folders of images as attune sample fills them.
final class MadeFolders {
    let root: URL
    let folders: [NamedFolder]

    /// - Parameter seeds: of each folder's images; every image has a color of its own.
    init(_ seeds: [String: [Int]] = ["base": [1, 2, 3], "tuned": [2, 3, 4]], prompt: String = "a red circle") throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "folders-\(UUID().uuidString)")
        self.root = root
        folders = seeds.keys.sorted().map { NamedFolder(name: $0, url: root.appending(path: $0)) }
        for (name, own) in seeds {
            let folder = root.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var lines = ""
            for seed in own {
                let pixels = (0..<3 * 64).map { UInt8(truncatingIfNeeded: $0 &* seed &+ name.utf8.count &* 40) }
                try Data(PNG.encode(width: 8, height: 8, pixels: pixels)).write(
                    to: folder.appending(path: "0001-\(seed).png"))
                lines += #"{"file_name":"0001-\#(seed).png","seed":\#(seed),"text":"\#(prompt)"}"# + "\n"
            }
            try Data(lines.utf8).write(to: folder.appending(path: "metadata.jsonl"))
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func options(_ made: MadeCorpus, edits: Bool = true) -> GalleryOptions {
        var options = made.options(edits: edits)
        options.folders = folders
        return options
    }

    func data(_ made: MadeCorpus, edits: Bool = true) throws -> GalleryData {
        try GalleryData(
            options(made, edits: edits), scoring: FlatScores(), cache: made.folder.appending(path: "cache"))
    }
}

@Suite("Folders of images")
struct FolderTests {
    @Test func pairsHaveTheSameSeeds() throws {
        let (made, folders) = (try MadeCorpus(), try MadeFolders())
        let data = try folders.data(made)
        let comparison = try Comparison(ComparisonSide("folder:base"), ComparisonSide("folder:tuned"), in: data)
        #expect(comparison.sharesSeeds && comparison.pairs.map(\.left.seed) == ["2", "3"])
        #expect(comparison.pairs.allSatisfy { $0.left.seed == $0.right.seed && !$0.isOfSamples })
        #expect(throws: Refusal.self) { try data.folders.images("other") }
        // Without seeds, by prompt and place.
        let plain = try MadeFolders(["a": [1, 2], "b": [1, 2]])
        for name in ["a", "b"] {
            try FileManager.default.removeItem(at: plain.root.appending(path: "\(name)/metadata.jsonl"))
        }
        let named = try plain.data(made)
        let other = try Comparison(ComparisonSide("folder:a"), ComparisonSide("folder:b"), in: named)
        #expect(other.pairs.map(\.left.prompt) == ["0001-1.png", "0001-2.png"] && !other.sharesSeeds)
    }

    @Test func votesAreKeptAndTheLastOneCounts() throws {
        let (made, folders) = (try MadeCorpus(), try MadeFolders())
        let data = try folders.data(made)
        let (base, tuned) = (try data.folders.images("base"), try data.folders.images("tuned"))
        let comparison = try Comparison(ComparisonSide("folder:base"), ComparisonSide("folder:tuned"), in: data)
        #expect(try comparison.tally(data) == Comparison.Tally())
        try data.folderVotes.add(base[1], tuned[0], winner: 0)
        try data.folderVotes.add(tuned[0], base[1], winner: 0)
        try data.folderVotes.add(tuned[1], base[2], winner: nil)
        #expect(try comparison.tally(data) == Comparison.Tally(left: 0, right: 1, ties: 1))
        // From the other side, and after a new start.
        let turned = try Comparison(ComparisonSide("folder:tuned"), ComparisonSide("folder:base"), in: data)
        #expect(try turned.tally(folders.data(made)) == Comparison.Tally(left: 1, right: 0, ties: 1))
        let lines = try String(
            contentsOf: made.folder.appending(path: "corpus/comparisons/folders.jsonl"), encoding: .utf8
        ).split(separator: "\n")
        #expect(lines.count == 3 && lines[0].contains(#""folder":"base""#))
        #expect(made.corpus.verify().isEmpty)
        #expect(throws: Refusal.self) { try data.folderVotes.add(base[0], base[0], winner: 0) }
    }

    @Test func nothingOutsideOfTheFoldersIsServed() async throws {
        let (made, folders) = (try MadeCorpus(), try MadeFolders())
        let base = folders.root.appending(path: "base")
        let secret = folders.root.appending(path: "secret.png")
        try Data(contentsOf: base.appending(path: "0001-1.png")).write(to: secret)
        let metadata = base.appending(path: "metadata.jsonl")
        let lines =
            try String(contentsOf: metadata, encoding: .utf8)
            + #"{"file_name":"../secret.png","seed":9,"text":"x"}"# + "\n"
            + #"{"file_name":"\#(secret.path)","seed":10,"text":"x"}"# + "\n"
            + #"{"file_name":"link.png","seed":11,"text":"x"}"# + "\n"
            + #"{"file_name":"text.png","seed":12,"text":"x"}"# + "\n"
        try Data(lines.utf8).write(to: metadata)
        try FileManager.default.createSymbolicLink(
            at: base.appending(path: "link.png"), withDestinationURL: secret)
        try Data("<script>alert(1)</script>".utf8).write(to: base.appending(path: "text.png"))
        let data = try folders.data(made)
        let images = try data.folders.images("base")
        #expect(images.map(\.file) == ["0001-1.png", "0001-2.png", "0001-3.png", "link.png", "text.png"])
        let client = Client(data, folders.options(made))
        let statuses = try await images.asyncMap { try await client.ask("/folders/\($0.token)").status }
        #expect(statuses == [200, 200, 200, 403, 422])
        let served = try await client.ask("/folders/\(images[0].token)")
        #expect(served.headers[.contentType] == "image/png")
        #expect(served.body == Array(try Data(contentsOf: base.appending(path: "0001-1.png"))))
        for path in ["/folders/x", "/folders/..", "/folders/..%2fsecret.png", "/folders/0001-1.png", "/folders/"] {
            #expect([400, 404].contains(try await client.ask(path).status), "\(path)")
        }
    }

    @Test func blindPagesDoNotTellTheSides() async throws {
        let (made, folders) = (try MadeCorpus(), try MadeFolders(["alpha7": [1, 2], "omega7": [1, 2]]))
        let client = Client(try folders.data(made), folders.options(made))
        let address = "/compare?left=folder:alpha7&right=folder:omega7"
        let open = try await client.ask(address)
        #expect(open.status == 200 && open.text.contains("folder alpha7"))
        let blind = try await client.ask(address + "&blind=1")
        #expect(blind.status == 200 && blind.text.contains("Image 1"))
        // The address of the page itself names both, in one order whatever is shown first.
        let inside = blind.text.replacingOccurrences(
            of: #"(href|action|value|data-next)="[^"]*left[^"]*""#, with: "", options: .regularExpression)
        #expect(!inside.contains("alpha7") && !inside.contains("omega7"))
        #expect(try await client.ask("/compare?left=folder:alpha7&right=folder:none").status == 404)
    }

    @Test func badFoldersAreRefusedAtTheStart() throws {
        let (made, folders) = (try MadeCorpus(), try MadeFolders())
        for text in ["", "base", "base=", "=x", "a b=x", "a/b=x"] {
            #expect(throws: GalleryError.self, "\(text)") { try NamedFolder(text) }
        }
        var options = folders.options(made)
        options.folders = [folders.folders[0], folders.folders[0]]
        #expect {
            try GalleryData(options, scoring: FlatScores(), cache: made.folder.appending(path: "cache"))
        } throws: { "\($0)".contains("is given twice") }
        options.folders = [NamedFolder(name: "x", url: folders.root.appending(path: "nowhere"))]
        #expect {
            try GalleryData(options, scoring: FlatScores(), cache: made.folder.appending(path: "cache"))
        } throws: { "\($0)".contains("is not a folder") }
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async throws -> [T] {
        var out: [T] = []
        for element in self { out.append(try await body(element)) }
        return out
    }
}
