/// Finds the orientation in an image file's metadata: its Exif block, else its XMP packet. Anything odd means upright.
enum Metadata {
    static func orientation(jpeg file: [UInt8]) -> Int {
        var (exif, xmp) = ([UInt8](), ArraySlice<UInt8>())
        let (exifName, xmpName) = (Array("Exif\0\0".utf8), Array("http://ns.adobe.com/xap/1.0/\0".utf8))
        JPEGSegments.forEach(of: file) { marker, data in
            guard marker == 0xE1 else { return }
            if data.starts(with: exifName) {
                // A block over 64 KiB is spread over several segments.
                exif += data.dropFirst(exifName.count)
            } else if data.starts(with: xmpName) {
                xmp = data.dropFirst(xmpName.count)
            }
        }
        return orientation(exif: exif[...]) ?? orientation(xmp: xmp) ?? 1
    }

    static func orientation(png file: [UInt8]) -> Int {
        var (exif, profile, xmp) = (ArraySlice<UInt8>(), ArraySlice<UInt8>(), ArraySlice<UInt8>())
        for chunk in PNG.Chunks(bytes: file) {
            switch chunk.kind {
            case "eXIf" where chunk.isWhole(in: file): exif = chunk.data
            case "tEXt", "zTXt", "iTXt":
                guard let text = PNG.Text(chunk), chunk.isWhole(in: file) else { continue }
                // ImageMagick's way, from before eXIf was part of the format.
                if text.keyword == "Raw profile type exif", profile.isEmpty { profile = hexadecimal(text.content)[...] }
                if text.keyword == "XML:com.adobe.xmp", xmp.isEmpty { xmp = text.content }
            default: continue
            }
        }
        return orientation(exif: exif.isEmpty ? profile : exif) ?? orientation(xmp: xmp) ?? 1
    }

    static func orientation(webp file: [UInt8]) -> Int {
        orientation(exif: WebP.chunk("EXIF", of: file)) ?? orientation(xmp: WebP.chunk("XMP ", of: file)) ?? 1
    }

    /// Three lines (empty, the kind, the length), then the bytes in hexadecimal.
    private static func hexadecimal(_ profile: ArraySlice<UInt8>) -> [UInt8] {
        let lines = profile.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4 else { return [] }
        let digits = lines[3].compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The tag in a small TIFF file of either byte order; 1 for a value that means nothing, nil where there is no tag.
    private static func orientation(exif block: ArraySlice<UInt8>) -> Int? {
        let name = Array("Exif\0\0".utf8)
        var tiff = block
        while tiff.starts(with: name) { tiff = tiff.dropFirst(name.count) }
        guard let first = tiff.first, tiff.count >= 8, first == tiff[tiff.startIndex + 1],
            first == 0x49 || first == 0x4D
        else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= tiff.count else { return nil }
            let digits = tiff[tiff.startIndex + offset..<tiff.startIndex + offset + count]
            return first == 0x49
                ? digits.reversed().reduce(0) { $0 << 8 | Int($1) } : digits.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
        for entry in 0..<count {
            let place = directory + 2 + 12 * entry
            guard let id = number(place, 2), let type = number(place + 2, 2), let values = number(place + 4, 4) else {
                return nil
            }
            guard id == 0x0112 else { continue }
            // The standard asks for SHORT; LONG and the signed kinds are met.
            let sizes = [3: 2, 4: 4, 6: 1, 8: 2, 9: 4]
            guard values == 1, let size = sizes[type], let value = number(place + 8, size) else { return 1 }
            return (1...8).contains(value) ? value : 1
        }
        return nil
    }

    /// `tiff:Orientation="6"`, or the same as an element.
    private static func orientation(xmp packet: ArraySlice<UInt8>) -> Int? {
        let name = Array("tiff:Orientation".utf8)
        var rest = packet
        while let start = rest.firstIndex(of: name[0]) {
            rest = rest[start...]
            if rest.starts(with: name) {
                var value = rest.dropFirst(name.count)
                if value.starts(with: "=\"".utf8) {
                    value = value.dropFirst(2)
                } else if value.first == UInt8(ascii: ">") {
                    value = value.dropFirst()
                } else {
                    value = []
                }
                if let digit = value.first, (48...57).contains(digit) {
                    return (49...56).contains(digit) ? Int(digit) - 48 : 1
                }
            }
            rest = rest.dropFirst()
        }
        return nil
    }
}

/// The segments of a JPEG file, up to its image data. Fill bytes and stray bytes before a marker are skipped, as
/// decoders skip them.
enum JPEGSegments {
    /// - Parameter body: given the marker's second byte and the segment's content.
    static func forEach(of file: [UInt8], _ body: (UInt8, ArraySlice<UInt8>) -> Void) {
        var place = 2
        while true {
            while place < file.count, file[place] != 0xFF { place += 1 }
            while place < file.count, file[place] == 0xFF { place += 1 }
            guard place < file.count else { return }
            let marker = file[place]
            place += 1
            switch marker {
            // An escaped 0xFF, and markers that stand alone.
            case 0x00, 0x01, 0xD0...0xD8: continue
            // Image data, or the end.
            case 0xD9, 0xDA: return
            default:
                guard place + 2 <= file.count else { return }
                let length = Int(file[place]) << 8 | Int(file[place + 1])
                guard length >= 2, place + length <= file.count else { return }
                body(marker, file[place + 2..<place + length])
                place += length
            }
        }
    }
}
