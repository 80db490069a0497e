extension Tensor {
    /// (x − mean)·scale/deviation by channels, `[…, C]`.
    ///
    /// - Parameters:
    ///   - mean: C values.
    ///   - deviation: C values, none of them 0.
    ///   - scale: of all channels.
    package func standardized(mean: [Float], deviation: [Float], scale: Float = 1) -> Tensor {
        let value = byChannel { x, channel in (x - mean[channel]) * scale / deviation[channel] }
        return Tensor(value: value, parents: [self]) { gradient in
            [gradient.byChannel { g, channel in g * scale / deviation[channel] }]
        }
    }

    /// The inverse, x·deviation/scale + mean by channels.
    package func destandardized(mean: [Float], deviation: [Float], scale: Float = 1) -> Tensor {
        let value = byChannel { x, channel in x * deviation[channel] / scale + mean[channel] }
        return Tensor(value: value, parents: [self]) { gradient in
            [gradient.byChannel { g, channel in g * deviation[channel] / scale }]
        }
    }

    private func byChannel(_ body: (_ value: Float, _ channel: Int) -> Float) -> Tensor {
        let channels = channels
        return withValues { values in
            Tensor(shape: shape) { out in
                for index in out.indices { out[index] = body(values[index], index % channels) }
            }
        }
    }
}
