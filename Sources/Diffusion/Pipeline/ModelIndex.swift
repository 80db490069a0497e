import Foundation

/// What model_index.json, and the folder around it, say of the whole model.
struct ModelIndex: Sendable {
    /// Whether it is an SDXL model: one with a second text encoder.
    let isXL: Bool
    /// The scheduler's class, where the index names one.
    let scheduler: String?
    /// SDXL's rule for the empty prompt.
    let zerosForEmptyPrompt: Bool

    private struct Document: Decodable {
        var force_zeros_for_empty_prompt: Bool?
        var scheduler: [String?]?
    }

    /// Checks first that the folder is that of a model which Attune runs, and that the variant is there.
    init(checking folder: URL, variant: String?) throws(ModelError) {
        try ModelLayout.check(folder, variant: variant)
        let file = folder.appendingPathComponent("model_index.json")
        let document = try readConfiguration(Document.self, file, snakeCase: false)
        isXL = try ModelLayout.has(.textEncoder2, folder)
        scheduler = document.scheduler?.last ?? nil
        zerosForEmptyPrompt = isXL && document.force_zeros_for_empty_prompt ?? true
    }
}
