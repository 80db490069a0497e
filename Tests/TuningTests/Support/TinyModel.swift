import Diffusion
import Foundation
import Synchronization
import Tensors

/// The bundled model, loaded once.
enum TinyModel {
    static let folder = repository.appendingPathComponent("datasets/tiny-sd")

    private static let loaded = Result { try DiffusionModel.load(from: folder) }

    private static let onDevices = Mutex<[Placement: DiffusionModel]>([:])

    static func load() throws -> DiffusionModel { try loaded.get() }

    static func load(on device: Device, precision: Precision = .float32) throws -> DiffusionModel {
        if device == .cpu, precision == .float32 { return try load() }
        let place = Placement(device, precision)
        return try onDevices.withLock { known in
            if let model = known[place] { return model }
            let model = try DiffusionModel.load(from: folder, precision: precision, device: device)
            known[place] = model
            return model
        }
    }
}

/// The root of the package.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
