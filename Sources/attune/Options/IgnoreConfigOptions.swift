import ArgumentParser
import Diffusion

/// Fields of a model's configuration files that the user wants left out.
struct IgnoreConfigOptions: ParsableArguments {
    @Option(
        name: .customLong("ignore-config"), parsing: .singleValue,
        help: ArgumentHelp(
            "Take the model as if this field were not in its configuration files; may be repeated (act_fn, or of one part: vae.act_fn).",
            valueName: "field"))
    var ignoreConfig: [String] = []

    /// For one load of a model.
    var fields: IgnoredFields { IgnoredFields(ignoreConfig) }
}
