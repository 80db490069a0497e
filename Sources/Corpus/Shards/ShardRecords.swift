extension ShardReader {
    /// One sample whole, as it was written: writing it again gives the same id.
    package func record(_ row: Int) throws(CorpusError) -> SampleRecord {
        guard ids.indices.contains(row) else {
            throw CorpusError(.damaged, digest.hex, "the shard lacks row \(row): run `attune reindex`")
        }
        guard let manifest = withManifest(row, { Manifest($0) }), let seed = UInt64(manifest.seed) else {
            throw CorpusError(.damaged, ids[row].hex, "the sample's manifest cannot be read")
        }
        let trace = try traces(row..<row + 1)[0]
        // A manifest that claims another shape than its latent must not reach the initialiser, which insists.
        let latent = try latents([row], shape: manifest.latent_shape)[0]
        let record = SampleRecord(
            recipe: SampleRecipe(
                prompt: manifest.prompt, seed: seed, model: manifest.model, adapter: manifest.adapter,
                sampler: manifest.sampler, steps: manifest.steps, guidance: manifest.guidance, width: manifest.width,
                height: manifest.height),
            tag: manifest.tag, schedule: manifest.schedule, png: try images([row])[0], pixels: manifest.pixels_sha256,
            latentShape: manifest.latent_shape, latent: latent, timesteps: trace.timesteps,
            deltaSquared: trace.deltaSquared)
        guard record.id == ids[row] else {
            throw CorpusError(
                .damaged, ids[row].hex, "the sample's manifest says more than this version knows: update attune")
        }
        return record
    }
}
