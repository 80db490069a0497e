import Corpus
import Diffusion
import Disk
package import Foundation
import Tensor

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
            for name in try ModelDigest.files(in: base, variant: variant) where !isUNetWeights(name) {
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

    /// An index of several weight files names files that are not written.
    private static func isUNetWeights(_ name: String) -> Bool { name.hasPrefix("unet/") && name != "unet/config.json" }

    private static func discard(_ folders: [URL]) throws {
        for folder in folders where try Disk.exists(folder.path) { try FileManager.default.removeItem(at: folder) }
    }
}

/// Why a model folder could not be written.
package struct ModelFolderError: Error, CustomStringConvertible, Sendable {
    package let description: String
}
