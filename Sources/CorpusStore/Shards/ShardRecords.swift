import Foundation

extension ShardReader {
    /// One complete sample, as it was written: writing it again gives the same id.
    package func record(_ row: Int) throws(CorpusError) -> SampleRecord { try records([row])[0] }

    /// Complete samples, in the order asked for; each column is read once.
    package func records(_ rows: [Int]) throws(CorpusError) -> [SampleRecord] {
        var manifests: [Manifest] = []
        for row in rows {
            guard ids.indices.contains(row) else {
                throw CorpusError(.damaged, digest.hex, "the shard lacks row \(row): run `attune reindex`")
            }
            guard let manifest = try manifest(row).withUnsafeBufferPointer({ Manifest($0) }),
                manifest.latent_shape.count == 3 || manifest.latent_shape.isEmpty,
                manifest.latent_shape.allSatisfy({ (1...1 << 16).contains($0) })
            else { throw CorpusError(.damaged, path, "the manifest of sample \(ids[row]) cannot be read") }
            manifests.append(manifest)
        }
        let (images, traces) = (
            try images(rows), try rows.map { (row) throws(CorpusError) in try self.traces(row..<row + 1)[0] }
        )
        let flows = try rows.map { (row) throws(CorpusError) in try self.flows(row..<row + 1)[0] }
        let latents = try latents(rows, shapes: manifests.map(\.latent_shape))
        var records: [SampleRecord] = []
        for (index, row) in rows.enumerated() {
            let record = SampleRecord(
                manifests[index], png: images[index], latent: latents[index], trace: traces[index], flow: flows[index])
            guard let record, record.id == ids[row] else {
                throw CorpusError(
                    .damaged, path,
                    "the manifest of sample \(ids[row]) does not fit its data, or says more than this version knows")
            }
            records.append(record)
        }
        return records
    }

    private func latents(_ rows: [Int], shapes: [[Int]]) throws(CorpusError) -> [[Float]] {
        var latents = [[Float]](repeating: [], count: rows.count)
        for (shape, members) in Dictionary(grouping: rows.indices, by: { shapes[$0] }) {
            let values = try self.latents(members.map { rows[$0] }, shape: shape)
            for (member, value) in zip(members, values) { latents[member] = value }
        }
        return latents
    }
}

extension SampleRecord {
    /// Nil for a manifest that does not fit the data.
    fileprivate init?(
        _ manifest: Manifest, png: [UInt8], latent: [Float], trace: (timesteps: [Int32], deltaSquared: [Float]),
        flow: FlowTrace?
    ) {
        let values = manifest.latent_shape.isEmpty ? 0 : manifest.latent_shape.reduce(1, *)
        guard let seed = UInt64(manifest.seed), latent.count == values else {
            return nil
        }
        self.init(
            recipe: SampleRecipe(
                prompt: manifest.prompt, seed: seed, model: manifest.model, adapter: manifest.adapter,
                sampler: manifest.sampler, steps: manifest.steps, guidance: manifest.guidance, width: manifest.width,
                height: manifest.height, extras: RecipeExtras(manifest), source: ImportedSource(manifest)),
            tag: manifest.tag, engine: manifest.engine, schedule: manifest.schedule, png: png,
            pixels: manifest.pixels_sha256,
            latentShape: manifest.latent_shape, latent: latent, timesteps: trace.timesteps,
            deltaSquared: trace.deltaSquared, flow: flow)
    }
}

extension RecipeExtras {
    fileprivate init(_ manifest: Manifest) {
        self.init(
            negativePrompt: manifest.negative_prompt, clipSkip: manifest.clip_skip ?? 0,
            tracesNegativePrompt: manifest.mi_baseline == Self.negativeBaseline,
            ignoredFields: manifest.ignored_config ?? [], precision: manifest.precision,
            pruning: manifest.pruning)
    }
}

extension ImportedSource {
    /// Nil for a sample that was generated.
    fileprivate init?(_ manifest: Manifest) {
        guard let file = manifest.source_sha256, let fit = manifest.source_fit, let path = manifest.source_path else {
            return nil
        }
        self.init(file: file, fit: fit, path: path, url: manifest.source_url)
    }
}
