import ArgumentParser
import Workflows

/// Where networks compute.
struct DeviceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where networks compute: cpu (Attune's own loops), or a device of an installed PyTorch: torch-cpu, cuda, cuda:1. Several of one kind share out the batches: cuda:0,cuda:1 or cuda:all. docs/devices.md tells more.",
            valueName: "device"),
        transform: { try DeviceChoice($0) })
    var device = DeviceChoice.cpu

    @Option(
        help: ArgumentHelp(
            "The folder of the Python package torch, 2.10 or newer (default: ATTUNE_TORCH, else the one that python3 imports).",
            valueName: "folder"),
        completion: .directory)
    var torch: String?

    /// For a workflow to open.
    var choice: DeviceChoice {
        var choice = device
        choice.torch = torch
        return choice
    }
}
