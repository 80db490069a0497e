/// One way to authenticate that a registry offers in WWW-Authenticate.
package struct Challenge: Equatable, Sendable {
    /// Lower case: `basic` or `bearer`.
    package var scheme: String
    package var parameters: [String: String]

    /// Reads a header's challenges: `Bearer realm="…",service="…",scope="a,b", Basic realm="…"`.
    package static func parse(_ header: String) -> [Challenge] {
        var challenges: [Challenge] = []
        var rest = Substring(header)
        func skip(_ characters: String) { rest = rest.drop { characters.contains($0) } }
        while true {
            skip(" ,\t")
            guard !rest.isEmpty else { return challenges }
            let word = rest.prefix { !" ,=\t".contains($0) }
            guard !word.isEmpty else { return challenges }
            rest = rest.dropFirst(word.count)
            skip(" \t")
            guard rest.first == "=" else {
                challenges.append(Challenge(scheme: word.lowercased(), parameters: [:]))
                continue
            }
            rest = rest.dropFirst()
            guard !challenges.isEmpty else { return [] }
            challenges[challenges.count - 1].parameters[word.lowercased()] = value(&rest)
        }
    }

    private static func value(_ rest: inout Substring) -> String {
        guard rest.first == "\"" else {
            let word = rest.prefix { !" ,\t".contains($0) }
            rest = rest.dropFirst(word.count)
            return String(word)
        }
        rest = rest.dropFirst()
        var text = ""
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let escaped = rest.popFirst() {
                text.append(escaped)
            } else {
                text.append(character)
            }
        }
        return text
    }
}
