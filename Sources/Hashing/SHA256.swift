import CLibcrypto
package import Foundation

/// SHA-256 by OpenSSL's libcrypto, which uses the processor's SHA or vector instructions. A value: a copy goes its own way.
///
/// ```swift
/// var hash = SHA256()
/// hash.update(data: Data("abc".utf8))
/// let bytes = hash.finalize()  // 32 of them
/// ```
package struct SHA256: Sendable {
    private var state = SHA256_CTX()

    package init() { SHA256_Init(&state) }

    package mutating func update(bufferPointer bytes: UnsafeRawBufferPointer) {
        if !bytes.isEmpty { SHA256_Update(&state, bytes.baseAddress, bytes.count) }
    }

    package mutating func update(data: some DataProtocol) {
        for region in data.regions { region.withUnsafeBytes { update(bufferPointer: $0) } }
    }

    /// The 32 bytes of the hash of all that went in; more may go in afterwards.
    package func finalize() -> [UInt8] {
        var copy = state
        return [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { bytes, count in
            SHA256_Final(bytes.baseAddress, &copy)
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }
}
