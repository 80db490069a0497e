package import CorpusStore
import Diffusion
import DiskAccess
package import Foundation
import Tensors

/// `pytorch_lora_weights.safetensors`: the adapter file that diffusers' `load_lora_weights` reads.
///
/// Tensors are `unet.<module path>.lora_A.weight` [r, in], `.lora_B.weight` [out, r] and `.lora_magnitude_vector` [out].
/// The metadata entry `lora_adapter_metadata` is JSON with rank, alpha, target modules and whether it is DoRA; loaders
/// raise on fields that they do not know, so nothing else goes there.
///
/// Read are also PEFT's `adapter_model.safetensors` with its `adapter_config.json`, and the names of kohya's scripts and older
/// diffusers (`AdapterTensorName`).
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
    /// - Parameters:
    ///   - adapter: what is written.
    ///   - file: where to.
    ///   - files: how; by default through the file's own folder.
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

    /// Reads an adapter to train on, of diffusers', PEFT's or kohya's making. Where nothing states alpha, it is the rank.
    ///
    /// - Parameter place: the file, or the folder that PEFT or diffusers has saved.
    /// - Throws: for an adapter of more than the UNet's linear layers too.
    package static func read(_ place: URL) throws(AdapterError) -> Adapter { try load(place).trainable() }

    /// Reads all that an adapter file holds.
    ///
    /// - Parameters:
    ///   - place: the file, or the folder that PEFT or diffusers has saved.
    ///   - blocks: layers of each level of the UNet, asked for where the file names them as the original code does.
    package static func load(
        _ place: URL, blocks: () throws -> [Int] = { [2, 2, 2, 2] }
    ) throws(AdapterError) -> StoredAdapter {
        let (file, settingsFile) = try locate(place)
        let safetensors: SafetensorsFile
        do {
            safetensors = try SafetensorsFile(file)
        } catch {
            throw .unreadable(file: file.path, reason: pickleAdvice(file) ?? error.message)
        }
        var layers = AdapterLayers(file: file.path)
        for key in safetensors.names {
            let name: AdapterTensorName
            do {
                name = try AdapterTensorName(key, blocks: blocks)
            } catch let refusal as AdapterTensorName.Refusal {
                throw .unknownKey(key, file: file.path, reason: refusal.reason)
            } catch {
                throw .unreadable(file: file.path, reason: "\(error)")
            }
            let (tensor, alpha) = try value(key, as: name.part, safetensors, file)
            if let tensor { try layers.add(tensor, as: name) }
            if let alpha { try layers.add(alpha: alpha, as: name) }
        }
        var settings: [ModelComponent: AdapterSettings] = [:]
        if let text = safetensors.metadata[settingsKey] {
            settings = try AdapterSettings.read(Data(text.utf8), at: "\(file.path): \(settingsKey)")
        } else if let settingsFile {
            settings = try AdapterSettings.read(bytes(settingsFile), at: settingsFile.path)
        }
        return try layers.assembled(settings)
    }

    private static func value(
        _ key: String, as part: AdapterTensorName.Part, _ safetensors: SafetensorsFile, _ file: URL
    ) throws(AdapterError) -> (tensor: Tensor?, alpha: Double?) {
        do {
            guard part == .alpha else {
                // Copied out of the mapped file, which may be replaced while the adapter is in use.
                let stored = try safetensors.weight(key, narrowing: true)
                return (Tensor(shape: stored.shape, values: stored.values), nil)
            }
            let numbers = try safetensors.numbers(key)
            guard numbers.count == 1 else {
                throw AdapterError.unreadable(
                    file: file.path, reason: "tensor '\(key)' holds \(numbers.count) numbers, where one alpha is due")
            }
            return (nil, numbers[0])
        } catch let error as AdapterError {
            throw error
        } catch let error as ModelError {
            throw .unreadable(file: file.path, reason: error.message)
        } catch {
            throw .unreadable(file: file.path, reason: "\(error)")
        }
    }

    private static func pickleAdvice(_ file: URL) -> String? {
        guard [".bin", ".pt", ".pth", ".ckpt"].contains(where: file.lastPathComponent.hasSuffix) else { return nil }
        return "it is a PyTorch pickle, which Attune does not open; save it as safetensors in Python: "
            + "safetensors.torch.save_file(torch.load('\(file.path)', weights_only=True), 'adapter.safetensors')"
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

    /// A folder's adapter is the file under diffusers' or PEFT's name, or else the only safetensors file in it.
    private static func locate(_ place: URL) throws(AdapterError) -> (weights: URL, settings: URL?) {
        let names = try looking { () throws(DiskError) -> [String]? in
            guard let status = try Disk.status(place.path), status.st_mode & S_IFMT == S_IFDIR else { return nil }
            return try Disk.list(place.path).sorted()
        }
        var file = place
        if let names { file = try chosen(in: place, names) }
        guard file.lastPathComponent == peftName else { return (file, nil) }
        let settings = file.deletingLastPathComponent().appending(path: peftSettingsName)
        let isThere = try looking { () throws(DiskError) in try Disk.exists(settings.path) }
        return (file, isThere ? settings : nil)
    }

    private static func looking<Found>(_ body: () throws(DiskError) -> Found) throws(AdapterError) -> Found {
        do throws(DiskError) { return try body() } catch { throw .unreadable(file: error.path, reason: error.message) }
    }

    private static func chosen(in folder: URL, _ names: [String]) throws(AdapterError) -> URL {
        if names.contains("model_index.json") {
            throw .unreadable(file: folder.path, reason: "it is a model's folder, not an adapter: give it with --model")
        }
        if let usual = [name, peftName].first(where: names.contains) { return folder.appending(path: usual) }
        let files = names.filter { $0.hasSuffix(".safetensors") }
        if files.count == 1 { return folder.appending(path: files[0]) }
        if let pickle = names.first(where: { $0.hasPrefix("pytorch_lora_weights.") || $0.hasPrefix("adapter_model.") }),
            files.isEmpty, let advice = pickleAdvice(folder.appending(path: pickle))
        {
            throw .unreadable(file: folder.appending(path: pickle).path, reason: advice)
        }
        throw .unreadable(
            file: folder.path,
            reason: files.isEmpty
                ? "there is no \(name) in it"
                : "it holds several files, \(files.joined(separator: ", ")): give one of them")
    }
}
