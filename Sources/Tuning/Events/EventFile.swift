import CorpusStore
package import DiskAccess
package import Foundation

/// An event file as TensorBoard reads it: TFRecord framing (length, its CRC, data, its CRC) around `Event` messages of
/// tensorflow/core/util/event.proto.
///
/// Each process writes a file of its own. That of a resumed run begins with a session start at its first step, by which
/// TensorBoard drops the later steps of the file before.
package final class EventFile {
    private let file: DiskFile
    private let now: () -> Date

    /// - Parameters:
    ///   - folder: made where it is missing.
    ///   - step: steps that the run has made.
    ///   - now: the clock.
    package init(in folder: URL, after step: Int, now: @escaping () -> Date = Date.init) throws(DiskError) {
        try Disk.makeFolder(folder.path)
        let seconds = Int(now().timeIntervalSince1970)
        let host = AtomicFiles.host
        let process = ProcessInfo.processInfo.processIdentifier
        let name = "events.out.tfevents.\(seconds).\(host).\(process).\(step)"
        file = try DiskFile(folder.appending(path: name).path, .replace)
        self.now = now
        try write(step: 0) { $0.add(3, "brain.Event:2") }
        guard step > 0 else { return }
        try write(step: step + 1) { event in
            var session = ProtocolMessage()
            session.add(1, 1)
            event.add(7, session)
        }
    }

    /// Adds numbers by their tags.
    package func add(step: Int, _ scalars: [(tag: String, value: Double)]) throws(DiskError) {
        try write(step: step) { event in
            var summary = ProtocolMessage()
            for (tag, value) in scalars {
                var entry = ProtocolMessage()
                entry.add(1, tag)
                entry.add(2, Float(value))
                summary.add(1, entry)
            }
            event.add(5, summary)
        }
    }

    /// Adds a PNG image.
    package func add(step: Int, tag: String, png: Data, width: Int, height: Int) throws(DiskError) {
        try write(step: step) { event in
            var image = ProtocolMessage()
            image.add(1, height)
            image.add(2, width)
            image.add(3, 3)
            image.add(4, png)
            var entry = ProtocolMessage()
            entry.add(1, tag)
            entry.add(4, image)
            var summary = ProtocolMessage()
            summary.add(1, entry)
            event.add(5, summary)
        }
    }

    private func write(step: Int, _ fill: (inout ProtocolMessage) -> Void) throws(DiskError) {
        var event = ProtocolMessage()
        event.add(1, now().timeIntervalSince1970)
        event.add(2, step)
        fill(&event)
        try file.write(Self.record(event.data))
    }

    /// The framing of TFRecord.
    static func record(_ data: Data) -> Data {
        func bytes(_ value: some FixedWidthInteger) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }
        let length = bytes(UInt64(data.count))
        return length + bytes(CRC32C.masked(length)) + data + bytes(CRC32C.masked(data))
    }
}
