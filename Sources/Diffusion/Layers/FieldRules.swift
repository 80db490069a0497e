import Synchronization

/// What a part of a model does with each field of its configuration file.
///
/// The lists are closed: a field that is on none of them, or has a value that is not followed, is refused by name,
/// since it may change the images.
struct FieldRules: Sendable {
    /// Read and obeyed; unusable values are the reader's to refuse.
    var followed: Set<String>
    /// Of no consequence to what is computed here.
    var harmless: Set<String> = []
    /// Obeyed for these values only, the default first. A list fits where all of its elements do.
    var fixed: [String: [JSONValue]] = [:]
    /// Fields of other classes of the same kind, which diffusers ignores.
    var foreign: Set<String> = []

    /// The first field that stands in the way, as a message; nil where there is none.
    func problem(_ fields: [String: JSONValue]) -> String? {
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            if followed.contains(name) || harmless.contains(name) { continue }
            if let allowed = fixed[name] {
                if Self.fits(value, allowed) { continue }
                let values = allowed.map(\.description).joined(separator: " or ")
                return
                    "\(name) is \(value), and only \(values) is followed; use another model, or continue as if the field "
                    + "were not there with --ignore-config \(name)"
            }
            if name.hasPrefix("_") || value.isOff || foreign.contains(name) { continue }
            return "has the field \(name) (\(value)), which is not known here and may change the images; use another "
                + "model, or continue as if the field were not there with --ignore-config \(name)"
        }
        return nil
    }

    /// Whether leaving the field out changes anything.
    func matters(_ name: String, _ value: JSONValue) -> Bool {
        if harmless.contains(name) || foreign.contains(name) || value == .null { return false }
        if let allowed = fixed[name] { return !Self.fits(value, allowed) }
        return followed.contains(name) || !value.isOff
    }

    private static func fits(_ value: JSONValue, _ allowed: [JSONValue]) -> Bool {
        if value == .null || allowed.contains(value) { return true }
        if case .list(let elements) = value { return !elements.isEmpty && elements.allSatisfy(allowed.contains) }
        return false
    }
}

/// Fields of configuration files that a user wants taken as if they were not there: `act_fn`, or of one part only,
/// `vae.act_fn`.
package final class IgnoredFields: Sendable {
    /// As they were given.
    package let names: [String]
    private let seen = Mutex<(used: Set<String>, effective: Set<String>)>(([], []))

    package init(_ names: [String] = []) { self.names = names }

    /// Takes out what is to be ignored of a part's fields.
    func strip(_ fields: [String: JSONValue], part: String, _ rules: FieldRules) -> [String: JSONValue] {
        guard !names.isEmpty else { return fields }
        return fields.filter { field, value in
            let spellings = [field, "\(part).\(field)"]
            guard names.contains(where: spellings.contains) else { return true }
            seen.withLock {
                $0.used.formUnion(spellings)
                if rules.matters(field, value) { $0.effective.insert("\(part).\(field)") }
            }
            return false
        }
    }

    /// What was left out that would have counted, as `part.field`, sorted: part of what an image is made from.
    package var effective: [String] { seen.withLock { $0.effective.sorted() } }

    /// Call when all files are read.
    ///
    /// - Throws: where a name fits no field, as a misspelled one does.
    package func requireUse() throws(ModelError) {
        let used = seen.withLock { $0.used }
        guard let stray = names.first(where: { !used.contains($0) }) else { return }
        throw ModelError(
            .unsupported, at: "",
            "--ignore-config \(stray): no configuration file that is read here has this field; check its spelling")
    }
}
