import Diffusion
import Foundation
import Tensors
import Testing

@Suite("UNets with settings that few models have, against diffusers")
struct VariantTests {
    private struct Variant: Decodable {
        var config: String
        var shapes: [String: [Int]]
    }

    @Test func outputs() throws {
        let golden = try Goldens.file("variants")
        let variants = try JSONDecoder().decode(
            [String: Variant].self, from: Data(contentsOf: Goldens.folder.appending(path: "variants.json")))
        #expect(variants.count >= 14)
        for (name, variant) in variants {
            let folder = FileManager.default.temporaryDirectory.appending(path: "unet-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try Data(variant.config.utf8).write(to: folder.appending(path: "config.json"))
            let configuration = try UNetConfiguration(folder: folder)
            let unet = try UNet2DConditionModel(
                Weights(tensors: Goldens.tensors(shapes: variant.shapes)), configuration)
            let out = unet(
                try golden.tensor("\(name).sample").channelsLast, timesteps: [603],
                text: try golden.tensor("\(name).context"),
                guidance: configuration.timeCondProjDim.map { guidanceEmbedding(3.5, width: $0) })
            #expect(relativeError(out.channelsFirst, try golden.tensor("\(name).out")) < 1e-4, "\(name)")
        }
    }

    @Test(arguments: [0, 1, 3])
    func clipSkip(layers: Int) throws {
        let model = try DiffusionModel.load(from: Goldens.tinySD)
        #expect(model.skippableLayers == 3)
        let made = model.encode(prompts: ["three pink stars"], skipping: layers)[0].tokens
        #expect(relativeError(made, try Goldens.file("variants").tensor("clip-skip.\(layers)")) < 1e-4)
    }
}
