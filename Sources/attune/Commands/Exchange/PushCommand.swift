import ArgumentParser
import CorpusStore
import OCI
import Workflows

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Send a selection with its samples to a registry, or into an OCI layout.",
        discussion: """
            Only the selected samples are packed, the same way each time: what the registry has is not sent again, and a \
            stopped or killed push resumes when the same command is given again. The artifact says where its samples \
            come from: schemas/artifact.md. \(RegistryOptions.discussion) \
            Examples: attune push best registry.example.org/team/best:v1, attune push best oci:/media/stick:v1
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection's name, or name~1 for the one before.")
    var name: String

    @Argument(help: "registry/repository:tag, or oci:DIR[:tag]. Without a registry it is on Docker Hub.")
    var reference: String

    @Flag(help: "Send the corpus's own shards as they are, with samples that are not selected.")
    var wholeShards = false

    @Option(help: "A note on the license of the samples, best an SPDX expression.")
    var license: String?

    @OptionGroup var registry: RegistryOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open()
        var job = PushJob(reference: reference, registry: registry.access)
        (job.wholeShards, job.license) = (wholeShards, license)
        let name = name
        let outcome = try await transfer("push", unit: "shards") { [job] progress in
            try await job.run(name, of: corpus, warn: { standardError($0) }) { progress.update($0, $1) }
        }
        if output.json {
            print(try jsonText(Report(outcome)))
        } else {
            print(
                "\(name): \(counted(outcome.samples, "sample")) in \(counted(outcome.shards, "layer")); "
                    + "\(outcome.sentBytes) bytes sent, \(counted(outcome.presentShards, "layer")) already present")
            print(
                "\(reference)\(outcome.changedReference ? "" : " already points to this digest"): \(outcome.manifest)")
        }
    }

    private struct Report: Encodable {
        let manifest: String
        let samples, shards, present_shards, sent_blobs, sent_bytes: Int
        let changed: Bool

        init(_ outcome: ArtifactPush.Outcome) {
            manifest = outcome.manifest.description
            (samples, shards, present_shards) = (outcome.samples, outcome.shards, outcome.presentShards)
            (sent_blobs, sent_bytes) = (outcome.sentBlobs, outcome.sentBytes)
            changed = outcome.changedReference
        }
    }
}
