/// What makes a text a caption.
enum Caption {
    /// Why a text cannot be a caption; nil where it can. Line breaks and tabs are fine, as texts have them.
    static func problem(_ text: String) -> String? {
        if text.allSatisfy(\.isWhitespace) { return "has an empty caption: write one" }
        for (index, scalar) in text.unicodeScalars.enumerated() {
            guard scalar.value < 0x20 || scalar.value == 0x7F, !["\n", "\r", "\t"].contains(scalar) else { continue }
            let code = String(scalar.value, radix: 16, uppercase: true)
            let name = scalar == "\0" ? "a NUL character" : "a control character"
            return "has a caption with \(name) (U+\(String(repeating: "0", count: 4 - code.count) + code)), "
                + "character \(index + 1): remove it"
        }
        return nil
    }
}
