import Foundation
import Hashing
import Testing

/// Against FIPS 180-4's examples.
@Suite struct SHA256Tests {
    private func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func hashesTheStandardsExamples(text: String, expected: String) {
        var hash = SHA256()
        hash.update(data: Data(text.utf8))
        #expect(hex(hash.finalize()) == expected)
    }

    @Test func aMillionTimesTheSameLetterInUnevenParts() {
        var hash = SHA256()
        var left = 1_000_000
        var part = 1
        while left > 0 {
            let count = min(part, left)
            [UInt8](repeating: UInt8(ascii: "a"), count: count).withUnsafeBytes { hash.update(bufferPointer: $0) }
            left -= count
            part = part * 3 % 10007 + 1
        }
        #expect(hex(hash.finalize()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func aCopyGoesItsOwnWay() {
        var first = SHA256()
        first.update(data: Data("ab".utf8))
        let half = first.finalize()
        var second = first
        first.update(data: Data("c".utf8))
        #expect(second.finalize() == half)
        second.update(data: Data("c".utf8))
        #expect(first.finalize() == second.finalize())
    }
}
