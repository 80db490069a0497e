import DiskAccess
import Foundation

/// A part of the formats that are a folder of images: some samples, read together and written together.
enum ImagePart {
    static let size = 512

    /// Writes the part that begins with sample `start`.
    ///
    /// - Parameter files: what a sample becomes, given its number in the selection, its facts and its PNG file.
    /// - Returns: where the next part begins.
    static func write(
        from start: Int, of source: any ExportSource, into folder: URL,
        files: (Int, SampleFacts, [UInt8]) throws -> [NewFile]
    ) throws -> Int {
        try ExportError.explaining { () throws(DiskError) in try Disk.makeFolder(folder.path) }
        let range = start..<min(start + size, source.count)
        let made = try zip(zip(range, try source.facts(range)), try source.images(range)).flatMap {
            try files($0.0, $0.1, $1)
        }
        try Interchange.write(made, into: folder)
        return range.upperBound
    }
}
