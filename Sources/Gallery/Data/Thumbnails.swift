import Codecs
package import CorpusStore
import DiskAccess
package import Foundation
import Images

/// Images as pages show them: as they are stored where that is small enough, else scaled down and kept on the disk.
package final class Thumbnails: Sendable {
    package struct Image: Sendable {
        package let bytes: [UInt8]
        package let type: String
    }

    private let reader: SampleReader
    private let folder: URL?
    private let files: AtomicFiles?

    /// - Parameter folder: where scaled images are kept; nil to make them each time.
    package init(_ reader: SampleReader, folder: URL?) {
        (self.reader, self.folder) = (reader, folder)
        files = folder.map { AtomicFiles(temporaryFolder: $0.appending(path: "tmp")) }
    }

    /// The stored PNG file.
    ///
    /// - Throws: ``Refusal`` for one that is damaged; ``CorpusError``.
    package func original(_ row: CatalogueRow) throws -> Image {
        let bytes = try reader.image(row)
        guard PNG.isIntact(bytes) else {
            throw Refusal(
                status: 422,
                reason: "sample \(row.id): its image is damaged in shard \(row.shard); attune verify tells more")
        }
        return Image(bytes: bytes, type: "image/png")
    }

    /// An image that fits a square.
    ///
    /// - Parameter side: of the square, in pixels.
    package func scaled(_ row: CatalogueRow, to side: Int) throws -> Image {
        let longest = max(row.width, row.height)
        // A little more than is shown costs less than scaling it.
        if longest * 2 <= side * 3 { return try original(row) }
        let place = folder?.appending(path: "\(row.id.hex.prefix(2))/\(row.id)-\(side).webp")
        if let place, let kept = try? Disk.readIfPresent(place.path), !kept.isEmpty {
            return Image(bytes: [UInt8](kept), type: "image/webp")
        }
        let stored = try reader.image(row)
        let decoded: RGBImage
        do throws(CodecError) { decoded = try PNG.decode(stored) } catch {
            throw Refusal(status: 422, reason: "sample \(row.id): \(error.description)")
        }
        let scale = Double(side) / Double(max(decoded.width, decoded.height))
        let width = max(1, Int((Double(decoded.width) * scale).rounded()))
        let height = max(1, Int((Double(decoded.height) * scale).rounded()))
        let pixels = Resampling.resize(
            decoded.pixels, width: decoded.width, height: decoded.height, to: width, height)
        let made = try WebPEncoding.encode(RGBImage(width: width, height: height, pixels: pixels))
        // A cache that takes nothing more is no reason to show nothing.
        if let place, let files { try? files.write(Data(made), to: place) }
        return Image(bytes: made, type: "image/webp")
    }

    /// Bytes of the images that are kept.
    package var bytes: Int { kept().reduce(0) { $0 + $1.size } }

    /// More than this is not kept from one start to the next.
    package static let mostBytes = 2 << 30

    /// Removes the images that were made first, until what is left fits.
    package func prune(to most: Int = mostBytes) {
        let kept = kept().sorted { $0.time < $1.time }
        var bytes = kept.reduce(0) { $0 + $1.size }
        for image in kept where bytes > most {
            try? Disk.remove(image.path)
            bytes -= image.size
        }
    }

    private func kept() -> [(path: String, size: Int, time: Int)] {
        guard let folder, let prefixes = try? Disk.listIfPresent(folder.path) else { return [] }
        return prefixes.filter { $0.count == 2 }.flatMap { prefix -> [(path: String, size: Int, time: Int)] in
            let place = folder.appending(path: prefix).path
            return ((try? Disk.listIfPresent(place)) ?? []).compactMap { name in
                let path = "\(place)/\(name)"
                guard let found = try? Disk.status(path) else { return nil }
                return (path, Int(found.st_size), Int(found.st_mtim.tv_sec))
            }
        }
    }
}
