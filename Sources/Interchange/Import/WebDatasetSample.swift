import Codecs
import Foundation

/// The members of an archive with one key.
struct WebDatasetSample {
    struct Member {
        /// In the archive.
        let name: String
        /// What follows the key and its dot, in lower case.
        let ending: String
        let bytes: [UInt8]

        /// The ending before its last dot, as `image` in `image.jpg`; empty for a plain one.
        var prefix: String { ending.lastIndex(of: ".").map { String(ending[..<$0]) } ?? "" }
        var kind: String { ending.split(separator: ".").last.map(String.init) ?? "" }
    }

    let key: String
    let archive: String
    private var members: [Member] = []

    init(key: String, archive: String) { (self.key, self.archive) = (key, archive) }

    /// Key and ending of a member, parted at the first dot of its file name, as webdataset does; nil for what is not
    /// part of a sample: hidden files, AppleDouble files (`._`) and metadata of the archive (`__name__`).
    static func split(_ name: String) -> (key: String, ending: String)? {
        let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        let file = name[start...]
        guard !file.hasPrefix("."), !name.hasPrefix("__MACOSX/") else { return nil }
        let dot = file.firstIndex(of: ".")
        let stem = file[..<(dot ?? file.endIndex)]
        if stem.count > 4, stem.hasPrefix("__"), stem.hasSuffix("__") { return nil }
        guard let dot else { return (name, "") }
        return (String(name[..<dot]), name[name.index(after: dot)...].lowercased())
    }

    /// What the sample is called in messages.
    var name: String { members.first?.name ?? key }

    func place(_ member: Member) -> String { "\(archive)!\(member.name)" }

    mutating func add(
        _ entry: TarReader.Entry, _ ending: String, from tar: TarReader, column: String?, readsImages: Bool
    ) throws {
        let kind = ending.split(separator: ".").last.map(String.init) ?? ""
        let isText = kind == "txt" || kind == "json" || ending == column?.lowercased()
        let format = ImageFormat(named: entry.name)
        // What is named after an unread format may still be read: its bytes tell.
        let isRead = isText || (readsImages && format != nil) || format?.isRead == false
        members.append(Member(name: entry.name, ending: ending, bytes: isRead ? try tar.read() : []))
    }

    /// The sample's image: the one with a plain ending, else the only one there is; nil where there is none.
    func image() throws(ImportError) -> Member? {
        let images = members.filter { ImageFormat(named: "." + $0.kind) != nil }
        let plain = images.filter { $0.prefix.isEmpty }
        if plain.count > 1 {
            throw ImportError(
                place(plain[1]), "is the second image of its sample: pack one image per sample",
                skippable: .severalImages
            )
        }
        if plain.isEmpty, images.count > 1 {
            throw ImportError(
                "\(archive)!\(key)",
                "has \(images.count) images (\(images.map(\.ending).joined(separator: ", "))): pack one per sample",
                skippable: .severalImages)
        }
        guard let image = plain.first ?? images.first else { return nil }
        if let named = ImageFormat(named: "." + image.kind), !named.isRead {
            let format = ImageFormat(image.bytes) ?? named
            if format.isRead { return image }
            throw ImportError(
                place(image), "is a \(format.rawValue) image, and only PNG, JPEG and WebP are read: convert it",
                skippable: .format)
        }
        return image
    }

    /// - Parameter column: the member of `.json` or the ending that was asked for.
    func caption(_ column: String?, _ image: Member, _ tally: ImportTally) throws(ImportError) -> String {
        if let column {
            let ending = column.lowercased()
            if let member = members.first(where: { $0.ending == ending || $0.ending == ending + ".txt" }),
                member.kind != "json"
            {
                return try text(member)
            }
        } else if let member = beside(image, "txt") {
            // Read even so: a .json that is broken is told.
            _ = try json(image)
            return try text(member)
        }
        let name = column ?? "text"
        guard let (place, object) = try json(image) else {
            let wanted = column.map { "a .json with '\($0)' or a .\($0)" } ?? "a .txt or a .json with 'text'"
            throw ImportError(
                self.place(image),
                "has no caption: put \(wanted) beside it (a sample's files must follow each other in the archive)",
                skippable: .caption)
        }
        guard let value = object[name] else {
            throw ImportError(
                place,
                "has no '\(name)'; its members are \(object.keys.sorted().joined(separator: ", ")), "
                    + "choose one with --text-column", skippable: .caption)
        }
        return try value.caption(name, at: place, of: image.name, tally)
    }

    /// Where the sample was found, if its `.json` says so.
    var url: String? {
        let objects = members.filter { $0.kind == "json" }.compactMap { JSONText($0.bytes)?.members }
        guard case .text(let url) = objects.first?["url"], Caption.problem(url) == nil else { return nil }
        return url
    }

    private func text(_ member: Member) throws(ImportError) -> String {
        let text = try TextFile.caption(member.bytes, at: place(member))
        if let problem = Caption.problem(text) { throw ImportError(place(member), problem, skippable: .caption) }
        return text
    }

    /// The member of a kind that belongs to the image: the plain one, the one with the image's prefix, or the only one.
    private func beside(_ image: Member, _ kind: String) -> Member? {
        let all = members.filter { $0.kind == kind }
        return all.first { $0.prefix.isEmpty } ?? all.first { $0.prefix == image.prefix }
            ?? (all.count == 1 ? all.first : nil)
    }

    private func json(_ image: Member) throws(ImportError) -> (place: String, object: [String: JSONText])? {
        guard let member = beside(image, "json") else { return nil }
        guard let object = JSONText(member.bytes)?.members else {
            throw ImportError(place(member), "is not a JSON object in UTF-8", skippable: .row)
        }
        return (place(member), object)
    }
}
