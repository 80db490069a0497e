package import Foundation
package import Tensors

/// A safetensors file, memory-mapped; its header has been checked in full.
package struct SafetensorsFile: Sendable {
    package let path: String
    package let entries: [String: TensorEntry]
    package let metadata: [String: String]
    private let map: MemoryMap
    private let dataStart: Int

    package init(_ url: URL) throws(ModelError) {
        path = url.path
        map = try MemoryMap(url)
        let header = try SafetensorsHeader(map, path: path)
        (entries, metadata, dataStart) = (header.entries, header.metadata, header.dataStart)
    }

    package var names: [String] { entries.keys.sorted() }

    /// A tensor as float32: borrowed from the map where it is stored so, widened otherwise.
    ///
    /// - Parameters:
    ///   - name: as the file has it.
    ///   - narrowing: whether float64 is read too, rounded.
    package func tensor(_ name: String, narrowing: Bool = false) throws(ModelError) -> Tensor {
        let entry = try entry(name)
        let from = map.base + dataStart + entry.range.lowerBound
        switch entry.type {
        case .float32:
            if UInt(bitPattern: from) % 4 == 0 {
                return Tensor(
                    borrowing: from.assumingMemoryBound(to: Float.self), shape: entry.shape, owner: map)
            }
            return Tensor(shape: entry.shape) { out in
                UnsafeMutableRawBufferPointer(out).copyMemory(
                    from: UnsafeRawBufferPointer(start: from, count: entry.range.count))
            }
        case .float16: return Tensor(widening: from, of: .float16, shape: entry.shape)
        case .bfloat16: return Tensor(widening: from, of: .bfloat16, shape: entry.shape)
        case .float64 where narrowing:
            return Tensor(shape: entry.shape) { out in
                for index in out.indices {
                    out[index] = Float(from.loadUnaligned(fromByteOffset: 8 * index, as: Double.self))
                }
            }
        case .float64, .float8, .float8Wide:
            throw ModelError(
                .unsupported, at: path,
                "tensor '\(name)' holds \(entry.type.rawValue); save the weights as float32, float16 or bfloat16")
        default:
            throw ModelError(.unsupported, at: path, "tensor '\(name)' holds \(entry.type.rawValue), not floats")
        }
    }

    /// A tensor for a network, as ``tensor(_:narrowing:)``: NaN and infinity are refused.
    package func weight(_ name: String, narrowing: Bool = false) throws(ModelError) -> Tensor {
        let tensor = try tensor(name, narrowing: narrowing)
        guard let bad = tensor.firstNonFinite else { return tensor }
        throw ModelError(
            .malformedFile, at: path,
            "tensor '\(name)' holds \(bad.isNaN ? "NaN" : "an infinite value"): its training diverged or the file is "
                + "damaged; use another copy or an earlier checkpoint")
    }

    /// The numbers of a small tensor, whatever they are stored as.
    package func numbers(_ name: String) throws(ModelError) -> [Double] {
        let entry = try entry(name)
        let from = map.base + dataStart + entry.range.lowerBound
        func all<T>(_ type: T.Type, _ convert: (T) -> Double) -> [Double] where T: BitwiseCopyable {
            (0..<entry.shape.reduce(1, *)).map {
                convert(from.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: type))
            }
        }
        switch entry.type {
        case .float64: return all(Double.self) { $0 }
        case .float32, .float16, .bfloat16: return try tensor(name).values.map(Double.init)
        case .int64: return all(Int64.self) { Double($0) }
        case .uint64: return all(UInt64.self) { Double($0) }
        case .int32: return all(Int32.self) { Double($0) }
        case .uint32: return all(UInt32.self) { Double($0) }
        case .int16: return all(Int16.self) { Double($0) }
        case .uint16: return all(UInt16.self) { Double($0) }
        case .int8: return all(Int8.self) { Double($0) }
        case .uint8, .bool: return all(UInt8.self) { Double($0) }
        case .float8, .float8Wide:
            throw ModelError(
                .unsupported, at: path, "tensor '\(name)' holds \(entry.type.rawValue), which is not supported")
        }
    }

    /// A tensor of integers.
    package func integers(_ name: String) throws(ModelError) -> [Int] {
        let entry = try entry(name)
        let from = map.base + dataStart + entry.range.lowerBound
        let count = entry.shape.reduce(1, *)
        switch entry.type {
        case .int64: return (0..<count).map { Int(from.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
        case .int32: return (0..<count).map { Int(from.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        case .uint8: return (0..<count).map { Int(from.load(fromByteOffset: $0, as: UInt8.self)) }
        default:
            throw ModelError(
                .unsupported, at: path,
                "tensor '\(name)' holds \(entry.type.rawValue), not whole numbers as I64, I32 or U8")
        }
    }

    /// Lets what was read of the file leave memory; tensors that borrow from it stay good.
    func release() { map.release() }

    private func entry(_ name: String) throws(ModelError) -> TensorEntry {
        guard let entry = entries[name] else {
            throw ModelError(.missingTensor, at: path, "lacks the tensor '\(name)'")
        }
        return entry
    }

    /// The raw bytes of a tensor, for digests and copies.
    package func bytes(_ name: String) throws(ModelError) -> Data {
        let entry = try entry(name)
        return Data(bytes: map.base + dataStart + entry.range.lowerBound, count: entry.range.count)
    }
}

/// Writes tensors as safetensors: the same tensors give the same bytes.
package enum SafetensorsWriter {
    /// The whole file: keys sorted, the header padded with spaces to a multiple of eight bytes.
    ///
    /// - Parameters:
    ///   - tensors: by name, stored as F32.
    ///   - integers: lists of integers, stored as I64. They come first, where they lie on multiples of eight.
    ///   - metadata: the texts of the header's `__metadata__`.
    package static func data(
        _ tensors: [String: Tensor], integers: [String: [Int64]] = [:], metadata: [String: String] = [:]
    ) -> Data {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var end = 0
        func describe(_ name: String, _ type: ElementType, _ shape: [Int]) {
            let start = end
            end += type.size * shape.reduce(1, *)
            let sides = shape.map(String.init).joined(separator: ",")
            fields.append(
                "\(quoted(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(sides)],\"data_offsets\":[\(start),\(end)]}"
            )
        }
        let (lists, arrays) = (integers.sorted { $0.key < $1.key }, tensors.sorted { $0.key < $1.key })
        for (name, values) in lists { describe(name, .int64, [values.count]) }
        for (name, tensor) in arrays { describe(name, .float32, tensor.shape) }
        var header = Data("{\(fields.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(0x20) }
        var out = Data(capacity: 8 + header.count + end)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { out.append(contentsOf: $0) }
        out.append(header)
        for (_, values) in lists { values.withUnsafeBytes { out.append(contentsOf: $0) } }
        for (_, tensor) in arrays { tensor.withValues { out.append(contentsOf: UnsafeRawBufferPointer($0)) } }
        return out
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
