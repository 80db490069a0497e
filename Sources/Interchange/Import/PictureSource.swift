/// A picture from elsewhere with its caption, as its file has it.
package struct Picture: Sendable {
    /// Where it lies in its data set: the set's name and the path in it, `archive.tar!entry` in an archive.
    package let origin: String
    /// What errors name: the same with the path that the user gave.
    package let place: String
    package let caption: String
    /// Where the data set says that it was found.
    package let url: String?
    package let bytes: [UInt8]
}

/// Pictures in a layout that other programs write. Making one checks all of the layout before the first picture is taken
/// in: names, captions, what is missing.
package protocol PictureSource {
    var count: Int { get }

    /// Hands over the pictures in order until `body` says that it has enough.
    func forEach(_ body: (Picture) throws -> Bool) throws
}

/// The picture files that are read, by extension.
enum PictureKind: String {
    case png = "PNG"
    case jpeg = "JPEG"

    /// By a file's name; nil for anything else.
    init?(named name: String) {
        switch name.split(separator: ".").last?.lowercased() {
        case "png": self = .png
        case "jpg", "jpeg": self = .jpeg
        default: return nil
        }
    }

    /// By a file's first bytes.
    init?(_ bytes: [UInt8]) {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else {
            return nil
        }
    }
}
