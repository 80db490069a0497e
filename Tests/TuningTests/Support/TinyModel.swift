import Diffusion
import Foundation

/// The bundled model, loaded once.
enum TinyModel {
    static let folder = repository.appendingPathComponent("datasets/tiny-sd")

    private static let loaded = Result { try DiffusionModel.load(from: folder) }

    static func load() throws -> DiffusionModel { try loaded.get() }
}

/// The root of the package.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
