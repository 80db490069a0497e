package import CorpusStore

/// Why an export was not made.
package enum ExportError: Error, CustomStringConvertible, Equatable {
    case destinationNotEmpty(path: String)
    case destinationIsFile(path: String)
    case destinationBusy(path: String)
    case cannotWrite(path: String, reason: String)
    case noPrompt(id: Digest)
    case mixedLatents(id: Digest, shape: [Int], others: [Int])
    case noLatent(id: Digest)
    case otherModel(id: Digest, model: String)

    package var description: String {
        switch self {
        case .destinationNotEmpty(let path): "\(path): is not empty; give --to a new or empty folder"
        case .destinationIsFile(let path): "\(path): is a file; give --to a new or empty folder"
        case .destinationBusy(let path): "\(path): another export is writing it; wait for it or give another --to"
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written (\(reason)); check permissions and free space"
        case .noPrompt(let id): "sample \(id): has no prompt, and the format needs one; select without it"
        case .mixedLatents(let id, let shape, let others):
            "sample \(id): its latent is \(shape), the first one is \(others); select samples of one latent_shape"
        case .noLatent(let id): "sample \(id): has no latent; import it with --model, or select without it"
        case .otherModel(let id, let model):
            "sample \(id): was made with model \(model); give that one to --model, or select by model"
        }
    }
}
