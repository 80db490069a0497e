package import Corpus
import Diffusion
import Disk
package import Foundation
import Tensor

/// `pytorch_lora_weights.safetensors`: the adapter file that diffusers' `load_lora_weights` reads.
///
/// Tensors are `unet.<module path>.lora_A.weight` [r, in], `.lora_B.weight` [out, r] and `.lora_magnitude_vector` [out].
/// The metadata entry `lora_adapter_metadata` is JSON with rank, alpha, target modules and whether it is DoRA; loaders
/// raise on fields that they do not know, so nothing else goes there.
///
/// Read are also PEFT's `adapter_model.safetensors` with its `adapter_config.json`, and the flat names of kohya's scripts.
package enum AdapterFile {
    package static let name = "pytorch_lora_weights.safetensors"
    private static let peftName = "adapter_model.safetensors"
    private static let peftSettingsName = "adapter_config.json"
    private static let settingsKey = "lora_adapter_metadata"

    // MARK: Writing

    /// The file's bytes; the same adapter gives the same bytes.
    package static func data(_ adapter: Adapter) throws(AdapterError) -> Data {
        let settings = try AdapterSettings(adapter).json(for: name)
        let tensors = adapter.parameters.map { ("unet." + $0.name, $0.value) }
        return SafetensorsWriter.data(
            Dictionary(uniqueKeysWithValues: tensors), metadata: ["format": "pt", settingsKey: settings])
    }

    /// Writes the file atomically and gives its digest.
    ///
    /// - Parameter files: how; by default through the file's own folder.
    @discardableResult
    package static func write(
        _ adapter: Adapter, to file: URL, files: AtomicFiles? = nil
    ) throws(AdapterError) -> String {
        let data = try data(adapter)
        do {
            let folder = file.deletingLastPathComponent()
            try Disk.makeFolder(folder.path)
            try (files ?? AtomicFiles(temporaryFolder: folder)).write(data, to: file)
        } catch {
            throw .notWritten(file: file.path, reason: "\(error)")
        }
        return Digest(of: data).hex
    }

    // MARK: Reading

    /// Reads an adapter written by Attune, diffusers, PEFT or kohya's scripts. Where nothing states alpha, it is the rank.
    ///
    /// - Parameter place: the file, or the folder that PEFT or diffusers has saved.
    package static func read(_ place: URL) throws(AdapterError) -> Adapter {
        let (file, settingsFile) = try locate(place)
        let safetensors: SafetensorsFile
        do {
            safetensors = try SafetensorsFile(file)
        } catch {
            throw .unreadable(file: file.path, reason: "\(error)")
        }
        var layers = AdapterLayers(file: file.path)
        for key in safetensors.names.sorted() {
            guard let name = AdapterTensorName(key) else { throw .unknownKey(key, file: file.path) }
            do {
                layers.add(try safetensors.tensor(key), as: name)
            } catch {
                throw .unreadable(file: file.path, reason: "\(error)")
            }
        }
        var settings: AdapterSettings?
        if let text = safetensors.metadata[settingsKey] {
            settings = try AdapterSettings(Data(text.utf8), at: "\(file.path): \(settingsKey)")
        } else if let settingsFile {
            settings = try AdapterSettings(bytes(settingsFile), at: settingsFile.path)
        }
        return try layers.assembled(settings)
    }

    /// An adapter's name in provenance: SHA-256 of the file's bytes, and of PEFT's settings where they are a file of
    /// their own, as alpha changes the images.
    package static func digest(of place: URL) throws(AdapterError) -> String {
        let (file, settings) = try locate(place)
        let weights = Digest(of: try bytes(file))
        guard let settings else { return weights.hex }
        return Digest(of: Data("\(weights.hex) \(Digest(of: try bytes(settings)).hex)".utf8)).hex
    }

    private static func bytes(_ file: URL) throws(AdapterError) -> Data {
        do {
            return try Data(contentsOf: file, options: .mappedIfSafe)
        } catch {
            throw .unreadable(file: file.path, reason: error.localizedDescription)
        }
    }

    private static func locate(_ place: URL) throws(AdapterError) -> (weights: URL, settings: URL?) {
        do throws(DiskError) {
            var file = place
            if let status = try Disk.status(place.path), status.st_mode & S_IFMT == S_IFDIR {
                let candidates = [name, peftName].map { place.appending(path: $0) }
                file = candidates[0]
                for candidate in candidates.reversed() where try Disk.exists(candidate.path) { file = candidate }
            }
            guard file.lastPathComponent == peftName else { return (file, nil) }
            let settings = file.deletingLastPathComponent().appending(path: peftSettingsName)
            return (file, try Disk.exists(settings.path) ? settings : nil)
        } catch {
            throw .unreadable(file: error.path, reason: error.message)
        }
    }
}
