import Codecs
import DiskAccess
package import Foundation
import Images
import Interchange
package import Shapes

/// The judge of the shapes benchmark over an imagefolder.
package enum ShapesFolder {
    /// An image with what the judge says of it.
    package struct Judged: Encodable, Sendable {
        package let fileName: String
        package let text: String
        package let category: String
        package let aligned: Bool
        /// Why not; nil when aligned.
        package let reason: String?
        package let objects: [ShapesJudge.Found]
    }

    package struct Result: Encodable, Sendable {
        package var images: [Judged] = []
        /// The share of all images that is aligned, and of each category.
        package var aligned: Double = 0
        package var categories: [String: Double] = [:]
        /// False if the work was stopped.
        package var isFinished = true

        private enum CodingKeys: String, CodingKey { case images, aligned, categories }
    }

    /// - Parameters:
    ///   - folder: with `metadata.jsonl` or `metadata.csv` at its top or in the folders of the images, as `train/`.
    ///   - column: the one that prompts are in.
    /// - Throws: ``ImportError`` for a folder that is not an imagefolder; ``Failure`` for an image or a prompt that the judge cannot
    ///   take.
    package static func judge(
        _ folder: URL, text column: String = "text", monitor: some WorkMonitor
    ) throws -> Result {
        let images = try CaptionedFolder.imageFolder(folder, text: column)
        var result = Result()
        monitor.begin(total: images.count)
        try images.forEach { image in
            guard !monitor.isCancelled else {
                result.isFinished = false
                return false
            }
            guard let prompt = ShapesPrompt(image.caption) else {
                throw Failure(
                    "\(image.place): its text '\(joinedLines(image.caption))' is not a prompt of the shapes benchmark; "
                        + "datasets/shapes lists those")
            }
            let verdict = try verdict(image.bytes, prompt, place: image.place)
            result.images.append(
                Judged(
                    fileName: try fileName(image.name, in: folder), text: image.caption,
                    category: prompt.category.rawValue,
                    aligned: verdict.aligned, reason: verdict.reason, objects: verdict.objects))
            monitor.update(result.images.count)
            return true
        }
        func share(_ images: [Judged]) -> Double {
            Double(images.count(where: \.aligned)) / Double(max(images.count, 1))
        }
        result.aligned = share(result.images)
        result.categories = Dictionary(grouping: result.images, by: \.category).mapValues(share)
        return result
    }

    /// As the metadata has it: below the folder that the metadata is in.
    private static func fileName(_ path: String, in folder: URL) throws(DiskError) -> String {
        let parts = path.split(separator: "/").map(String.init)
        for depth in (0..<parts.count).reversed() {
            let place = parts[..<depth].reduce(folder) { $0.appending(path: $1) }
            for name in ["metadata.jsonl", "metadata.csv"]
            where try Disk.status(place.appending(path: name).path) != nil {
                return parts[depth...].joined(separator: "/")
            }
        }
        return path
    }

    /// - Parameter bytes: an image file of any kind that is read.
    static func verdict(_ bytes: [UInt8], _ prompt: ShapesPrompt, place: String) throws -> ShapesJudge.Verdict {
        let image: RGBImage
        do {
            guard let format = ImageFormat(bytes) else { throw Failure("\(place): is not an image that is read") }
            let file = try ImageFile(bytes, format: format)
            let side = ShapesLayout.side
            guard file.width == side, file.height == side else {
                throw Failure(
                    "\(place): is \(file.width)×\(file.height) pixels; the shapes judge takes images of \(side)×\(side): scale it "
                        + "down, or choose another referee")
            }
            image = try file.decode().image
        } catch let error as CodecError { throw Failure("\(place): cannot be decoded: \(error)") }
        return ShapesJudge.verdict(on: image.pixels, prompt)
    }
}
