/// The messages of one object: version 1 headers only, as `earliest` writes them.
struct ObjectHeader {
    struct Message {
        let type: Int
        let body: ArraySlice<UInt8>
    }

    static let dataspace = 0x01
    static let datatype = 0x03
    static let layout = 0x08
    static let pipeline = 0x0B
    static let attribute = 0x0C
    private static let continuation = 0x10
    static let symbolTable = 0x11

    /// More than any header that is a header.
    private static let largest = 1 << 17

    private(set) var messages: [Message] = []

    init(_ file: FileBytes, at address: UInt64) throws(HDF5Error) {
        var prefix = Cursor(try file.read(address, 16), file.path)
        guard try prefix.u8() == 1 else {
            throw HDF5Error(path: file.path, "has an object header of an unknown version")
        }
        try prefix.skip(1)
        let count = try prefix.u16()
        try prefix.skip(4)
        var blocks: [(address: UInt64, size: UInt64)] = [(address &+ 16, UInt64(try prefix.u32()))]
        var total: UInt64 = 0
        while !blocks.isEmpty, messages.count < count {
            let block = blocks.removeFirst()
            let (sum, overflow) = total.addingReportingOverflow(block.size)
            guard !overflow, sum <= Self.largest else {
                throw HDF5Error(path: file.path, "has an object header without end")
            }
            total = sum
            var cursor = Cursor(try file.read(block.address, Int(block.size)), file.path)
            while cursor.remaining >= 8, messages.count < count {
                let (type, size, flags) = (try cursor.u16(), try cursor.u16(), try cursor.u8())
                try cursor.skip(3)
                let body = try cursor.take(size)
                if type == Self.continuation {
                    var place = Cursor(body, file.path)
                    blocks.append((try place.u64(), try place.u64()))
                    guard blocks.count <= 64 else {
                        throw HDF5Error(path: file.path, "has a header in too many pieces")
                    }
                }
                // A shared message is elsewhere; nothing that a shard needs is one.
                messages.append(Message(type: flags & 2 == 0 ? type : 0, body: body))
            }
        }
    }

    func first(_ type: Int) -> ArraySlice<UInt8>? { messages.first { $0.type == type }?.body }
}
