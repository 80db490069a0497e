import Foundation
import Tensors
import TestSupport
import Testing

/// All tests of this module once more as processors without AVX-512, and without AVX2, run them.
@Suite struct OtherLevelsTests {
    private static let isChild = ProcessInfo.processInfo.environment["ATTUNE_VECTOR_LEVEL"] != nil
    static let lower: [(level: String, blas: String)] = [("x86-64-v3", "Haswell"), ("default", "Core2")]

    @Test(
        .enabled(if: VectorLevel.processor == "x86-64-v4", "this processor is without AVX-512 already"),
        .enabled(if: !isChild, "ATTUNE_VECTOR_LEVEL names a level"),
        arguments: lower)
    func everyTestPasses(level: String, blas: String) throws {
        let (status, text) = try TestProcess.run(
            filter: "TensorsTests", environment: ["ATTUNE_VECTOR_LEVEL": level, "OPENBLAS_CORETYPE": blas])
        #expect(status == 0, "\(text)")
        #expect(text.contains("vector level \(level)"), "\(text)")
    }

    /// What the child ran at, for its parent to see.
    @Test func theLevelIsTheOneAskedFor() {
        if let asked = ProcessInfo.processInfo.environment["ATTUNE_VECTOR_LEVEL"] {
            #expect(VectorLevel.products == asked)
            #expect(!VectorLevel.hasOwnProducts || asked == "x86-64-v4")
        }
        print("vector level \(VectorLevel.products), BLAS \(BLAS.coreName)")
    }
}
