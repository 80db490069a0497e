import ArgumentParser
import Diffusion
import Interchange
import Tuning
import Workflows

// What the parser reads into the plain values of workflows.

extension ByteSize: ExpressibleByArgument {
    /// - Parameter argument: as `256MiB`.
    public init?(argument: String) { self.init(argument) }
}

extension SamplerKind: ExpressibleByArgument {
    /// - Parameter argument: as the command line has it.
    public init?(argument: String) { self.init(name: argument) }

    /// What `--help` says of samplers.
    static let help: ArgumentHelp =
        "The sampler; diffusers' class names and common spellings are understood too (docs/models.md)."
}

extension CandidateSeeds: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}
extension ImportJob.Format: ExpressibleByArgument {}
extension ImageFit: ExpressibleByArgument {}
