import Corpus
import Foundation

/// Where the samples of an artifact come from, in a manifest's annotations.
package struct Provenance: Sendable {
    package var title: String
    /// An SPDX expression or a sentence, as the user gives it.
    package var license: String?
    /// The name of the estimator behind the selection's scores.
    package var estimator: String?

    package init(title: String, license: String? = nil, estimator: String? = nil) {
        (self.title, self.license, self.estimator) = (title, license, estimator)
    }

    /// The largest list that is spelled out; registries limit manifests to 4 MiB.
    private static let largestList = 64 << 10

    /// The same samples always give the same annotations: no time, no host.
    func annotations(_ rows: [CatalogueRow]) -> [String: String] {
        func distinct(_ values: [String?]) -> [String] { Set(values.compactMap { $0 }).sorted() }
        let prompts = distinct(rows.map(\.prompt))
        var all = [
            "org.opencontainers.image.title": title, "dev.attune.samples": String(rows.count),
            "dev.attune.prompts.count": String(prompts.count),
            "dev.attune.prompts.sha256": Digest(of: Self.json(prompts)).hex,
            "dev.attune.models": distinct(rows.map(\.model)).joined(separator: ","),
            "dev.attune.samplers": distinct(rows.map(\.sampler)).joined(separator: ","),
        ]
        let list = Self.json(prompts)
        if list.count <= Self.largestList { all["dev.attune.prompts"] = String(decoding: list, as: UTF8.self) }
        let adapters = distinct(rows.map(\.adapter))
        if !adapters.isEmpty { all["dev.attune.adapters"] = adapters.joined(separator: ",") }
        if let license { all["org.opencontainers.image.licenses"] = license }
        if let estimator { all["dev.attune.estimator"] = estimator }
        return all
    }

    private static func json(_ texts: [String]) -> Data { CanonicalJSON.array(texts.map { .string($0) }).data }
}
