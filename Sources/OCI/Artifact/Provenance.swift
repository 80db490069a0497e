import CorpusStore
import Foundation

/// Where the samples of an artifact come from, in a manifest's annotations (schemas/artifact.md).
package struct Provenance: Sendable {
    /// How an adapter came to be that samples were made with.
    package struct Adapter: Sendable {
        /// SHA-256 of the adapter's file.
        package var digest: String
        /// The digest of the model that it was trained on.
        package var model: String
        /// Its run, as the pushing corpus calls it.
        package var run: String
        package var kind: String
        package var rank: Int
        package var alpha: Double
        /// Digests of the selections that its epochs read, in order.
        package var selections: [String]

        package init(
            digest: String, model: String, run: String, kind: String, rank: Int, alpha: Double, selections: [String]
        ) {
            (self.digest, self.model, self.run, self.kind) = (digest, model, run, kind)
            (self.rank, self.alpha, self.selections) = (rank, alpha, selections)
        }

        var json: CanonicalJSON {
            .object([
                "digest": .string(digest), "model": .string(model), "run": .string(run), "kind": .string(kind),
                "rank": .integer(rank), "alpha": .number(alpha),
                "selections": .array(selections.map { .string($0) }),
            ])
        }
    }

    package var title: String
    /// An SPDX expression or a sentence, as the user gives it.
    package var license: String?
    /// How the catalogue's scores follow from traces.
    package var estimator: String?
    /// What the pushing corpus knows of adapters; those that no sample was made with are left out.
    package var adapters: [Adapter]

    package init(title: String, license: String? = nil, estimator: String? = nil, adapters: [Adapter] = []) {
        (self.title, self.license, self.estimator, self.adapters) = (title, license, estimator, adapters)
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
        let used = distinct(rows.map(\.adapter))
        if !used.isEmpty { all["dev.attune.adapters"] = used.joined(separator: ",") }
        let lineage = adapters.filter { used.contains($0.digest) }
            .sorted { ($0.digest, $0.run) < ($1.digest, $1.run) }
        if !lineage.isEmpty { all["dev.attune.adapters.lineage"] = CanonicalJSON.array(lineage.map(\.json)).text }
        if let license { all["org.opencontainers.image.licenses"] = license }
        if let estimator { all["dev.attune.estimator"] = estimator }
        return all
    }

    private static func json(_ texts: [String]) -> Data { CanonicalJSON.array(texts.map { .string($0) }).data }
}
