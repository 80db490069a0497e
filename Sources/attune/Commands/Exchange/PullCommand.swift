import ArgumentParser
import CorpusStore
import OCI
import Workflows

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch a selection and its samples from a registry, or from an OCI layout.",
        discussion: """
            Only what the corpus lacks is fetched, and every byte is verified before it counts. A stopped or killed pull \
            resumes where it was when the same command is given again. \(RegistryOptions.discussion)
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The name that the selection gets in this corpus.")
    var name: String

    @Argument(
        help:
            "registry/repository:tag, registry/repository@sha256:…, or oci:DIR[:tag]. Without a registry it is on Docker Hub."
    )
    var reference: String

    @OptionGroup var registry: RegistryOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open(writing: true)
        let job = PullJob(reference: reference, registry: registry.access, inspection: .byThisCommand)
        let name = name
        let outcome = try await transfer("pull", unit: "KiB", divisor: 1024) { progress in
            try await job.run(into: corpus, as: name) { progress.update($0, $1) }
        }
        for vectors in outcome.otherVectors {
            standardError("note: vectors \(vectors) were left out: those of the corpus have another width")
        }
        if output.json {
            print(try jsonText(Report(outcome)))
        } else {
            print(
                "\(name): \(counted(outcome.samples, "sample")), \(outcome.addedSamples) of them new; "
                    + "\(outcome.receivedBytes) bytes fetched in \(counted(outcome.fetchedShards, "layer")), "
                    + "\(counted(outcome.skippedShards, "layer")) already present"
            )
        }
    }

    private struct Report: Encodable {
        let manifest, selection: String
        let samples, added_samples, fetched_shards, skipped_shards, received_bytes: Int

        init(_ outcome: ArtifactPull.Outcome) {
            (manifest, selection) = (outcome.manifest.description, outcome.selection.hex)
            (samples, added_samples) = (outcome.samples, outcome.addedSamples)
            (fetched_shards, skipped_shards) = (outcome.fetchedShards, outcome.skippedShards)
            received_bytes = outcome.receivedBytes
        }
    }
}
