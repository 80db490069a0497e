/// The cookies of a request, and those that answers set.
enum Cookies {
    /// - Parameter header: values of `Cookie`, joined.
    static func parse(_ header: String) -> [String: String] {
        var found: [String: String] = [:]
        for part in header.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let name = pair[0].trimmingPrefix { $0 == " " }
            if found[String(name)] == nil { found[String(name)] = String(pair[1]) }
        }
        return found
    }

    /// A cookie that no script reads and no other site has sent.
    static func strict(_ name: String, _ value: String) -> String {
        "\(name)=\(value); Path=/; HttpOnly; SameSite=Strict"
    }
}
