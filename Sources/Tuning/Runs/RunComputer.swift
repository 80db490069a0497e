package import Tensors

/// What a run is computed with, as far as it decides the last bits of results. The number of threads does not.
package struct RunComputer: Codable, Sendable, Hashable, CustomStringConvertible {
    /// Attune's version; nil in tests.
    package let attune: String?
    /// Vector instructions of the loops, such as "x86-64-v4".
    package let vectors: String
    /// What computes matrix products: "attune x86-64-v4", or OpenBLAS's kernels, "OpenBLAS Haswell"; with bfloat16 also
    /// what multiplies that, as in "attune x86-64-v4, avx512_bf16".
    package let products: String
    /// OpenBLAS's version and kernels, which some operations use whatever computes the products.
    package let blas: String

    /// This process's.
    ///
    /// - Parameters:
    ///   - version: Attune's.
    ///   - precision: of the run's products.
    ///   - device: where networks compute.
    package static func current(
        version: String? = nil, precision: Precision = .float32, device: Device = .cpu
    ) -> RunComputer {
        if case .torch(let torch) = device {
            // Several devices of a kind compute the same bits as one.
            return RunComputer(
                attune: version, vectors: VectorLevel.processor,
                products: "\(torch.kind.rawValue), \(precision.rawValue)",
                blas: "PyTorch \(TorchLibrary.opened?.version ?? "")")
        }
        let library = BLAS.configuration.split(separator: " ").prefix(2).joined(separator: " ")
        return RunComputer(
            attune: version, vectors: VectorLevel.processor,
            products: (VectorLevel.hasOwnProducts ? "attune \(VectorLevel.products)" : "OpenBLAS \(BLAS.coreName)")
                + (precision == .bfloat16 ? ", \(BFloat16Unit.name)" : ""),
            blas: "\(library) \(BLAS.coreName)")
    }

    /// Whether results have the same last bits: all but Attune's version is the same.
    package func computesLike(_ other: RunComputer) -> Bool {
        vectors == other.vectors && products == other.products && blas == other.blas
    }

    package var description: String { "\(vectors), products by \(products), \(blas)" }
}
