import Diffusion
import Foundation
import Tensors
import Testing

@Suite("Safetensors files: round trips and hostile headers")
struct SafetensorsFileTests {
    /// Opens a file of these bytes.
    private func open(_ bytes: Data) throws -> SafetensorsFile {
        let url = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID().uuidString).safetensors")
        try bytes.write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try SafetensorsFile(url)
    }

    private func file(header: String, data: Data, declaredLength: UInt64? = nil) -> Data {
        var out = Data()
        withUnsafeBytes(of: (declaredLength ?? UInt64(header.utf8.count)).littleEndian) { out.append(contentsOf: $0) }
        return out + Data(header.utf8) + data
    }

    private func entry(_ type: String, _ shape: String, _ start: Int, _ end: Int) -> String {
        #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(start),\#(end)]}"#
    }

    /// A header, how many bytes of data follow, and what the error says.
    struct Hostile: Sendable, CustomTestStringConvertible {
        var name, header: String
        var bytes: Int
        var says: String
        init(_ name: String, _ header: String, bytes: Int, says: String) {
            (self.name, self.header, self.bytes, self.says) = (name, header, bytes, says)
        }
        var testDescription: String { name }
    }

    @Test(arguments: [
        Hostile("not JSON", "{]", bytes: 0, says: "JSON"),
        Hostile("a list", "[1]", bytes: 0, says: "JSON"),
        Hostile("no offsets", #"{"a":{"dtype":"F32","shape":[1]}}"#, bytes: 4, says: "'a'"),
        Hostile("three offsets", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, bytes: 4, says: "'a'"),
        Hostile("a foreign type", #"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, bytes: 8, says: "C64"),
        Hostile("end before start", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, bytes: 4, says: "'a'"),
        Hostile("before the data", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, bytes: 4, says: "'a'"),
        Hostile("a size that lies", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, bytes: 4, says: "'a'"),
        Hostile(
            "a negative shape", #"{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#, bytes: 4,
            says: "impossible shape"),
        Hostile(
            "a product that overflows",
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, bytes: 0,
            says: "impossible shape"),
        Hostile(
            "an overlap",
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            bytes: 12, says: "'b'"),
        Hostile(
            "a hole",
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
            bytes: 12, says: "'b'"),
        Hostile(
            "missing data", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, bytes: 7, says: "truncated"),
        Hostile("data too many", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, bytes: 9, says: "damaged"),
        Hostile(
            "one name twice",
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            bytes: 4, says: "twice"),
    ])
    func hostileHeadersAreRefused(hostile: Hostile) throws {
        let error = #expect(throws: ModelError.self) {
            try open(file(header: hostile.header, data: Data(count: hostile.bytes)))
        }
        #expect(error?.message.contains(hostile.says) == true, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
    }

    @Test(arguments: [UInt64(0), 1, 60, 100_000_001, 1 << 40, .max])
    func impossibleHeaderLengthsAreRefused(length: UInt64) throws {
        let bytes = file(header: #"{"a":{}}"#, data: Data(), declaredLength: length)
        #expect(throws: ModelError.self) { try open(bytes) }
    }

    @Test func truncationAnywhereIsRefused() throws {
        let whole = SafetensorsWriter.data([
            "a": Tensor(shape: [3], values: [1, 2, 3]), "b": Tensor(shape: [1], values: [4]),
        ])
        #expect(try open(whole).names == ["a", "b"])
        for length in 0..<whole.count {
            #expect(throws: ModelError.self, "\(length) bytes") { try open(whole.prefix(length)) }
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let tensors = [
            "z": Tensor(shape: [2, 2], values: [1, -0.5, .greatestFiniteMagnitude, 0]),
            "a \"quoted\" \\ näme": Tensor(shape: [1], values: [7]), "empty": Tensor(shape: [0, 3], values: []),
            "scalar": Tensor(shape: [], values: [3]),
        ]
        let bytes = SafetensorsWriter.data(tensors, metadata: ["format": "pt", "note": "tab\tquote\""])
        #expect(bytes == SafetensorsWriter.data(tensors, metadata: ["note": "tab\tquote\"", "format": "pt"]))
        let file = try open(bytes)
        #expect(file.metadata == ["format": "pt", "note": "tab\tquote\""])
        #expect(file.names == tensors.keys.sorted())
        for (name, tensor) in tensors {
            let back = try file.tensor(name)
            #expect(back.shape == tensor.shape && back.values == tensor.values)
        }
    }

    @Test func narrowTypesAreWidened() throws {
        let header =
            "{\"b\":\(entry("BF16", "[2]", 0, 4)),\"h\":\(entry("F16", "[3]", 4, 10)),\"n\":\(entry("I64", "[1]", 10, 18)),"
            + "\"u\":\(entry("U8", "[2]", 18, 20)),\"x\":\(entry("F32", "[1]", 20, 24))}"
        var data = Data([0x80, 0x3F, 0x49, 0xC0])  // 1, −3.140625
        data.append(contentsOf: [0x00, 0x3C, 0x01, 0x00, 0x00, 0xFC])  // 1, the smallest subnormal, −∞
        data.append(contentsOf: [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 3, 255])
        data.append(contentsOf: [0x00, 0x00, 0x20, 0x41])  // 10
        // Whatever the header's length, so that float32 values lie on and off their alignment.
        for padding in 0..<4 {
            let file = try open(file(header: header + String(repeating: " ", count: padding), data: data))
            #expect(try file.tensor("b").values == [1, -3.140625])
            #expect(try file.tensor("h").values == [1, Float(Float16.leastNonzeroMagnitude), -.infinity])
            #expect(try file.integers("n") == [-2])
            #expect(try file.integers("u") == [3, 255])
            #expect(try file.tensor("x").values == [10])
            #expect(throws: ModelError.self) { try file.tensor("n") }
            #expect(throws: ModelError.self) { try file.integers("x") }
            #expect(throws: ModelError.self) { try file.tensor("missing") }
        }
    }
}
