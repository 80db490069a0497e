/// Sizes at which ops change how they work. Results do not depend on them except in the last bits; tests choose shapes
/// on both sides of each.
package enum PathSizes {
    /// Attention over more keys than this takes them in blocks of ``attentionBlock``, with a running softmax; under a
    /// causal mask all keys stay together.
    package static let attentionKeys = 1024
    package static let attentionBlock = 512
    /// Scores of one block of queries.
    package static let attentionScores = 65_536

    /// Group norm takes an image in parts of about so many values.
    package static let groupNormValues = 65_536

    /// A product whose right-hand side has more values than this, and at least as many columns as there are rows, is
    /// cut by columns alone.
    package static let wideProduct = 1 << 20
    /// Products of fewer multiplications than this stay on the calling thread.
    package static let sharedProduct = 64 * 64 * 64

    /// Winograd kernels up to this size (in × out) keep their transform. It takes four times the memory. Larger ones
    /// are transformed panel by panel at each use, ``winogradSlice`` input channels at a time.
    package static let keptWinogradKernel = 256 * 320
    package static let winogradSlice = 128
    /// Values of transformed tiles that are in memory together: 64 MB.
    package static let winogradGroup = 1 << 24

    /// Weight gradients go by Winograd's tiles for kernels up to this size (in × out), whose sums take 59 MB, and from so
    /// many tiles of a batch on.
    package static let winogradGradientKernel = 640 * 640
    package static let winogradGradientTiles = 8
    /// Values of transformed tiles that are in memory together: 8 MB.
    package static let winogradGradientGroup = 1 << 21

    /// With brain floats, from so many tiles on all of a kernel is transformed before the products; for fewer tiles each
    /// core transforms a panel at a time.
    package static let pairWinogradTiles = 256

    /// A direct convolution whose kernel has more values than this takes large parts of the image, of about
    /// ``largeColumns`` values after im2col, with all threads in each; otherwise tiles of ``smallColumns``, one per
    /// thread.
    package static let largeKernel = 1 << 18
    package static let largeColumns = 1 << 23
    package static let smallColumns = 1 << 17
}
