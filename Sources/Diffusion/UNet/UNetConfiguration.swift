package import Foundation

/// config.json of UNet2DConditionModel; fields left out take diffusers' defaults.
package struct UNetConfiguration: Decodable, Sendable {
    package var sampleSize: Int = 64
    package var inChannels = 4
    package var outChannels = 4
    package var flipSinToCos = true
    package var freqShift: Float = 0
    package var downBlockTypes = [
        "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
    ]
    package var upBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
    package var midBlockType = "UNetMidBlock2DCrossAttn"
    package var blockOutChannels = [320, 640, 1280, 1280]
    package var layersPerBlock = PerLevel.all(2)
    package var normNumGroups = 32
    package var normEps: Float = 1e-5
    package var crossAttentionDim = 1280
    package var transformerLayersPerBlock = PerLevel.all(1)
    /// Despite its name, the number of heads by level.
    package var attentionHeadDim = PerLevel.all(8)
    package var useLinearProjection = false
    package var additionEmbedType: String?
    package var additionTimeEmbedDim: Int?
    package var projectionClassEmbeddingsInputDim: Int?

    private enum CodingKeys: CodingKey {
        case sampleSize, inChannels, outChannels, flipSinToCos, freqShift, downBlockTypes, upBlockTypes, midBlockType
        case blockOutChannels, layersPerBlock, normNumGroups, normEps, crossAttentionDim, transformerLayersPerBlock
        case attentionHeadDim, useLinearProjection, additionEmbedType, additionTimeEmbedDim
        case projectionClassEmbeddingsInputDim, actFn, classEmbedType, dualCrossAttention, numAttentionHeads
        case onlyCrossAttention, resnetTimeScaleShift, timeEmbeddingType, encoderHidDimType
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try fields.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        sampleSize = try read(.sampleSize, sampleSize)
        inChannels = try read(.inChannels, inChannels)
        outChannels = try read(.outChannels, outChannels)
        flipSinToCos = try read(.flipSinToCos, flipSinToCos)
        freqShift = try read(.freqShift, freqShift)
        downBlockTypes = try read(.downBlockTypes, downBlockTypes)
        upBlockTypes = try read(.upBlockTypes, upBlockTypes)
        midBlockType = try read(.midBlockType, midBlockType)
        blockOutChannels = try read(.blockOutChannels, blockOutChannels)
        layersPerBlock = try read(.layersPerBlock, layersPerBlock)
        normNumGroups = try read(.normNumGroups, normNumGroups)
        normEps = try read(.normEps, normEps)
        crossAttentionDim = try read(.crossAttentionDim, crossAttentionDim)
        transformerLayersPerBlock = try read(.transformerLayersPerBlock, transformerLayersPerBlock)
        attentionHeadDim = try read(.attentionHeadDim, attentionHeadDim)
        if let heads = try fields.decodeIfPresent(PerLevel.self, forKey: .numAttentionHeads) {
            attentionHeadDim = heads
        }
        useLinearProjection = try read(.useLinearProjection, useLinearProjection)
        additionEmbedType = try fields.decodeIfPresent(String.self, forKey: .additionEmbedType)
        additionTimeEmbedDim = try fields.decodeIfPresent(Int.self, forKey: .additionTimeEmbedDim)
        projectionClassEmbeddingsInputDim = try fields.decodeIfPresent(
            Int.self, forKey: .projectionClassEmbeddingsInputDim)
        try refuse(fields, .actFn, allowed: "silu")
        try refuse(fields, .resnetTimeScaleShift, allowed: "default")
        try refuse(fields, .timeEmbeddingType, allowed: "positional")
        try refuse(fields, .classEmbedType, allowed: nil)
        try refuse(fields, .encoderHidDimType, allowed: nil)
        try fields.refuse([.dualCrossAttention])
        if let levels = try? fields.decodeIfPresent([Bool].self, forKey: .onlyCrossAttention) {
            try fields.require(!levels.contains(true), .onlyCrossAttention, "is not supported")
        } else {
            try fields.refuse([.onlyCrossAttention])
        }
        let levels = blockOutChannels.count
        try fields.require(
            (1...8).contains(levels) && blockOutChannels.allSatisfy { $0 > 0 }, .blockOutChannels,
            "\(blockOutChannels) are not the widths of 1 to 8 levels")
        try fields.require(
            (0..<levels).allSatisfy { layersPerBlock[$0] ?? 0 > 0 }, .layersPerBlock, "needs one or more on each level")
        try fields.require(
            (0..<levels).allSatisfy { transformerLayersPerBlock[$0] ?? 0 > 0 }, .transformerLayersPerBlock,
            "needs one or more on each level")
        try fields.require(
            sampleSize > 0 && sampleSize.isMultiple(of: 1 << (levels - 1)), .sampleSize,
            "\(sampleSize) cannot be halved \(levels - 1) times")
    }

    private func refuse(
        _ fields: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys, allowed: String?
    ) throws {
        if let value = try fields.decodeIfPresent(String.self, forKey: key), value != allowed {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: fields, debugDescription: "\(key.stringValue) '\(value)' is not supported")
        }
    }
}

extension UNetConfiguration {
    /// Layers of each level, from the top, of the UNet in a model's folder.
    package static func layers(of model: URL) throws(ModelError) -> [Int] {
        let place = model.appendingPathComponent("unet").appendingPathComponent("config.json")
        let configuration = try readConfiguration(UNetConfiguration.self, place)
        return configuration.blockOutChannels.indices.compactMap { configuration.layersPerBlock[$0] }
    }
}
