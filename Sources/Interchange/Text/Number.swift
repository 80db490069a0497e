/// Numbers as data files spell them.
enum Number {
    /// A decimal number, or one of Python's and R's words for what is not finite; nil for anything else, such as
    /// `0x10`, `1_000` and `0,5`.
    static func parse(_ text: some StringProtocol) -> Double? {
        let text = text.trimming { $0 == " " || $0 == "\t" }
        switch text.lowercased() {
        case "nan", "+nan", "-nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: break
        }
        let isDecimal = text.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
        return isDecimal ? Double(text) : nil
    }

    /// Whether it is more than a word such as NaN.
    static func hasDigits(_ text: String) -> Bool { text.utf8.contains { (48...57).contains($0) } }

    /// A number of a JSON file as a caption or name: integral ones as integers, with every digit.
    static func text(_ spelling: String) -> String {
        guard let value = Double(spelling), value.isFinite else { return spelling }
        guard value == value.rounded() else { return String(value) }
        return value.magnitude < 9_007_199_254_740_992 ? String(Int(value)) : spelling
    }
}

extension StringProtocol {
    /// Without the characters at both ends that fit.
    func trimming(_ fits: (Character) -> Bool) -> String {
        guard let start = firstIndex(where: { !fits($0) }), let end = lastIndex(where: { !fits($0) }) else { return "" }
        return String(self[start...end])
    }
}
