import CorpusStore
import Synchronization
import Tensors
import TestSupport
import Tuning

/// A selection held in memory: latents are drawn from the sample's number. Each new resolution has one sample more.
final class MemorySource: TrainingSource {
    let selectionName = "best"
    private let prompts = ["a red circle", "three green stars", "a blue square above a star"]
    /// How many samples the selection has now.
    private let size: Mutex<Int>

    init(size: Int = 5) { self.size = Mutex(size) }

    private func resolution(of count: Int) -> SelectionResolution {
        SelectionResolution(digest: .numbered(count), ids: (0..<count).map { .numbered($0) })
    }

    func initialResolution() throws(TrainingSourceError) -> SelectionResolution {
        resolution(of: size.withLock { $0 })
    }

    func resolveAgain(_ digest: Digest) throws(TrainingSourceError) -> SelectionResolution {
        resolution(
            of: size.withLock { size in
                size += 1
                return size
            })
    }

    func resolution(digest: Digest) throws(TrainingSourceError) -> SelectionResolution {
        resolution(of: digest.number)
    }

    func check(_ resolution: SelectionResolution, model: String) {}

    func samples(_ ids: [Digest]) throws(TrainingSourceError) -> [TrainingSample] {
        ids.map { id in
            let number = id.number
            return TrainingSample(
                id: id, prompt: prompts[number % prompts.count],
                latent: randomTensor([4, 16, 16], seed: UInt64(100 + number)).values, shape: [4, 16, 16])
        }
    }
}
