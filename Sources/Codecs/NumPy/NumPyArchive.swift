package import Foundation

/// Several named arrays in one file, as NumPy's `savez` and `savez_compressed` write it: a ZIP archive of `.npy` files.
package struct NumPyArchive: Sendable {
    private let archive: ZipArchive
    /// The arrays' names, in the file's order.
    package let keys: [String]

    /// - Parameter file: the whole file.
    package init(_ file: Data) throws(CodecError) {
        archive = try ZipArchive(file)
        keys = archive.entries.filter { $0.name.hasSuffix(".npy") }.map { String($0.name.dropLast(4)) }
        guard !keys.isEmpty else { throw CodecError("is a ZIP archive without NumPy arrays in it") }
    }

    /// - Parameter key: one of ``keys``.
    package func array(_ key: String) throws(CodecError) -> NumPyArray {
        guard let entry = archive.entries.first(where: { $0.name == key + ".npy" }) else {
            throw CodecError("has no array '\(key)'; it has \(keys.joined(separator: ", "))")
        }
        let content = try archive.content(of: entry)
        do { return try NumPyArray(content) } catch {
            throw CodecError("'\(key)' \(error.description)", unsupported: error.isUnsupported)
        }
    }
}
