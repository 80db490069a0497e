import Images
import Codecs
import CorpusStore
import Foundation
import Tensors

/// Samples like those of Benchmarks/peers/storage_peer.py: sixteen images in turn, each made different by bytes after
/// its end, latents that do not compress, a trace of a hundred steps.
struct SyntheticSamples {
    private let images: [(png: [UInt8], pixels: Digest)]
    private let side: Int
    private let latentShape: [Int]

    /// - Parameter folder: of PNG files to use; nil to draw some.
    init(side: Int, latentShape: [Int], images folder: String?) throws {
        (self.side, self.latentShape) = (side, latentShape)
        let files: [[UInt8]]
        if let folder {
            files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".png") }.sorted()
                .map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder).appending(path: $0))) }
        } else {
            files = try (0..<16).map { try Self.image(UInt64($0), side: side) }
        }
        images = try files.map { ($0, Digest(of: try PNG.decode($0).pixels)) }
    }

    /// A smooth random walk down and across, which compresses as images do.
    private static func image(_ seed: UInt64, side: Int) throws -> [UInt8] {
        var values = CounterGenerator(seed: seed, stream: 7).normal([side, side, 3]).values
        let row = 3 * side
        for i in row..<values.count { values[i] += values[i - row] }
        for i in 0..<values.count where i % row >= 3 { values[i] += values[i - 3] }
        let pixels = values.map { UInt8(min(max(2 * $0 / Float(side).squareRoot() + 128, 0), 255)) }
        return try PNG.encode(width: side, height: side, pixels: pixels)
    }

    func records(_ range: Range<Int>) -> [SampleRecord] {
        let schedule = ScheduleDescription(
            betaStart: 0.00085, betaEnd: 0.012, betaSchedule: "scaled_linear", trainTimesteps: 1000)
        let timesteps = stride(from: 991, through: 0, by: -10).map(Int32.init)
        return range.map { index in
            let image = images[index % images.count]
            let draws = CounterGenerator(seed: UInt64(index), stream: 1)
            return SampleRecord(
                recipe: SampleRecipe(
                    prompt: "prompt number \(index / 50)", seed: 42 + UInt64(index % 50), model: "sha256:bench",
                    sampler: "ddpm", steps: 100, guidance: 7.5, width: side, height: side),
                schedule: schedule, png: image.png + withUnsafeBytes(of: UInt64(index).bigEndian) { Array($0) },
                pixels: image.pixels, latentShape: latentShape, latent: draws.normal(latentShape).values,
                timesteps: timesteps,
                deltaSquared: CounterGenerator(seed: UInt64(index), stream: 2).normal([100]).values.map { $0 * $0 })
        }
    }
}
