import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Forward passes against diffusers and transformers")
struct ForwardTests {
    @Test(arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"], TestDevices.all)
    func textEncoders(model: String, device: Device) throws {
        let golden = try Goldens.file(model)
        let flat = try golden.integers("input_ids")
        let ids = [Array(flat[..<24]), Array(flat[24...])]
        let encoder = try CLIPTextEncoder(
            Goldens.weights(model, "text_encoder", device),
            Goldens.configuration(CLIPTextConfiguration.self, model, "text_encoder"))
        let output = encoder(ids)
        #expect(relativeError(output.lastHiddenState, try golden.tensor("text.last_hidden_state")) < 1e-4)
        #expect(relativeError(output.penultimate, try golden.tensor("text.penultimate")) < 1e-4)
        guard model == "sdxl-mini" else { return }
        let second = try CLIPTextEncoder(
            Goldens.weights(model, "text_encoder_2", device),
            Goldens.configuration(CLIPTextConfiguration.self, model, "text_encoder_2"))
        let both = second(ids)
        #expect(relativeError(both.penultimate, try golden.tensor("text2.penultimate")) < 1e-4)
        #expect(relativeError(both.pooled, try golden.tensor("text2.text_embeds")) < 1e-4)
    }

    @Test(arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"], TestDevices.all)
    func unet(model: String, device: Device) throws {
        let golden = try Goldens.file(model)
        let unet = try UNet2DConditionModel(
            Goldens.weights(model, "unet", device), Goldens.configuration(UNetConfiguration.self, model, "unet"))
        let text = try golden.tensor("unet.context")
        let timesteps = try golden.integers("unet.timestep").map(Float.init)
        var added: AddedConditions?
        if model == "sdxl-mini" {
            let ids = try golden.tensor("time_ids").values
            added = AddedConditions(
                pooled: try golden.tensor("text2.text_embeds"), timeIDs: [Array(ids[..<6]), Array(ids[6...])])
        }
        let out = unet(try golden.tensor("unet.sample").channelsLast, timesteps: timesteps, text: text, added: added)
        #expect(relativeError(out.channelsFirst, try golden.tensor("unet.out")) < 1e-4)

        let first = added.map { AddedConditions(pooled: $0.pooled.batch(0..<1), timeIDs: [$0.timeIDs[0]]) }
        let wide = unet(
            try golden.tensor("unet.sample_wide").channelsLast, timesteps: [timesteps[0]], text: text.batch(0..<1),
            added: first)
        #expect(relativeError(wide.channelsFirst, try golden.tensor("unet.out_wide")) < 1e-4)
    }

    @Test(arguments: ["sd21-mini", "sd15-mini", "sdxl-mini"], TestDevices.all)
    func autoencoder(model: String, device: Device) throws {
        let golden = try Goldens.file(model)
        let vae = try AutoencoderKL(
            Goldens.weights(model, "vae", device), Goldens.configuration(VAEConfiguration.self, model, "vae"))
        let decoded = vae.decode(try golden.tensor("vae.latent").channelsLast)
        #expect(relativeError(decoded.channelsFirst, try golden.tensor("vae.decoded")) < 1e-4)
        let moments = vae.moments(try golden.tensor("vae.image").channelsLast)
        #expect(relativeError(moments.channelsFirst, try golden.tensor("vae.moments")) < 1e-4)
    }

    @Test func noiseMatchesTorch() throws {
        let golden = try Goldens.file("torch-randn")
        for name in golden.names where name != "seed42.two_draws" {
            let parts = name.dropFirst(4).split(separator: ".n")
            var generator = TorchGenerator(seed: try #require(UInt64(parts[0])))
            let drawn = generator.normal([try #require(Int(parts[1]))])
            #expect(relativeError(drawn, try golden.tensor(name)) < 1e-6, "\(name)")
        }
        var generator = TorchGenerator(seed: 42)
        let two = generator.normal([4, 8, 8]).values + generator.normal([4, 8, 8]).values
        #expect(relativeError(two, try golden.tensor("seed42.two_draws").values) < 1e-6)
    }
}
