/// The version that `--version` prints and that provenance records.
let attuneVersion = "0.3.0"
