/// Walks a group's members: a version 1 B-tree over symbol nodes, names in a local heap.
struct StoredGroup {
    private static let mostMembers = 1024
    private(set) var members: [(name: String, header: UInt64)] = []

    /// - Parameter message: the symbol table message.
    init(_ message: ArraySlice<UInt8>, _ file: FileBytes) throws(HDF5Error) {
        var cursor = Cursor(message, file.path)
        let (tree, heap) = (try cursor.u64(), try cursor.u64())
        var head = Cursor(try file.read(heap, 32), file.path)
        try head.expect("HEAP")
        try head.skip(4)
        let size = try head.u64()
        try head.skip(8)
        guard size <= 1 << 24 else { throw HDF5Error(path: file.path, "has too many names") }
        let names = try file.read(try head.u64(), Int(size))
        var visited = 0
        try walk(tree, level: nil, names, file, &visited)
    }

    private mutating func walk(
        _ address: UInt64, level: UInt8?, _ names: [UInt8], _ file: FileBytes, _ visited: inout Int
    ) throws(HDF5Error) {
        visited += 1
        let node = try TreeNode(file, at: address, type: 0, keySize: 8, level: level)
        guard visited <= Self.mostMembers else { throw HDF5Error(path: file.path, "has a group without end") }
        for entry in node.entries {
            if node.level > 0 {
                try walk(entry.child, level: node.level - 1, names, file, &visited)
            } else {
                try addSymbols(entry.child, names, file)
            }
        }
    }

    private mutating func addSymbols(_ address: UInt64, _ names: [UInt8], _ file: FileBytes) throws(HDF5Error) {
        var head = Cursor(try file.read(address, 8), file.path)
        try head.expect("SNOD")
        try head.skip(2)
        let count = try head.u16()
        guard members.count + count <= Self.mostMembers else {
            throw HDF5Error(path: file.path, "has a group without end")
        }
        var cursor = Cursor(try file.read(address &+ 8, 40 * count), file.path)
        for _ in 0..<count {
            let (offset, header) = (try cursor.u64(), try cursor.u64())
            try cursor.skip(24)
            guard offset < names.count else { throw HDF5Error(path: file.path, "has a name beyond its heap") }
            let name = names[Int(offset)...].prefix(256).prefix { $0 != 0 }
            members.append((String(decoding: name, as: UTF8.self), header))
        }
    }
}

/// One node of a version 1 B-tree.
struct TreeNode {
    let level: UInt8
    let entries: [(key: ArraySlice<UInt8>, child: UInt64)]

    /// - Parameter level: what the parent says; a tree whose levels fall cannot run in circles.
    init(_ file: FileBytes, at address: UInt64, type: UInt8, keySize: Int, level expected: UInt8?) throws(HDF5Error) {
        var head = Cursor(try file.read(address, 24), file.path)
        try head.expect("TREE")
        guard try head.u8() == type else { throw HDF5Error(path: file.path, "has a tree of another kind") }
        level = try head.u8()
        let count = try head.u16()
        guard level <= 8, expected == nil || level == expected, count <= 4096 else {
            throw HDF5Error(path: file.path, "has a damaged tree")
        }
        var cursor = Cursor(try file.read(address &+ 24, count * (keySize + 8)), file.path)
        var entries: [(key: ArraySlice<UInt8>, child: UInt64)] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append((try cursor.take(keySize), try cursor.u64())) }
        self.entries = entries
    }
}
