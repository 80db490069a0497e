package import Cluster
package import Diffusion

/// Everything that a run is given.
package struct TrainingInputs {
    package let model: DiffusionModel
    package let source: any TrainingSource
    package let configuration: TrainingConfiguration
    package let run: RunFolder
    /// The same model on further devices, which share out each step's microbatches.
    package var replicas: [DiffusionModel] = []
    /// The adapter to begin with; nil for a fresh one.
    package var start: Adapter?
    /// Where near-miss prompts come from, for the loss that asks for them.
    package var negatives: NegativePrompts?
    /// Images to make at each validation; nil for none.
    package var validation: ValidationImages?
    /// Which copy of the model's weights was loaded.
    package var variant: String?
    /// Whether TensorBoard's event files are written.
    package var writesEvents = false
    /// What computes, for the run's log.
    package var computer = RunComputer.current()
    /// Whether a run may resume with arithmetic of other last bits.
    package var allowsOtherComputer = false
    /// The processes that share out each step's microbatches; nil for this one alone.
    package var ranks: (any RankGroup)?

    package init(
        model: DiffusionModel, source: any TrainingSource, configuration: TrainingConfiguration, run: RunFolder
    ) {
        (self.model, self.source, self.configuration, self.run) = (model, source, configuration, run)
    }
}
