import Crypto
import Foundation

/// SHA-256 in hexadecimal.
func sha256(_ data: Data) -> String {
    var text = ""
    for byte in SHA256.hash(data: data) {
        let digits = String(byte, radix: 16)
        text += digits.count == 1 ? "0" + digits : digits
    }
    return text
}
