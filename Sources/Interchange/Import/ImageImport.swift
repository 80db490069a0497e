import Images
import Codecs
package import CorpusStore
package import Diffusion
import Foundation
import Synchronization
import Tensors

/// Imports images with captions into a corpus, batch by batch; each batch is sealed as one shard, and what is there
/// already is not imported again.
package struct ImageImport {
    package struct Settings {
        package var tag: String?
        /// Width and height to bring images to; nil keeps them as they are.
        package var size: Int?
        package var fit = ImageFit.crop
        /// Images that are sealed together.
        package var batch = 64
        /// The most pixels that an image may have.
        package var largest = PNG.largestPixelCount

        package init() {}
    }

    package struct Outcome: Equatable {
        package var made = 0
        package var skipped = 0
        /// Vectors of samples, from files of them.
        package var vectors = 0
        package var isFinished = true

        package init() {}
    }

    private let corpus: Corpus
    private let encoder: ImageEncoder?
    private let settings: Settings
    private let preparation: ImagePreparation
    private let tally: ImportTally

    /// Pixels and bytes of a batch: what is held at once stays within memory.
    private static let (heaviest, mostBytes) = (1 << 25, 1 << 28)

    /// - Parameters:
    ///   - corpus: where the samples go.
    ///   - encoder: makes their latents; nil to store none.
    ///   - settings: sizes and batches.
    ///   - tally: where images that are left out are counted: the source's.
    package init(
        _ corpus: Corpus, encoder: ImageEncoder?, settings: Settings, tally: ImportTally = ImportTally()
    ) {
        (self.corpus, self.encoder, self.settings, self.tally) = (corpus, encoder, settings, tally)
        preparation = ImagePreparation(size: settings.size, fit: settings.fit, largest: settings.largest)
    }

    /// - Parameters:
    ///   - source: the images and their captions.
    ///   - isCancelled: asked after each image.
    ///   - report: told how many images are done.
    package func run(
        _ source: any ImageSource, isCancelled: () -> Bool = { false }, report: (Int) -> Void = { _ in }
    ) throws -> Outcome {
        var outcome = Outcome()
        var batch: [ImagePreparation.Plan] = []
        var (weight, bytes, done) = (0, 0, 0)
        func flush() throws {
            try add(batch, &outcome)
            report(done)
            (batch, weight, bytes) = ([], 0, 0)
        }
        try source.forEach { captioned in
            done += 1
            do throws(ImportError) {
                let plan = try preparation.plan(captioned)
                try checkSides(plan)
                batch.append(plan)
                weight += plan.width * plan.height
                bytes += captioned.bytes.count
            } catch {
                try tally.leaveOut(captioned.name, error)
            }
            if batch.count >= settings.batch || weight >= Self.heaviest || bytes >= Self.mostBytes { try flush() }
            if isCancelled() { outcome.isFinished = false }
            return outcome.isFinished
        }
        if outcome.isFinished { try flush() }
        return outcome
    }

    /// A VAE halves an image some times over.
    private func checkSides(_ plan: ImagePreparation.Plan) throws(ImportError) {
        guard let step = encoder?.reduction, plan.width % step != 0 || plan.height % step != 0 else { return }
        throw ImportError(
            plan.captioned.place,
            "is \(plan.width)×\(plan.height) pixels, and the model needs multiples of \(step): give --size",
            skippable: .size)
    }

    private func add(_ batch: [ImagePreparation.Plan], _ outcome: inout Outcome) throws {
        let recipes = batch.map(recipe)
        let known = try corpus.existing(recipes.map(\.digest))
        var seen = known
        let missing = zip(batch, recipes).filter { seen.insert($0.1.digest).inserted }
        outcome.skipped += batch.count - missing.count
        var records: [SampleRecord] = []
        for (pair, result) in zip(missing, prepared(missing.map(\.0))) {
            switch result {
            case .success(let prepared): records.append(record(pair.1, prepared))
            case .failure(let error): try tally.leaveOut(pair.0.captioned.name, error)
            }
        }
        guard !records.isEmpty else { return }
        try corpus.append(records)
        outcome.made += records.count
    }

    /// Decodes on all cores, but no more pixels at once than one image may have.
    private func prepared(
        _ plans: [ImagePreparation.Plan]
    ) -> [Result<ImagePreparation.Prepared, ImportError>] {
        var results: [Result<ImagePreparation.Prepared, ImportError>] = []
        while results.count < plans.count {
            var (end, pixels) = (results.count, 0)
            while end < plans.count, end == results.count || pixels + plans[end].pixels <= settings.largest {
                pixels += plans[end].pixels
                end += 1
            }
            results += together(Array(plans[results.count..<end]))
        }
        return results
    }

    private func together(
        _ plans: [ImagePreparation.Plan]
    ) -> [Result<ImagePreparation.Prepared, ImportError>] {
        let results = Mutex([Int: Result<ImagePreparation.Prepared, ImportError>]())
        let preparation = preparation
        DispatchQueue.concurrentPerform(iterations: plans.count) { index in
            let result = Result { () throws(ImportError) in try preparation.prepare(plans[index]) }
            results.withLock { $0[index] = result }
        }
        return results.withLock { done in plans.indices.compactMap { done[$0] } }
    }

    private func recipe(_ plan: ImagePreparation.Plan) -> SampleRecipe {
        SampleRecipe(
            prompt: plan.captioned.caption, seed: 0, model: encoder?.digest ?? "none", sampler: "import", steps: 0,
            guidance: 0, width: plan.width, height: plan.height,
            source: ImportedSource(
                file: plan.file, fit: plan.fit.rawValue, path: plan.captioned.origin, url: plan.captioned.url))
    }

    private func record(_ recipe: SampleRecipe, _ prepared: ImagePreparation.Prepared) -> SampleRecord {
        let latent = encoder.map { $0.encode([prepared.image]).channelsFirst }
        return SampleRecord(
            recipe: recipe, tag: settings.tag, png: prepared.png, pixels: Digest(of: prepared.image.pixels),
            latentShape: latent.map { Array($0.shape.dropFirst()) } ?? [], latent: latent?.values ?? [],
            timesteps: [], deltaSquared: [])
    }
}
