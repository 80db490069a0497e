package import Foundation

/// An array as NumPy's `.npy` files have it, versions 1 to 3: numbers or text, in C or Fortran order, of either byte
/// order. Pickled objects are refused: to read them is to run what the file says.
package struct NumPyArray: Sendable {
    /// What the elements are.
    package enum Element: Sendable, Equatable {
        case float16, float32, float64
        case signed(bytes: Int), unsigned(bytes: Int)
        /// UTF-32, with a fixed number of characters.
        case unicode(characters: Int)
        /// Bytes, padded with zeros.
        case text(bytes: Int)

        var size: Int {
            switch self {
            case .float16: 2
            case .float32: 4
            case .float64: 8
            case .signed(let bytes), .unsigned(let bytes), .text(let bytes): bytes
            case .unicode(let characters): 4 * characters
            }
        }

        package var isFloat: Bool { [.float16, .float32, .float64].contains(self) }
    }

    package let element: Element
    package let shape: [Int]
    package var count: Int { shape.reduce(1, *) }
    private let isBigEndian, isFortranOrder: Bool
    private let bytes: Data

    /// The first bytes of every `.npy` file.
    package static let signature: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// - Parameter file: the whole file.
    /// - Throws: ``CodecError`` for a file that is none, is cut off, or has elements of another kind.
    package init(_ file: Data) throws(CodecError) {
        guard file.starts(with: Self.signature) else { throw CodecError("is not a NumPy array (.npy)") }
        guard file.count >= 12 else { throw Self.cutOff }
        let start = file.startIndex
        let version = file[start + 6]
        guard (1...3).contains(version) else {
            throw CodecError("has version \(version) of NumPy's format; 1 to 3 are read", unsupported: true)
        }
        let lengthBytes = version == 1 ? 2 : 4
        let length = (0..<lengthBytes).reversed().reduce(0) { $0 << 8 | Int(file[start + 8 + $1]) }
        let headerStart = 8 + lengthBytes
        guard length <= file.count - headerStart else { throw Self.cutOff }
        let header = try NumPyHeader(
            String(decoding: file[start + headerStart..<start + headerStart + length], as: UTF8.self))
        (element, isBigEndian) = (header.element, header.isBigEndian)
        (shape, isFortranOrder) = (header.shape, header.isFortranOrder)
        bytes = file[(start + headerStart + length)...]

        var size = header.element.size
        for side in header.shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: side)
            guard !overflow else { throw CodecError("claims a shape of \(header.shape), which is not possible") }
            size = product
        }
        guard bytes.count >= size else {
            throw CodecError("is cut off: it has \(bytes.count) of \(size) bytes of its array; copy it again")
        }
    }

    private static let cutOff = CodecError("is cut off within its header; copy it again")

    /// The values in C order; nil for text.
    package var doubles: [Double]? { numbers(Double.init(bitPattern:), Double.init, Double.init, Double.init) }

    /// The values in C order, rounded to single precision; nil for text.
    package var floats: [Float]? { numbers({ Float(Double(bitPattern: $0)) }, { $0 }, Float.init, Float.init) }

    private func numbers<T>(
        _ double: (UInt64) -> T, _ single: (Float) -> T, _ signed: (Int64) -> T, _ unsigned: (UInt64) -> T
    ) -> [T]? {
        switch element {
        case .float64: values(UInt64.self, double)
        case .float32: values(UInt32.self) { single(Float(bitPattern: $0)) }
        case .float16: values(UInt16.self) { single(Float(Float16(bitPattern: $0))) }
        case .signed(1): values(UInt8.self) { signed(Int64(Int8(bitPattern: $0))) }
        case .signed(2): values(UInt16.self) { signed(Int64(Int16(bitPattern: $0))) }
        case .signed(4): values(UInt32.self) { signed(Int64(Int32(bitPattern: $0))) }
        case .signed: values(UInt64.self) { signed(Int64(bitPattern: $0)) }
        case .unsigned(1): values(UInt8.self) { unsigned(UInt64($0)) }
        case .unsigned(2): values(UInt16.self) { unsigned(UInt64($0)) }
        case .unsigned(4): values(UInt32.self) { unsigned(UInt64($0)) }
        case .unsigned: values(UInt64.self, unsigned)
        case .unicode, .text: nil
        }
    }

    private func values<B: FixedWidthInteger, T>(_: B.Type, _ convert: (B) -> T) -> [T] {
        let size = MemoryLayout<B>.size
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { index in
                let bits = raw.loadUnaligned(fromByteOffset: place(index) * size, as: B.self)
                return convert(isBigEndian ? B(bigEndian: bits) : B(littleEndian: bits))
            }
        }
    }

    /// The texts in C order; nil for numbers.
    package var texts: [String]? {
        switch element {
        case .unicode(let length):
            return bytes.withUnsafeBytes { raw in
                (0..<count).map { index in
                    let start = place(index) * length
                    var text = String.UnicodeScalarView()
                    for character in start..<start + length {
                        let bits = raw.loadUnaligned(fromByteOffset: 4 * character, as: UInt32.self)
                        let value = isBigEndian ? UInt32(bigEndian: bits) : UInt32(littleEndian: bits)
                        text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
                    }
                    while text.last == "\0" { text.removeLast() }
                    return String(text)
                }
            }
        case .text(let length):
            return (0..<count).map { index in
                let start = bytes.startIndex + place(index) * length
                let end = bytes[start..<start + length].lastIndex { $0 != 0 }.map { $0 + 1 } ?? start
                return String(decoding: bytes[start..<end], as: UTF8.self)
            }
        default: return nil
        }
    }

    /// Where the element is that is the `index`-th in C order.
    private func place(_ index: Int) -> Int {
        guard isFortranOrder, shape.count > 1 else { return index }
        // In Fortran order the first index runs fastest, in C order the last.
        var (rest, place, stride) = (index, 0, count)
        for side in shape.reversed() {
            stride /= side
            place += rest % side * stride
            rest /= side
        }
        return place
    }
}

extension NumPyArray {
    /// A `.npy` file of single precision.
    package static func file(_ values: [Float], shape: [Int]) -> Data {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        var data = header("<f4", shape)
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        return data
    }

    /// A `.npy` file of texts, one-dimensional.
    package static func file(_ texts: [String]) -> Data {
        let scalars = texts.map { $0.unicodeScalars.map(\.value) }
        let length = max(scalars.map(\.count).max() ?? 1, 1)
        var data = header("<U\(length)", [texts.count])
        for text in scalars {
            let padded = text + [UInt32](repeating: 0, count: length - text.count)
            padded.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        return data
    }

    private static func header(_ type: String, _ shape: [Int]) -> Data {
        let sides = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sides)), }"
        // Values begin at a multiple of 64 bytes.
        text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
        return Data(signature + [1, 0, UInt8(text.utf8.count & 0xFF), UInt8(text.utf8.count >> 8)]) + Data(text.utf8)
    }
}
