package import Images
import Codecs
package import Foundation
package import Tensors

/// preprocessor_config.json: how an image becomes a vision encoder's input, as CLIPImageProcessor and BitImageProcessor of
/// transformers do it with Pillow: resize (bicubic, with antialiasing), center crop, rescale, normalize.
package struct ImageProcessor: Sendable {
    /// What images are scaled to.
    private enum Size {
        case shortestEdge(Int)
        case exactly(width: Int, height: Int)
    }

    /// Nil for images that stay as large as they are.
    private let size: Size?
    /// Nil where nothing is cut off.
    private let crop: (width: Int, height: Int)?
    /// By channel: a value becomes (value − mean) / deviation.
    private let mean, deviation: [Float]

    /// Width and height of what the encoder sees; images of other sizes cannot be a batch.
    package let width, height: Int

    /// - Throws: ``ModelError`` for a file that is missing, or asks for what is not done here.
    package init(folder: URL, ignoring ignored: IgnoredFields = IgnoredFields()) throws(ModelError) {
        let url = folder.appendingPathComponent("preprocessor_config.json")
        let data = try EncoderFile.read(url)
        do {
            let fields = ignored.strip(try JSONValue.members(of: data), part: "preprocessor", .imageProcessor)
            if let problem = FieldRules.imageProcessor.problem(fields) {
                throw ConfigurationProblem(problem, isUnsupported: true)
            }
            try self.init(FieldReader(fields))
        } catch let error as ConfigurationProblem {
            throw ModelError(error.isUnsupported ? .unsupported : .malformedFile, at: url.path, error.message)
        } catch {
            throw ModelError(
                .malformedFile, at: url.path, ModelFile.foreignContent(data) ?? "is not a JSON object: \(error)")
        }
    }

    private init(_ fields: FieldReader) throws {
        size = try fields.flag("do_resize", true) ? try Self.size(fields) : nil
        crop = try fields.flag("do_center_crop", true) ? try Self.crop(fields) : nil
        switch (crop, size) {
        case (let crop?, _): (width, height) = crop
        case (nil, .exactly(let width, let height)): (self.width, self.height) = (width, height)
        default:
            throw ConfigurationProblem(
                "neither crops images nor scales them to one width and height, so that they make no batch",
                isUnsupported: true)
        }
        let scale = try fields.flag("do_rescale", true) ? try fields.number("rescale_factor", 1 / 255) : 1
        let isNormalized = try fields.flag("do_normalize", true)
        // CLIP's own, which both processors fall back to.
        let mean =
            isNormalized ? try Self.channels(fields, "image_mean", [0.48145466, 0.4578275, 0.40821073]) : [0, 0, 0]
        let deviation =
            isNormalized ? try Self.channels(fields, "image_std", [0.26862954, 0.26130258, 0.27577711]) : [1, 1, 1]
        guard deviation.allSatisfy({ $0 > 0 }) else {
            throw ConfigurationProblem("has an image_std that is not positive")
        }
        self.mean = mean.map { Float($0 / scale) }
        self.deviation = deviation.map { Float($0 / scale) }
    }

    /// An integer (of early versions), or a shortest edge, or width and height.
    private static func size(_ fields: FieldReader) throws -> Size {
        switch fields["size"] {
        case nil: return .shortestEdge(224)
        case .number: return .shortestEdge(try fields.integer("size", 224))
        case .object(let object):
            let reader = FieldReader(object)
            if reader["shortest_edge"] != nil, reader["longest_edge"] == nil {
                return .shortestEdge(try reader.integer("shortest_edge", 224))
            }
            guard reader["width"] != nil, reader["height"] != nil, reader["shortest_edge"] == nil else {
                throw ConfigurationProblem(
                    "has a size that is neither {shortest_edge} nor {height, width}", isUnsupported: true)
            }
            return .exactly(width: try reader.integer("width", 224), height: try reader.integer("height", 224))
        case let other?: throw fields.unusable("size", other)
        }
    }

    private static func crop(_ fields: FieldReader) throws -> (width: Int, height: Int) {
        switch fields["crop_size"] {
        case nil: return (224, 224)
        case .number:
            let side = try fields.integer("crop_size", 224)
            return (side, side)
        case .object(let object):
            let reader = FieldReader(object)
            return (try reader.integer("width", 224), try reader.integer("height", 224))
        case let other?: throw fields.unusable("crop_size", other)
        }
    }

    private static func channels(_ fields: FieldReader, _ name: String, _ fallback: [Double]) throws -> [Double] {
        guard let value = fields[name] else { return fallback }
        guard case .list(let list) = value, list.count == 3 else { throw fields.unusable(name, value) }
        return try list.map {
            guard let number = $0.double, number.isFinite else { throw fields.unusable(name, value) }
            return number
        }
    }

    /// An image of any size as the encoder's input, `[1, height, width, 3]`.
    package func callAsFunction(_ image: RGBImage) -> Tensor {
        let (scaledWidth, scaledHeight) = scaledSize(image.width, image.height)
        // The part that is in the middle: what is cut off is not computed, and what is missing stays black.
        let (left, top) = (
            floorHalf(scaledWidth - width), floorHalf(scaledHeight - height)
        )
        let columns = max(left, 0)..<min(left + width, scaledWidth)
        let rows = max(top, 0)..<min(top + height, scaledHeight)
        let pixels = Resampling.resize(
            image.pixels, width: image.width, height: image.height, to: scaledWidth, scaledHeight, filter: .bicubic,
            window: Resampling.Window(columns: columns, rows: rows))
        let values = Tensor(shape: [1, height, width, 3]) { out in
            for y in 0..<height {
                for x in 0..<width {
                    let isInside = columns.contains(x + left) && rows.contains(y + top)
                    let from =
                        3 * ((y + top - rows.lowerBound) * columns.count + x + left - columns.lowerBound)
                    for channel in 0..<3 {
                        out[3 * (y * width + x) + channel] = isInside ? Float(pixels[from + channel]) : 0
                    }
                }
            }
        }
        return values.standardized(mean: mean, deviation: deviation)
    }

    private func scaledSize(_ width: Int, _ height: Int) -> (width: Int, height: Int) {
        switch size {
        case nil: return (width, height)
        case .exactly(let width, let height): return (width, height)
        case .shortestEdge(let edge):
            // The longer side is rounded down, as Python's int does.
            let long = Int(Double(edge * max(width, height)) / Double(min(width, height)))
            return width <= height ? (edge, long) : (long, edge)
        }
    }

    /// Half, rounded down also below zero.
    private func floorHalf(_ value: Int) -> Int { value >> 1 }
}
