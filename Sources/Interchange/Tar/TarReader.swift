import Codecs
import Foundation

/// Reads a tar archive (ustar, pax, GNU long names; plain or gzip) that nobody vouches for, from its beginning to its end.
///
/// Refused are links and devices, absolute names and names with `..`, headers whose checksum is wrong, and members that
/// claim more than ``largestMember``: nothing of an archive decides how much memory is taken.
final class TarReader {
    struct Entry {
        let name: String
        let size: Int
    }

    static let largestMember = 1 << 28
    private static let largestExtension = 1 << 20

    private let bytes: TarBytes
    private let path: String
    /// What is left of the present entry, padding included.
    private var rest = 0
    private var unread = 0

    init(_ url: URL) throws {
        path = url.path
        bytes = try TarBytes(url)
    }

    /// The next regular file; nil at the end.
    func next() throws -> Entry? {
        var longName: String?
        var longSize: Int?
        while true {
            try bytes.skip(rest, atLeast: unread)
            (rest, unread) = (0, 0)
            let block = try bytes.read(TarHeader.blockSize)
            // An archive that lacks its end marker is complete when its last member is.
            if block.isEmpty || block.allSatisfy({ $0 == 0 }) { return nil }
            guard block.count == TarHeader.blockSize else {
                throw ImportError(path, "ends within a header: it is truncated")
            }
            guard Self.octal(block[148..<156]) == TarHeader.checksum(block) else {
                throw ImportError(path, "is not a tar archive, or is damaged: a header's checksum is wrong")
            }
            let name = try longName ?? self.name(block)
            guard let size = longSize ?? Self.octal(block[124..<136]), size <= Self.largestMember else {
                throw ImportError("\(path)!\(name)", "claims to be larger than \(Self.largestMember) bytes")
            }
            (unread, rest) = (size, size + TarHeader.padding(after: size))
            switch block[156] {
            case UInt8(ascii: "0"), UInt8(ascii: "7"), 0:
                try checkName(name)
                return Entry(name: name, size: size)
            case UInt8(ascii: "5"): try checkName(name)
            case UInt8(ascii: "x"):
                let fields = try extended(try readExtension(name))
                longName = try fields["path"].map { try TextFile.text($0, at: path) } ?? longName
                longSize = fields["size"].flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? longSize
                continue
            case UInt8(ascii: "g"): _ = try readExtension(name)
            case UInt8(ascii: "L"):
                longName = try TextFile.text(try readExtension(name).prefix { $0 != 0 }, at: path)
                continue
            case UInt8(ascii: "1"), UInt8(ascii: "2"):
                throw ImportError("\(path)!\(name)", "is a link, which is not followed: pack the file itself")
            default: throw ImportError("\(path)!\(name)", "is neither a file nor a folder")
            }
            (longName, longSize) = (nil, nil)
        }
    }

    /// The bytes of the present entry.
    func read() throws -> [UInt8] {
        let count = unread
        let read = try bytes.read(count)
        guard read.count == count else { throw ImportError(path, "ends within a file: it is truncated") }
        (unread, rest) = (0, rest - count)
        return read
    }

    private func readExtension(_ name: String) throws -> [UInt8] {
        guard unread <= Self.largestExtension else {
            throw ImportError("\(path)!\(name)", "has a header extension of \(unread) bytes")
        }
        return try read()
    }

    /// pax records: `length key=value\n`.
    private func extended(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
        var fields: [String: [UInt8]] = [:]
        var place = 0
        while place < bytes.count {
            guard let blank = bytes[place...].firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: bytes[place..<blank], as: UTF8.self)), length > blank - place + 1,
                length <= bytes.count - place,
                let equals = bytes[blank..<place + length].firstIndex(of: UInt8(ascii: "="))
            else { throw ImportError(path, "has a header extension that cannot be read") }
            fields[String(decoding: bytes[blank + 1..<equals], as: UTF8.self)] =
                Array(bytes[equals + 1..<place + length - 1])
            place += length
        }
        return fields
    }

    private func name(_ block: [UInt8]) throws -> String {
        func field(_ range: Range<Int>) -> [UInt8] { Array(block[range].prefix { $0 != 0 }) }
        let isPOSIX = block[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? field(345..<500) : []
        return try TextFile.text((prefix.isEmpty ? [] : prefix + [UInt8(ascii: "/")]) + field(0..<100), at: path)
    }

    private func checkName(_ name: String) throws {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.hasPrefix("/"), !parts.contains(".."), !name.contains("\0") else {
            throw ImportError("\(path)!\(name)", "leads out of the archive: pack files under their own folder")
        }
    }

    /// A number in octal digits among blanks and zeros; nil for anything else, such as the base-256 of huge files.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.filter { $0 != 0 && $0 != UInt8(ascii: " ") }
        guard digits.count <= 12, digits.allSatisfy({ (48...55).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 << 3 | Int($1 - 48) }
    }
}

/// The bytes of a tar file, unpacked where it is a gzip file.
private final class TarBytes {
    private let file: FileHandle
    private let path: String
    private var gzip: GzipStream?
    /// Of a plain file.
    private var left = 0

    init(_ url: URL) throws {
        path = url.path
        guard let file = try? FileHandle(forReadingFrom: url) else {
            throw ImportError(path, "cannot be read; check the path and its permissions")
        }
        self.file = file
        let magic = try file.read(upToCount: 2) ?? Data()
        left = Int(try file.seekToEnd())
        try file.seek(toOffset: 0)
        if magic.elementsEqual([0x1F, 0x8B]) {
            gzip = try GzipStream { Array(try file.read(upToCount: 1 << 18) ?? Data()) }
        }
    }

    deinit { try? file.close() }

    /// Up to `count` bytes; fewer only at the end.
    func read(_ count: Int) throws -> [UInt8] {
        if let gzip { return try unpack { try gzip.read(count) } }
        let read = Array(try file.read(upToCount: count) ?? Data())
        left -= read.count
        return read
    }

    /// - Parameter least: so many there must be; the padding of the last member may be missing.
    func skip(_ count: Int, atLeast least: Int) throws {
        guard count > 0 else { return }
        if let gzip {
            var rest = count
            while rest > 0 {
                let read = try unpack { try gzip.read(min(rest, 1 << 18)) }
                if read.isEmpty {
                    guard count - rest >= least else { throw ImportError(path, "ends within a file: it is truncated") }
                    return
                }
                rest -= read.count
            }
        } else {
            guard least <= left else { throw ImportError(path, "ends within a file: it is truncated") }
            try file.seek(toOffset: file.offset() + UInt64(min(count, left)))
            left -= min(count, left)
        }
    }

    private func unpack(_ body: () throws -> [UInt8]) throws -> [UInt8] {
        do { return try body() } catch let error as CodecError { throw ImportError(path, error.description) }
    }
}
