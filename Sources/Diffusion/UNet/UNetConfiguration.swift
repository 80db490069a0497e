package import Foundation

/// config.json of UNet2DConditionModel; fields left out take diffusers' defaults.
package struct UNetConfiguration: Decodable, Sendable {
    /// Of the latents that the model was trained on.
    package var sampleHeight = 64
    package var sampleWidth = 64
    package var inChannels = 4
    package var outChannels = 4
    package var flipSinToCos = true
    package var freqShift: Float = 0
    package var downBlockTypes = [
        "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
    ]
    package var upBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
    /// Nil for none, as in models that were made smaller.
    package var midBlockType: String? = "UNetMidBlock2DCrossAttn"
    package var blockOutChannels = [320, 640, 1280, 1280]
    package var layersPerBlock = PerLevel.all(2)
    package var downsamplePadding = 1
    package var convInKernel = 3
    package var convOutKernel = 3
    package var normNumGroups = 32
    package var normEps: Float = 1e-5
    package var crossAttentionDim = 1280
    package var transformerLayersPerBlock = LayerCounts.all(1)
    /// On the way up, from the bottom; nil where it mirrors the way down.
    package var reverseTransformerLayersPerBlock: LayerCounts?
    /// Despite its name, the number of heads by level.
    package var attentionHeadDim = PerLevel.all(8)
    package var useLinearProjection = false
    package var additionEmbedType: String?
    package var additionTimeEmbedDim: Int?
    package var projectionClassEmbeddingsInputDim: Int?
    package var timeEmbeddingDim: Int?
    package var timeEmbeddingActFn: TimeActivation?
    package var timestepPostAct: TimeActivation?
    /// The width of the embedded guidance scale that the UNet takes, as LCMs do.
    package var timeCondProjDim: Int?

    private enum CodingKeys: CodingKey {
        case sampleSize, inChannels, outChannels, flipSinToCos, freqShift, downBlockTypes, upBlockTypes, midBlockType
        case blockOutChannels, layersPerBlock, normNumGroups, normEps, crossAttentionDim, transformerLayersPerBlock
        case attentionHeadDim, useLinearProjection, additionEmbedType, additionTimeEmbedDim, downsamplePadding
        case projectionClassEmbeddingsInputDim, numAttentionHeads, reverseTransformerLayersPerBlock, convInKernel
        case convOutKernel, timeEmbeddingDim, timeEmbeddingActFn, timestepPostAct, timeCondProjDim, _diffusersVersion
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try fields.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        inChannels = try read(.inChannels, inChannels)
        outChannels = try read(.outChannels, outChannels)
        flipSinToCos = try read(.flipSinToCos, flipSinToCos)
        freqShift = try read(.freqShift, freqShift)
        downBlockTypes = try read(.downBlockTypes, downBlockTypes)
        upBlockTypes = try read(.upBlockTypes, upBlockTypes)
        // null is no mid block; a field that is left out is the default.
        if fields.contains(.midBlockType) {
            midBlockType = try fields.decodeIfPresent(String.self, forKey: .midBlockType)
        }
        blockOutChannels = try read(.blockOutChannels, blockOutChannels)
        layersPerBlock = try read(.layersPerBlock, layersPerBlock)
        try fields.require(
            try !fields.contains(.normNumGroups) || !fields.decodeNil(forKey: .normNumGroups), .normNumGroups,
            "null, for a last layer without a norm, is not supported")
        normNumGroups = try read(.normNumGroups, normNumGroups)
        normEps = try read(.normEps, normEps)
        downsamplePadding = try read(.downsamplePadding, downsamplePadding)
        convInKernel = try read(.convInKernel, convInKernel)
        convOutKernel = try read(.convOutKernel, convOutKernel)
        let widths = try read(.crossAttentionDim, PerLevel.all(crossAttentionDim))
        try fields.require(
            widths.single != nil, .crossAttentionDim,
            "its levels have texts of different widths, which is not supported")
        crossAttentionDim = widths.single ?? crossAttentionDim
        transformerLayersPerBlock = try read(.transformerLayersPerBlock, transformerLayersPerBlock)
        reverseTransformerLayersPerBlock = try fields.decodeIfPresent(
            LayerCounts.self, forKey: .reverseTransformerLayersPerBlock)
        attentionHeadDim = try read(.attentionHeadDim, attentionHeadDim)
        if let heads = try fields.decodeIfPresent(PerLevel.self, forKey: .numAttentionHeads) {
            attentionHeadDim = heads
        }
        useLinearProjection = try read(.useLinearProjection, useLinearProjection)
        additionEmbedType = try fields.decodeIfPresent(String.self, forKey: .additionEmbedType)
        additionTimeEmbedDim = try fields.decodeIfPresent(Int.self, forKey: .additionTimeEmbedDim)
        projectionClassEmbeddingsInputDim = try fields.decodeIfPresent(
            Int.self, forKey: .projectionClassEmbeddingsInputDim)
        timeEmbeddingDim = try fields.decodeIfPresent(Int.self, forKey: .timeEmbeddingDim)
        timeEmbeddingActFn = try fields.decodeIfPresent(TimeActivation.self, forKey: .timeEmbeddingActFn)
        timestepPostAct = try fields.decodeIfPresent(TimeActivation.self, forKey: .timestepPostAct)
        timeCondProjDim = try fields.decodeIfPresent(Int.self, forKey: .timeCondProjDim)
        try readSampleSize(fields)
        try validate(fields)
    }

    private mutating func readSampleSize(_ fields: KeyedDecodingContainer<CodingKeys>) throws {
        if let side = try? fields.decodeIfPresent(Int.self, forKey: .sampleSize) {
            (sampleHeight, sampleWidth) = (side, side)
            // As diffusers corrects files from before its version 0.9, which give SD-1.x a sample_size of 32.
            let version = try? fields.decodeIfPresent(String.self, forKey: ._diffusersVersion)
            let numbers = (version ?? "").split(separator: ".").prefix(2).compactMap { Int($0) }
            if side < 64, numbers.count == 2, numbers[0] == 0, numbers[1] < 9 { (sampleHeight, sampleWidth) = (64, 64) }
        } else if let sides = try fields.decodeIfPresent([Int].self, forKey: .sampleSize) {
            try fields.require(sides.count == 2, .sampleSize, "\(sides) are not a height and a width")
            (sampleHeight, sampleWidth) = (sides[0], sides[1])
        }
        try fields.require(
            (1...4096).contains(sampleHeight) && (1...4096).contains(sampleWidth), .sampleSize,
            "\(sampleHeight)×\(sampleWidth) is not a size of a latent")
    }

    private func validate(_ fields: KeyedDecodingContainer<CodingKeys>) throws {
        let levels = blockOutChannels.count
        try fields.require(
            (1...8).contains(levels) && blockOutChannels.allSatisfy { $0 > 0 }, .blockOutChannels,
            "\(blockOutChannels) are not the widths of 1 to 8 levels")
        try fields.require(
            (0..<levels).allSatisfy { layersPerBlock[$0] ?? 0 > 0 }, .layersPerBlock, "needs one or more on each level")
        try fields.require(
            (0...1).contains(downsamplePadding), .downsamplePadding, "\(downsamplePadding) is neither 0 nor 1")
        try fields.require(
            [convInKernel, convOutKernel].allSatisfy { (1...31).contains($0) && $0 % 2 == 1 }, .convInKernel,
            "kernels of \(convInKernel) and \(convOutKernel) are not odd")
        try fields.require(
            [nil, "UNetMidBlock2DCrossAttn", "UNetMidBlock2D"].contains(midBlockType), .midBlockType,
            "\(midBlockType ?? "") is not supported")
        try fields.require(
            !transformerLayersPerBlock.isNested || reverseTransformerLayersPerBlock != nil,
            .reverseTransformerLayersPerBlock, "is needed where transformer_layers_per_block differs by layer")
        for width in [timeEmbeddingDim, timeCondProjDim, additionTimeEmbedDim, projectionClassEmbeddingsInputDim] {
            try fields.require(width ?? 1 > 0, .timeEmbeddingDim, "\(width ?? 0) is not a width of an embedding")
        }
    }
}

extension UNetConfiguration {
    /// - Parameters:
    ///   - folder: of the UNet.
    ///   - ignored: fields of the file that are taken as if they were not there.
    package init(folder: URL, ignoring ignored: IgnoredFields = IgnoredFields()) throws(ModelError) {
        self = try readConfiguration(
            UNetConfiguration.self, folder.appendingPathComponent("config.json"), part: "unet", rules: .unet,
            ignoring: ignored)
    }

    /// Layers of each level, from the top, of the UNet in a model's folder.
    package static func layers(of model: URL) throws(ModelError) -> [Int] {
        let place = model.appendingPathComponent("unet").appendingPathComponent("config.json")
        let configuration = try readConfiguration(UNetConfiguration.self, place)
        return configuration.blockOutChannels.indices.compactMap { configuration.layersPerBlock[$0] }
    }
}
