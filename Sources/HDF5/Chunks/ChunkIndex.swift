/// Where the chunks of a dataset of one chunk per row lie.
struct ChunkIndex {
    struct Place {
        var address: UInt64 = StoredDataset.nowhere
        var size: UInt32 = 0
        /// Bit i is set where filter i was left out.
        var skipped: UInt32 = 0
    }

    private(set) var places: [Place]

    init(_ dataset: StoredDataset, root: UInt64, _ file: FileBytes) throws(HDF5Error) {
        let rank = dataset.shape.count
        let rows = dataset.shape.first ?? 0
        // Every row has an entry of its own.
        guard rows <= file.size / UInt64(8 * rank + 24) else {
            throw HDF5Error(path: file.path, "claims more rows than it has bytes")
        }
        places = Array(repeating: Place(), count: rows)
        var visited = 0
        try walk(root, level: nil, rank: rank, file, &visited)
    }

    private mutating func walk(
        _ address: UInt64, level: UInt8?, rank: Int, _ file: FileBytes, _ visited: inout Int
    ) throws(HDF5Error) {
        let node = try TreeNode(file, at: address, type: 1, keySize: 8 * (rank + 2), level: level)
        visited += 1 + node.entries.count
        guard visited <= 4 * places.count + 16 else { throw HDF5Error(path: file.path, "has a tree without end") }
        for entry in node.entries {
            if node.level > 0 {
                try walk(entry.child, level: node.level - 1, rank: rank, file, &visited)
                continue
            }
            var key = Cursor(entry.key, file.path)
            let (size, skipped, row) = (try key.u32(), try key.u32(), try key.u64())
            guard row < places.count else { throw HDF5Error(path: file.path, "has a chunk beyond its last row") }
            places[Int(row)] = Place(address: entry.child, size: size, skipped: skipped)
        }
    }
}
