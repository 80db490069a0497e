import Codecs
package import Foundation

/// Where a report's images go.
package final class ReportFolder {
    private let url: URL
    package private(set) var written: [URL] = []

    /// - Throws: ``Failure`` where the folder cannot be made.
    package init(_ url: URL) throws(Failure) {
        self.url = url
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw Failure("\(url.path): cannot be made (\(error.localizedDescription)); check --to")
        }
    }

    func write(_ sheet: ContactSheet, as name: String) throws {
        let canvas = sheet.render()
        try write(
            Data(try PNG.encode(width: canvas.width, height: canvas.height, pixels: canvas.pixels)), as: name)
    }

    func write(_ plot: LinePlot, as name: String) throws { try write(Data(plot.svg.utf8), as: name) }

    private func write(_ data: Data, as name: String) throws {
        let file = url.appendingPathComponent(name)
        do {
            try data.write(to: file, options: .atomic)
        } catch {
            throw Failure("\(file.path): cannot be written (\(error.localizedDescription)); make room and run it again")
        }
        written.append(file)
    }
}

extension Picture {
    /// Decodes a PNG file.
    init(png: some Sequence<UInt8>, named name: String) throws {
        do {
            let image = try PNG.decode(Array(png))
            self.init(width: image.width, height: image.height, pixels: image.pixels)
        } catch {
            throw Failure("\(name): is not a PNG that can be read (\(error)); make it again")
        }
    }
}
