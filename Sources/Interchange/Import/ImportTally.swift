/// Counts the samples that an import leaves out, and what else its user should know: nothing goes missing unreported.
package final class ImportTally {
    /// Why a sample was left out, as the last line says it.
    package enum Reason: String, CaseIterable, Sendable {
        case format = "in a format that is not read"
        case damaged = "damaged"
        case unreadable = "missing or unreadable"
        case size = "of a size that is not taken"
        case caption = "without a usable caption"
        case row = "with metadata that cannot be read"
        case severalImages = "with several images"
        case noImage = "without an image"
        case unlisted = "not named by the metadata"
    }

    /// How many, and the first of them.
    private struct Group {
        var count = 0
        var names: [String] = []

        mutating func add(_ name: String) {
            count += 1
            if names.count < 3 { names.append(name) }
        }

        var text: String { names.joined(separator: ", ") + (count > names.count ? ", …" : "") }
    }

    private let skips: Bool
    private let warn: (String) -> Void
    private var omissions: [Reason: Group] = [:]
    private var remarks: [(text: String, group: Group)] = []

    /// - Parameters:
    ///   - skips: leave out samples that cannot be imported, instead of stopping at the first.
    ///   - warn: told of each sample that is left out for that.
    package init(skips: Bool = false, warn: @escaping (String) -> Void = { _ in }) {
        (self.skips, self.warn) = (skips, warn)
    }

    /// Whether samples were left out because they could not be imported.
    private(set) var hasSkipped = false

    /// How many samples were left out.
    package var count: Int { omissions.values.reduce(0) { $0 + $1.count } }

    /// Leaves a sample out.
    ///
    /// - Parameters:
    ///   - name: the sample, as its data set calls it.
    ///   - error: why it cannot be imported.
    /// - Throws: `error` where that was not asked for, or where it concerns more than a sample.
    package func leaveOut(_ name: String, _ error: ImportError) throws(ImportError) {
        guard skips, let reason = error.reason else { throw error }
        warn("skipped: \(error)")
        hasSkipped = true
        count(name, reason)
    }

    /// Counts what an import leaves out without being asked to.
    func count(_ name: String, _ reason: Reason) { omissions[reason, default: Group()].add(name) }

    /// Counts a sample that was imported otherwise than its user may think.
    func remark(_ name: String, _ text: String) {
        let index = remarks.firstIndex { $0.text == text } ?? remarks.count
        if index == remarks.count { remarks.append((text, Group())) }
        remarks[index].group.add(name)
    }

    /// `2 in a format that is not read (a.gif, b.bmp), 1 damaged (c.png)`; empty where nothing was left out.
    package var summary: String {
        Reason.allCases.compactMap { reason in
            omissions[reason].map { "\($0.count) \(reason.rawValue) (\($0.text))" }
        }.joined(separator: ", ")
    }

    /// Lines about samples that were imported otherwise than their user may think.
    package var notes: [String] {
        remarks.map { remark in
            "\(remark.group.count) \(remark.group.count == 1 ? "image" : "images") \(remark.text): \(remark.group.text)"
        }
    }
}
