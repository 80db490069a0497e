/// Reads canonical JSON off its bytes, without copies; a step that does not fit sets ``hasFailed``.
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

    /// A member's name and its colon.
    mutating func name() -> String? {
        guard let name = string(), take(":") else { return nil }
        return name
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
        while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            hasFailed = true
            return nil
        }
        return value
    }

    mutating func integers() -> [Int]? {
        require("[")
        var values: [Int] = []
        repeat {
            guard let value = integer() else { return nil }
            values.append(value)
        } while take(",")
        require("]")
        return values
    }

    mutating func schedule() -> ScheduleDescription? {
        require("{")
        var (start, end): (Double?, Double?)
        var kind: String?
        var timesteps: Int?
        repeat {
            switch name() {
            case "beta_start": start = number()
            case "beta_end": end = number()
            case "beta_schedule": kind = string()
            case "num_train_timesteps": timesteps = integer()
            default: hasFailed = true
            }
        } while !hasFailed && take(",")
        require("}")
        guard let start, let end, let kind, let timesteps else {
            hasFailed = true
            return nil
        }
        return ScheduleDescription(betaStart: start, betaEnd: end, betaSchedule: kind, trainTimesteps: timesteps)
    }
}
