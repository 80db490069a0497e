import Foundation

/// Reads canonical JSON off its bytes, without copies and in its members' order; a step that does not fit sets
/// ``hasFailed``.
struct ManifestScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private(set) var hasFailed = false

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(truncatingIfNeeded: mark.value) else { return false }
        position += 1
        return true
    }

    private mutating func require(_ mark: Unicode.Scalar) {
        if !take(mark) { hasFailed = true }
    }

    /// Takes a member's name, and what punctuation goes with it, if that member comes next.
    mutating func member(_ name: StaticString) -> Bool {
        var start = position
        if start > 0, bytes[start - 1] != UInt8(ascii: "{") {
            guard start < bytes.count, bytes[start] == UInt8(ascii: ",") else { return false }
            start += 1
        }
        let end = start + 1 + name.utf8CodeUnitCount
        guard end + 2 <= bytes.count, let base = bytes.baseAddress, bytes[start] == UInt8(ascii: "\""),
            bytes[end] == UInt8(ascii: "\""), bytes[end + 1] == UInt8(ascii: ":"),
            memcmp(base + start + 1, name.utf8Start, name.utf8CodeUnitCount) == 0
        else { return false }
        position = end + 2
        return true
    }

    mutating func string() -> String? {
        guard let text = text() else {
            hasFailed = true
            return nil
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes between quotes; nil where there are escapes, which the slow reader knows.
    private mutating func text() -> Slice<UnsafeBufferPointer<UInt8>>? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x22:
                position += 1
                return bytes[start..<position - 1]
            case 0x5C, 0..<0x20: return nil
            default: position += 1
            }
        }
        return nil
    }

    mutating func digest() -> Digest? {
        guard let text = text(), let digest = Digest(digits: UnsafeBufferPointer(rebasing: text)) else {
            hasFailed = true
            return nil
        }
        return digest
    }

    mutating func integer() -> Int? {
        let start = position
        var value = 0
        while position < bytes.count, (48...57).contains(bytes[position]), position - start < 16 {
            value = 10 * value + Int(bytes[position] - 48)
            position += 1
        }
        guard position > start else {
            hasFailed = true
            return nil
        }
        return value
    }

    mutating func number() -> Double? {
        let start = position
        if let plain = plainNumber() { return plain }
        position = start
        while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            hasFailed = true
            return nil
        }
        return value
    }

    private static let powersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13]

    /// A few digits with or without a point: the quotient of two numbers that are exact is rounded once, as it should
    /// be.
    private mutating func plainNumber() -> Double? {
        let start = position
        var (digits, point) = (0, Int?.none)
        while position < bytes.count, position - start < Self.powersOfTen.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), point == nil, position > start {
                point = position
            } else if (48...57).contains(byte) {
                digits = 10 * digits + Int(byte - 48)
            } else {
                break
            }
            position += 1
        }
        // What continues is not a plain number, and neither is one without digits at its end.
        guard position > start, (48...57).contains(bytes[position - 1]), position < bytes.count,
            bytes[position] == UInt8(ascii: ",") || bytes[position] == UInt8(ascii: "}")
        else { return nil }
        return Double(digits) / Self.powersOfTen[point.map { position - 1 - $0 } ?? 0]
    }

    mutating func integers() -> [Int]? {
        require("[")
        var values: [Int] = []
        if take("]") { return values }
        repeat {
            guard let value = integer() else { return nil }
            values.append(value)
        } while take(",")
        require("]")
        return values
    }

    mutating func schedule() -> ScheduleDescription? {
        require("{")
        guard member("beta_end"), let end = number(), member("beta_schedule"), let kind = string(),
            member("beta_start"), let start = number(), member("num_train_timesteps"), let timesteps = integer()
        else {
            hasFailed = true
            return nil
        }
        require("}")
        return ScheduleDescription(betaStart: start, betaEnd: end, betaSchedule: kind, trainTimesteps: timesteps)
    }
}
