extension Tensor {
    /// What computes with it; nil for the CPU's loops.
    var backend: (any Backend)? { storage.remote?.backend }

    /// The same values on another device or in another type, as an op of the tape: gradients are moved back. Host memory
    /// holds float32 alone.
    package func moved(to device: Device, as dtype: DType = .float32) -> Tensor {
        guard self.device != device || self.dtype != dtype else { return self }
        return Tensor(value: copied(to: device, as: dtype), parents: [self]) { [own = self.device, type = self.dtype] in
            [$0.moved(to: own, as: type)]
        }
    }

    private func copied(to device: Device, as dtype: DType) -> Tensor {
        guard let target = device.backend else {
            precondition(dtype == .float32, "host memory holds float32, not \(dtype)")
            let out = Output(shape)
            backend?.download(self, into: out.pointer)
            return out.tensor
        }
        guard let backend else { return target.upload(self, as: dtype) }
        return backend === target
            ? backend.cast(self, to: dtype) : target.upload(copied(to: .cpu, as: .float32), as: dtype)
    }

    /// In host memory, without the tape.
    var onHost: Tensor { backend == nil ? self : detached.moved(to: .cpu) }
}
