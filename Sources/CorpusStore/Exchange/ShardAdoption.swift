import Images
import Codecs
package import Foundation

extension Corpus {
    /// Imports a sealed file of any kind that comes from elsewhere, after checking all that is in it. The file is
    /// moved.
    ///
    /// The catalogue learns of it at the next ``catchUp()``, so that many shards cost one look at the folder; a process
    /// that is killed before leaves that to whoever opens the corpus next.
    ///
    /// - Parameters:
    ///   - file: on the corpus's file system, best in its tmp/.
    ///   - digest: what the file's SHA-256 must be.
    package func adopt(_ file: URL, digest: Digest) throws(CorpusError) {
        try Self.inspect(file, digest: digest)
        if case .vectors(let shard) = try SealedContents(SealedFile(file, digest: digest)) {
            try requireSameKind(shard)
        }
        _ = try sealing { () throws(CorpusError) in
            try files.install(file, at: ShardWriter.location(of: digest, in: shardsFolder))
            return digest
        }
    }

    /// Checks all that is in a sealed file of any kind.
    package static func inspect(_ file: URL, digest: Digest) throws(CorpusError) {
        switch try SealedContents(SealedFile(file, digest: digest)) {
        case .scores(let shard): try shard.verifyContents()
        case .annotations(let shard): try shard.verifyContents()
        case .vectors(let shard): try shard.verifyContents()
        case .samples(let shard): try shard.verifyContents()
        }
    }

    /// The catalogue's rows of these samples; those that it does not have are left out.
    package func rows(_ ids: [Digest]) throws(CorpusError) -> [Digest: CatalogueRow] {
        try catalogue.rows(of: ids)
    }

    /// The catalogue's rows of the samples that these recipes gave; recipes without one are left out.
    package func rows(recipes: [Digest]) throws(CorpusError) -> [Digest: CatalogueRow] {
        try catalogue.rows(ofRecipes: recipes)
    }
}

extension ShardReader {
    /// Checks every sample: that its manifest is canonical and gives its id, and that pixels and latent are those that
    /// the manifest names.
    package func verifyContents() throws(CorpusError) {
        guard Set(ids).count == ids.count else { throw CorpusError(.damaged, digest.hex, "holds a sample twice") }
        let manifests = try manifests()
        // One at a time: rows that unpack to much more than the file has bytes must not fill the memory.
        for (row, id) in ids.enumerated() {
            let record = try record(row)
            guard manifests.with(row, record.manifest.data.elementsEqual), record.id == id else {
                throw CorpusError(.damaged, digest.hex, "sample \(id) does not match its manifest")
            }
            let image: RGBImage
            do {
                image = try PNG.decode(record.png)
            } catch {
                throw CorpusError(.damaged, digest.hex, "sample \(id): \(error)")
            }
            guard image.width == record.recipe.width, image.height == record.recipe.height,
                Digest(of: image.pixels) == record.pixels
            else { throw CorpusError(.damaged, digest.hex, "the image of sample \(id) is not the one in its manifest") }
        }
    }
}
