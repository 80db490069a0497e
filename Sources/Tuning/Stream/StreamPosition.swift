/// How far a run has read its data, counted in samples.
package struct StreamPosition: Codable, Sendable, Hashable {
    /// Passes over the selection that were completed before this one.
    package var epoch: Int
    /// Samples taken from the present epoch.
    package var offset: Int
    /// Samples taken since the run began: the index of the next one's noise and timestep.
    package var consumed: Int

    package init(epoch: Int = 0, offset: Int = 0, consumed: Int = 0) {
        self.epoch = epoch
        self.offset = offset
        self.consumed = consumed
    }
}
