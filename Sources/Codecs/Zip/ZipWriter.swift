package import Foundation

/// Makes a ZIP archive of stored entries, as NumPy's `savez` does. ZIP64 where a number needs it.
package struct ZipWriter {
    private var directory = Data()
    private var count = 0
    private var place = 0
    private let write: (Data) throws -> Void

    /// - Parameter write: takes the archive's bytes, in order.
    package init(_ write: @escaping (Data) throws -> Void) { self.write = write }

    /// Adds one file. The same entries give the same bytes: its time is always ZIP's first, 1 January 1980.
    package mutating func add(_ name: String, _ content: Data) throws {
        let isWide = content.count >= Self.limit
        let (start, checksum) = (place, ZipArchive.checksum(content))
        var header = Data()
        header.append(number: 0x0403_4B50, bytes: 4)
        header.append(Self.common(checksum, content.count, name, extra: isWide ? 20 : 0, isWide: isWide))
        header.append(contentsOf: name.utf8)
        if isWide { header.append(Self.wide([content.count, content.count])) }
        try put(header)
        try put(content)

        let isFar = start >= Self.limit
        var numbers = isWide ? [content.count, content.count] : []
        if isFar { numbers.append(start) }
        let extra = numbers.isEmpty ? Data() : Self.wide(numbers)
        directory.append(number: 0x0201_4B50, bytes: 4)
        directory.append(number: isWide || isFar ? 45 : 20, bytes: 2)
        directory.append(Self.common(checksum, content.count, name, extra: extra.count, isWide: isWide || isFar))
        // No comment, the first disk, no attributes.
        directory.append(number: 0, bytes: 10)
        directory.append(number: isFar ? Self.limit : start, bytes: 4)
        directory.append(contentsOf: name.utf8)
        directory.append(extra)
        count += 1
    }

    /// Writes the directory, after which the archive is whole.
    package mutating func finish() throws {
        let (start, size) = (place, directory.count)
        var end = Data()
        if start >= Self.limit || count >= 0xFFFF {
            end.append(number: 0x0606_4B50, bytes: 4)
            end.append(number: 44, bytes: 8)
            end.append(number: 45, bytes: 2)
            end.append(number: 45, bytes: 2)
            end.append(number: 0, bytes: 8)
            for value in [count, count, size, start] { end.append(number: value, bytes: 8) }
            end.append(number: 0x0706_4B50, bytes: 4)
            end.append(number: 0, bytes: 4)
            end.append(number: start + size, bytes: 8)
            end.append(number: 1, bytes: 4)
        }
        end.append(number: 0x0605_4B50, bytes: 4)
        end.append(number: 0, bytes: 4)
        for _ in 0..<2 { end.append(number: min(count, 0xFFFF), bytes: 2) }
        end.append(number: min(size, Self.limit), bytes: 4)
        end.append(number: min(start, Self.limit), bytes: 4)
        end.append(number: 0, bytes: 2)
        try put(directory)
        try put(end)
    }

    private static let limit = 0xFFFF_FFFF

    /// What local header and directory share, from the version that a reader needs to the length of the extra field.
    private static func common(_ checksum: UInt32, _ size: Int, _ name: String, extra: Int, isWide: Bool) -> Data {
        var data = Data()
        data.append(number: isWide ? 45 : 20, bytes: 2)
        // Names are UTF-8; stored; midnight of 1 January 1980.
        data.append(number: 1 << 11, bytes: 2)
        data.append(number: 0, bytes: 4)
        data.append(number: 0x21, bytes: 2)
        data.append(number: Int(checksum), bytes: 4)
        for _ in 0..<2 { data.append(number: min(size, limit), bytes: 4) }
        data.append(number: name.utf8.count, bytes: 2)
        data.append(number: extra, bytes: 2)
        return data
    }

    private static func wide(_ numbers: [Int]) -> Data {
        var data = Data()
        data.append(number: 1, bytes: 2)
        data.append(number: 8 * numbers.count, bytes: 2)
        for value in numbers { data.append(number: value, bytes: 8) }
        return data
    }

    private mutating func put(_ data: Data) throws {
        try write(data)
        place += data.count
    }
}

extension Data {
    fileprivate mutating func append(number: Int, bytes: Int) {
        for index in 0..<bytes { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
}
