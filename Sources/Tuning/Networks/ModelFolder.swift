import CorpusStore
import Diffusion
import DiskAccess
package import Foundation
import Tensors

/// Writes a model folder in diffusers' layout: another model's files with trained weights of the UNet.
package enum ModelFolder {
    /// Makes the folder beside its place and renames it there; one that is there already goes when the new one is complete.
    ///
    /// - Parameters:
    ///   - weights: of the UNet, stored as float32.
    ///   - base: the model that was trained: all its other files are copied.
    ///   - variant: which copy of the base's weights is meant.
    ///   - place: the new folder.
    /// - Returns: the digest of the new model.
    package static func write(
        _ weights: UNetWeights, base: URL, variant: String?, to place: URL
    ) throws(ModelFolderError) -> String {
        let parent = place.deletingLastPathComponent()
        let fresh = parent.appending(path: ".\(place.lastPathComponent).new")
        let old = parent.appending(path: ".\(place.lastPathComponent).old")
        let files = AtomicFiles(temporaryFolder: fresh)
        do {
            try discard([fresh, old])
            for name in try otherFiles(of: base, variant: variant) {
                try files.write(try Disk.read(base.appending(path: name).path), to: fresh.appending(path: name))
            }
            let data = SafetensorsWriter.data(weights.tensors, metadata: ["format": "pt"])
            try files.write(data, to: fresh.appending(path: UNetTensors.file))
            let digest = try ModelDigest.compute(folder: fresh)
            if try Disk.exists(place.path) { try Disk.rename(place.path, to: old.path) }
            try Disk.rename(fresh.path, to: place.path)
            try Disk.syncFolder(parent.path)
            try discard([old])
            return digest
        } catch {
            throw ModelFolderError(description: "\(place.path): the trained model cannot be written: \(error)")
        }
    }

    /// All that belongs to the model but the UNet's weights: what Attune reads, and what else diffusers looks for, such as a
    /// safety checker or the index of weights in several files.
    private static func otherFiles(of base: URL, variant: String?) throws -> [String] {
        let read = Set(try ModelDigest.files(in: base, variant: variant))
        var names = ["model_index.json"]
        for folder in try Disk.list(base.path) where !folder.hasPrefix(".") {
            let place = base.appending(path: folder).path
            guard let status = try Disk.status(place), status.st_mode & S_IFMT == S_IFDIR else { continue }
            for file in try Disk.list(place) {
                let name = "\(folder)/\(file)"
                let isText = [".json", ".txt", ".model"].contains(where: file.hasSuffix)
                // Weights of parts that Attune does not know, and the copy that it read of those that it does.
                let isForeign = file.hasSuffix(".safetensors") && !read.contains { $0.hasPrefix("\(folder)/") }
                let isWanted = folder == "unet" ? file == "config.json" : isText || isForeign || read.contains(name)
                if isWanted { names.append(name) }
            }
        }
        return names
    }

    private static func discard(_ folders: [URL]) throws {
        for folder in folders where try Disk.exists(folder.path) { try FileManager.default.removeItem(at: folder) }
    }
}

/// Why a model folder could not be written.
package struct ModelFolderError: Error, CustomStringConvertible, Sendable {
    package let description: String
}
