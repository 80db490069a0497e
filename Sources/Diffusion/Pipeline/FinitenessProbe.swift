import Synchronization
import Tensors

extension DiffusionModel {
    /// The first linear layer of the UNet that gives a value which is not a finite number while an image is made again; nil
    /// where none does, as when the VAE is to blame.
    ///
    /// - Parameter request: of one image that came out so. It takes longer than making it: every layer's values are looked at.
    package func firstNonFiniteLayer(_ request: GenerationRequest) -> String? {
        var probed = request
        let probe = unet.probe(request.adapters)
        probed.adapters = probe.adapters
        // It ends with the step in which it was found. What else ends it leaves the layer out of an error that is one anyway.
        _ = try? generate(probed) { (_: Double) throws(ModelError) in
            if probe.found.path != nil { throw ModelError(.cancelled, at: "", "found") }
        }
        return probe.found.path
    }
}

extension UNet2DConditionModel {
    /// All linear layers as they are, or as adapters change them, with a note of the first that gives a value which is not a
    /// finite number.
    package func probe(
        _ adapters: [String: any LinearAdapter]
    ) -> (adapters: [String: any LinearAdapter], found: FirstPath) {
        let found = FirstPath()
        return (linears.mapValues { FinitenessProbe(inner: adapters[$0.path], found: found) }, found)
    }
}

/// The layer that a probe found; nil as long as it found none.
package final class FirstPath: Sendable {
    private let first = Mutex<String?>(nil)
    package var path: String? { first.withLock { $0 } }
    fileprivate func note(_ path: String) { first.withLock { if $0 == nil { $0 = path } } }
}

/// A layer as it is, which tells of its first values that are not finite.
private struct FinitenessProbe: LinearAdapter {
    let inner: (any LinearAdapter)?
    let found: FirstPath

    func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
        let out = inner?(x, base: base) ?? base(x)
        if found.path == nil, out.firstNonFinite != nil { found.note(base.path) }
        return out
    }
}
