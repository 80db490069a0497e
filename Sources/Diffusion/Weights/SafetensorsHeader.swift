import Foundation

/// The number formats of safetensors. Weights are read from 32-bit and 16-bit floats, single numbers from all of them.
package enum ElementType: String, Sendable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float8 = "F8_E4M3"
    case float8Wide = "F8_E5M2"
    case int64 = "I64"
    case uint64 = "U64"
    case int32 = "I32"
    case uint32 = "U32"
    case int16 = "I16"
    case uint16 = "U16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    package var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float8, .float8Wide, .int8, .uint8, .bool: 1
        }
    }
}

/// Where one tensor is in the data part of a file.
package struct TensorEntry: Sendable, Equatable {
    package let type: ElementType
    package let shape: [Int]
    package let range: Range<Int>
}

/// The parsed head of a safetensors file: u64 length, JSON, data.
struct SafetensorsHeader {
    static let largest = 100_000_000

    var entries: [String: TensorEntry] = [:]
    var metadata: [String: String] = [:]
    var dataStart = 0

    /// Refuses everything that the format does not allow, before any of it is used.
    init(_ map: MemoryMap, path: String) throws(ModelError) {
        guard map.count >= 8 else {
            throw ModelError(
                .malformedFile, at: path,
                ModelFile.foreignContent(map.head) ?? "is too short for a safetensors file: copy it again")
        }
        let length = map.base.loadUnaligned(as: UInt64.self).littleEndian
        guard length >= 2, length <= Self.largest, Int(length) <= map.count - 8 else {
            throw ModelError(
                .malformedFile, at: path,
                ModelFile.foreignContent(map.head)
                    ?? "has a header length of \(length) in a file of \(map.count) bytes: it is truncated or not safetensors"
            )
        }
        dataStart = 8 + Int(length)
        let json = Data(bytes: map.base + 8, count: Int(length))
        guard let object = try? JSONSerialization.jsonObject(with: json), let fields = object as? [String: Any] else {
            throw ModelError(.malformedFile, at: path, "has a header that is not a JSON object: copy the file again")
        }
        guard pairCount(json) == fields.count else {
            throw ModelError(.malformedFile, at: path, "names a tensor twice in its header")
        }
        for (name, value) in fields {
            if name == "__metadata__" {
                metadata = value as? [String: String] ?? [:]
            } else {
                entries[name] = try Self.entry(name, value, path: path)
            }
        }
        try checkCover(dataBytes: map.count - dataStart, path: path)
    }

    private static func entry(_ name: String, _ value: Any, path: String) throws(ModelError) -> TensorEntry {
        guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
            let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int], offsets.count == 2
        else { throw ModelError(.malformedFile, at: path, "describes tensor '\(name)' incompletely") }
        guard let type = ElementType(rawValue: typeName) else {
            throw ModelError(.unsupported, at: path, "stores tensor '\(name)' as \(typeName), which is not supported")
        }
        var bytes = type.size
        for dimension in shape {
            let product = bytes.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !product.overflow else {
                throw ModelError(.malformedFile, at: path, "gives tensor '\(name)' the impossible shape \(shape)")
            }
            bytes = product.partialValue
        }
        guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] - offsets[0] == bytes else {
            throw ModelError(
                .malformedFile, at: path, "places tensor '\(name)' of \(bytes) bytes at \(offsets[0])–\(offsets[1])")
        }
        return TensorEntry(type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    /// Tensors must cover the data exactly, without holes or overlaps.
    private func checkCover(dataBytes: Int, path: String) throws(ModelError) {
        var end = 0
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            guard entry.range.lowerBound == end else {
                throw ModelError(.malformedFile, at: path, "leaves a hole or an overlap before tensor '\(name)'")
            }
            end = entry.range.upperBound
        }
        guard end == dataBytes else {
            throw ModelError(
                .malformedFile, at: path,
                "holds \(dataBytes) bytes of data where its header names \(end): it is truncated or damaged")
        }
    }
}

/// How many name–value pairs the outermost object of valid JSON has; a parser silently drops repeated names.
private func pairCount(_ json: Data) -> Int {
    var (count, depth) = (0, 0)
    var (inString, escaped) = (false, false)
    for byte in json {
        if inString {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString = false
            }
            continue
        }
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: ":") where depth == 1: count += 1
        default: break
        }
    }
    return count
}
