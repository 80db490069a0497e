import CZlib
package import Foundation

/// A ZIP archive in memory: its entries by the central directory, stored or deflated, ZIP64 included.
///
/// Everything that the archive claims is checked against the bytes that are there.
package struct ZipArchive: Sendable {
    /// One file of the archive.
    package struct Entry: Sendable, Equatable {
        package let name: String
        /// Of its content.
        package let size: Int
        fileprivate let packedSize, headerOffset: Int
        fileprivate let method: UInt16
        fileprivate let checksum: UInt32
        fileprivate let isEncrypted: Bool
    }

    /// In the archive's order.
    package let entries: [Entry]
    private let bytes: Data

    /// The first bytes of an archive that has entries.
    package static let signature: [UInt8] = [0x50, 0x4B, 3, 4]

    /// - Throws: where the directory is missing or damaged, as in a file that was cut off.
    package init(_ bytes: Data) throws(CodecError) {
        self.bytes = bytes
        let reader = LittleEndianBytes(bytes)
        let directory = try Self.directory(reader)
        // An entry takes 46 bytes or more: a count that does not fit is not believed.
        guard directory.count <= (reader.count - directory.offset) / 46 else { throw Self.damage }
        var (entries, place) = ([Entry](), directory.offset)
        for _ in 0..<directory.count {
            let (entry, next) = try Self.entry(reader, at: place)
            entries.append(entry)
            place = next
        }
        self.entries = entries
    }

    /// The content of an entry.
    ///
    /// - Throws: where it is encrypted, packed by another method, cut off, or differs from its checksum.
    package func content(of entry: Entry) throws(CodecError) -> Data {
        guard !entry.isEncrypted else { throw CodecError("\(entry.name) is encrypted", unsupported: true) }
        let reader = LittleEndianBytes(bytes)
        guard try reader.number(entry.headerOffset, bytes: 4) == 0x0403_4B50 else { throw Self.damage }
        let start =
            try entry.headerOffset + 30 + reader.number(entry.headerOffset + 26, bytes: 2)
            + reader.number(entry.headerOffset + 28, bytes: 2)
        let packed = try reader.slice(start, entry.packedSize)
        let content: Data
        switch entry.method {
        case 0:
            guard entry.packedSize == entry.size else { throw Self.damage }
            content = packed
        case 8: content = try Self.inflated(packed, to: entry)
        default:
            throw CodecError(
                "\(entry.name) is packed by ZIP's method \(entry.method); only stored and deflated are read",
                unsupported: true)
        }
        guard Self.checksum(content) == entry.checksum else {
            throw CodecError("\(entry.name) differs from its checksum: the archive is damaged")
        }
        return content
    }

    static let damage = CodecError("the ZIP archive is cut off or damaged")

    // MARK: The directory

    /// Where the central directory begins, and how many entries it has: said at the file's end.
    private static func directory(_ reader: LittleEndianBytes) throws(CodecError) -> (offset: Int, count: Int) {
        // A comment of up to 65,535 bytes may follow.
        guard reader.count >= 22 else { throw damage }
        var place = reader.count - 22
        while try reader.number(place, bytes: 4) != 0x0605_4B50 {
            guard place > 0, place > reader.count - 22 - 65_535 else { throw damage }
            place -= 1
        }
        let count = try reader.number(place + 10, bytes: 2)
        let offset = try reader.number(place + 16, bytes: 4)
        guard count == 0xFFFF || offset == 0xFFFF_FFFF, place >= 20,
            try reader.number(place - 20, bytes: 4) == 0x0706_4B50
        else {
            guard offset <= place else { throw damage }
            return (offset, count)
        }
        let wide = try reader.number(place - 12, bytes: 8)
        guard wide <= place, try reader.number(wide, bytes: 4) == 0x0606_4B50 else { throw damage }
        let (wideCount, wideOffset) = (try reader.number(wide + 32, bytes: 8), try reader.number(wide + 48, bytes: 8))
        guard wideOffset <= wide else { throw damage }
        return (wideOffset, wideCount)
    }

    private static func entry(_ reader: LittleEndianBytes, at place: Int) throws(CodecError) -> (Entry, next: Int) {
        guard try reader.number(place, bytes: 4) == 0x0201_4B50 else { throw damage }
        let (nameLength, extraLength, commentLength) = (
            try reader.number(place + 28, bytes: 2), try reader.number(place + 30, bytes: 2),
            try reader.number(place + 32, bytes: 2)
        )
        let name = String(decoding: try reader.slice(place + 46, nameLength), as: UTF8.self)
        var (packed, size) = (try reader.number(place + 20, bytes: 4), try reader.number(place + 24, bytes: 4))
        var offset = try reader.number(place + 42, bytes: 4)
        let next = place + 46 + nameLength + extraLength + commentLength
        // ZIP64's field has those numbers, in this order, that did not fit in 32 bits.
        var (field, end) = (place + 46 + nameLength, place + 46 + nameLength + extraLength)
        guard end <= reader.count else { throw damage }
        while field + 4 <= end {
            let (kind, length) = (try reader.number(field, bytes: 2), try reader.number(field + 2, bytes: 2))
            guard kind == 1 else {
                field += 4 + length
                continue
            }
            var at = field + 4
            end = min(end, at + length)
            func wide(_ narrow: Int) throws(CodecError) -> Int {
                guard narrow == 0xFFFF_FFFF else { return narrow }
                guard at + 8 <= end else { throw damage }
                defer { at += 8 }
                return try reader.number(at, bytes: 8)
            }
            size = try wide(size)
            packed = try wide(packed)
            offset = try wide(offset)
            break
        }
        let entry = Entry(
            name: name, size: size, packedSize: packed, headerOffset: offset,
            method: UInt16(try reader.number(place + 10, bytes: 2)),
            checksum: UInt32(try reader.number(place + 16, bytes: 4)),
            isEncrypted: try reader.number(place + 8, bytes: 2) & 1 != 0)
        return (entry, next)
    }

    // MARK: Content

    private static func inflated(_ packed: Data, to entry: Entry) throws(CodecError) -> Data {
        // Deflate shrinks by 1032 at most, so that a small file cannot claim all memory.
        guard entry.size / 1032 <= packed.count else { throw damage }
        var stream = z_stream()
        guard ck_z_raw_inflate_init(&stream) == Z_OK else { throw CodecError("zlib could not be started") }
        defer { inflateEnd(&stream) }
        var out = Data(count: entry.size)
        let isWhole = out.withUnsafeMutableBytes { to in
            packed.withUnsafeBytes { from in
                // zlib counts in 32 bits.
                let most = Int(UInt32.max)
                var (taken, given) = (0, 0)
                var code = Z_OK
                while code == Z_OK {
                    let (input, output) = (min(from.count - taken, most), min(to.count - given, most))
                    stream.next_in = UnsafeMutablePointer(
                        mutating: from.baseAddress.map { ($0 + taken).assumingMemoryBound(to: UInt8.self) })
                    stream.avail_in = UInt32(input)
                    stream.next_out = to.baseAddress.map { ($0 + given).assumingMemoryBound(to: UInt8.self) }
                    stream.avail_out = UInt32(output)
                    code = inflate(&stream, Z_NO_FLUSH)
                    taken += input - Int(stream.avail_in)
                    given += output - Int(stream.avail_out)
                    if code == Z_OK, input == Int(stream.avail_in), output == Int(stream.avail_out) { break }
                }
                return code == Z_STREAM_END && given == to.count
            }
        }
        guard isWhole else { throw damage }
        return out
    }

    /// The CRC-32 that ZIP keeps of a content.
    static func checksum(_ data: Data) -> UInt32 {
        data.withUnsafeBytes { bytes in
            UInt32(crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
        }
    }
}

/// Little-endian numbers of a file, with every access checked.
struct LittleEndianBytes {
    private let data: Data
    var count: Int { data.count }

    init(_ data: Data) { self.data = data }

    func number(_ offset: Int, bytes: Int) throws(CodecError) -> Int {
        let slice = try slice(offset, bytes)
        let value = slice.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard value <= UInt64(Int.max) else { throw ZipArchive.damage }
        return Int(value)
    }

    func slice(_ offset: Int, _ length: Int) throws(CodecError) -> Data {
        guard offset >= 0, length >= 0, offset <= data.count, length <= data.count - offset else {
            throw ZipArchive.damage
        }
        let start = data.startIndex + offset
        return data[start..<start + length]
    }
}
