package import CorpusStore

/// One image to train on, as the corpus keeps it.
package struct TrainingSample: Sendable {
    package let id: Digest
    package let prompt: String
    /// The scaled latent, [C, h, w] row-major.
    package let latent: [Float]
    package let shape: [Int]
    /// What its loss is multiplied by; nil in a run that weighs none.
    package let weight: Float?

    package init(id: Digest, prompt: String, latent: [Float], shape: [Int], weight: Float? = nil) {
        self.weight = weight
        self.id = id
        self.prompt = prompt
        self.latent = latent
        self.shape = shape
    }
}

/// What is known of a sample without reading it.
package struct SampleDescription: Sendable, Hashable {
    package let id: Digest
    package let prompt: String
    /// The score that the run's loss asks for; nil where it asks for none.
    package let score: Double?

    package init(id: Digest, prompt: String, score: Double? = nil) {
        (self.id, self.prompt, self.score) = (id, prompt, score)
    }
}

/// A selection as it stood at one moment: immutable, and found again by its digest.
package struct SelectionResolution: Sendable, Hashable {
    /// SHA-256 of the selection document.
    package let digest: Digest
    package let ids: [Digest]

    package init(digest: Digest, ids: [Digest]) {
        self.digest = digest
        self.ids = ids
    }
}

/// Why a source has no data to give; the text says what, where and what to do.
package struct TrainingSourceError: Error, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Where a run's data comes from.
package protocol TrainingSource: Sendable {
    /// The selection's name, for the run's log.
    var selectionName: String { get }

    /// The selection that the name stands for now.
    func initialResolution() throws(TrainingSourceError) -> SelectionResolution

    /// The policy of an earlier resolution applied to the corpus as it is now, stored so that `resolution(digest:)`
    /// finds it. The name may stand for another policy by then; a run keeps the one that it began with.
    func resolveAgain(_ digest: Digest) throws(TrainingSourceError) -> SelectionResolution

    /// Whether the name stands for the policy of an earlier resolution still.
    func keepsPolicy(of digest: Digest) throws(TrainingSourceError) -> Bool

    /// A resolution that was made earlier.
    func resolution(digest: Digest) throws(TrainingSourceError) -> SelectionResolution

    /// Checks that these samples can train the model of this digest.
    func check(_ resolution: SelectionResolution, model: String) throws(TrainingSourceError)

    /// Names the weights of these samples' losses, nil where they have none: a resumed run must find the same.
    func weightsIdentity(_ resolution: SelectionResolution) throws(TrainingSourceError) -> String?

    /// The name of the score that `describe(_:)` gives; nil where it gives none.
    var scoreName: String? { get }

    /// Prompts and scores of these samples, in this order.
    func describe(_ ids: [Digest]) throws(TrainingSourceError) -> [SampleDescription]

    /// The samples of these ids, in this order.
    func samples(_ ids: [Digest]) throws(TrainingSourceError) -> [TrainingSample]

    /// Begins to read samples that will be asked for next, and returns at once. What cannot be read is reported when it
    /// is asked for.
    func prefetch(_ ids: [Digest])
}

extension TrainingSource {
    package var scoreName: String? { nil }

    package func describe(_ ids: [Digest]) throws(TrainingSourceError) -> [SampleDescription] {
        try samples(ids).map { SampleDescription(id: $0.id, prompt: $0.prompt) }
    }

    package func prefetch(_ ids: [Digest]) {}

    package func keepsPolicy(of digest: Digest) throws(TrainingSourceError) -> Bool { true }

    package func weightsIdentity(_ resolution: SelectionResolution) throws(TrainingSourceError) -> String? { nil }
}
