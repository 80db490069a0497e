import CMPI

/// The ranks of an `mpirun` of Open MPI.
package final class MPIGroup: RankGroup {
    package let rank: Int
    package let size: Int

    /// Joins the other ranks; all of them have to.
    ///
    /// - Throws: ``RankError`` where Open MPI is not installed or does not start.
    package init() throws(RankError) {
        if let problem = cm_load() {
            throw RankError(
                "mpirun: \(String(cString: problem)); install Open MPI on every host (openmpi-bin), or train without mpirun"
            )
        }
        try Self.check(cm_init(), "start")
        var (rank, size): (Int32, Int32) = (0, 0)
        try Self.check(cm_rank(&rank, &size), "count its ranks")
        (self.rank, self.size) = (Int(rank), Int(size))
    }

    /// The library, such as "Open MPI v4.1.4".
    package static var version: String { String(cString: cm_version()) }

    /// Leaves the other ranks; no call may follow.
    package func leave() throws(RankError) { try Self.check(cm_finalize(), "end") }

    package func barrier() throws(RankError) { try Self.check(cm_barrier(), "wait for its ranks") }

    package func broadcast(_ bytes: [UInt8], from root: Int) throws(RankError) -> [UInt8] {
        var count = withUnsafeBytes(of: Int64(bytes.count)) { Array($0) }
        try broadcast(&count, root)
        var result =
            rank == root
            ? bytes : [UInt8](repeating: 0, count: Int(count.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }))
        try broadcast(&result, root)
        return result
    }

    private func broadcast(_ bytes: inout [UInt8], _ root: Int) throws(RankError) {
        let (count, root) = (try Self.count(bytes.count), Int32(root))
        try Self.check(bytes.withUnsafeMutableBytes { cm_broadcast($0.baseAddress, count, root) }, "broadcast")
    }

    package func gather(_ bytes: [UInt8]) throws(RankError) -> [[UInt8]] {
        let own = withUnsafeBytes(of: Int64(bytes.count)) { Array($0) }
        let counts = try gather(own, counts: Array(repeating: own.count, count: size)).map { bytes in
            Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) })
        }
        return try gather(bytes, counts: counts)
    }

    private func gather(_ bytes: [UInt8], counts: [Int]) throws(RankError) -> [[UInt8]] {
        let bounds = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        _ = try Self.count(bounds[size])
        var all = [UInt8](repeating: 0, count: bounds[size])
        let (lengths, starts) = (counts.map(Int32.init), bounds.map(Int32.init))
        try Self.check(
            all.withUnsafeMutableBytes { cm_gather_bytes(bytes, Int32(bytes.count), $0.baseAddress, lengths, starts) },
            "gather")
        return (0..<size).map { Array(all[bounds[$0]..<bounds[$0 + 1]]) }
    }

    package func scatter(_ values: [Float], bounds: [Int], from root: Int) throws(RankError) -> [Float] {
        let (counts, starts) = try Self.slices(bounds)
        var slice = [Float](repeating: 0, count: Int(counts[rank]))
        try Self.check(
            slice.withUnsafeMutableBufferPointer {
                cm_scatter_floats(values, counts, starts, $0.baseAddress, counts[rank], Int32(root))
            }, "share gradients out")
        return slice
    }

    package func join(_ slice: [Float], bounds: [Int]) throws(RankError) -> [Float] {
        let (counts, starts) = try Self.slices(bounds)
        var all = [Float](repeating: 0, count: bounds[size])
        try Self.check(
            all.withUnsafeMutableBufferPointer {
                cm_gather_floats(slice, counts[rank], $0.baseAddress, counts, starts)
            }, "put gradients together")
        return all
    }

    package func abort(_ status: Int32) { cm_abort(status) }

    private static func slices(_ bounds: [Int]) throws(RankError) -> (counts: [Int32], starts: [Int32]) {
        _ = try count(bounds[bounds.count - 1])
        return (zip(bounds, bounds.dropFirst()).map { Int32($1 - $0) }, bounds.dropLast().map(Int32.init))
    }

    /// MPI counts in 32 bits.
    private static func count(_ value: Int) throws(RankError) -> Int32 {
        guard let count = Int32(exactly: value) else {
            throw RankError(
                "mpirun: a message of \(value) elements is more than MPI takes; train fewer weights, or on one rank")
        }
        return count
    }

    private static func check(_ said: UnsafePointer<CChar>?, _ what: String) throws(RankError) {
        guard let said else { return }
        throw RankError(
            "mpirun: Open MPI could not \(what) (\(String(cString: said))); the run resumes with the same command")
    }
}
