import Foundation

import Glibc

/// Reading of small files of a model folder, and what is wrong with files that are not what their name says.
enum ModelFile {
    /// The whole file, nil where there is none. Only a name that does not exist counts as absent.
    static func readIfPresent(_ url: URL) throws(ModelError) -> Data? {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT, !isLink(url) { return nil }
            throw openError(url, errno)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            return try handle.readToEnd() ?? Data()
        } catch {
            throw ModelError(.malformedFile, at: url.path, "cannot be read: \(error.localizedDescription)")
        }
    }

    /// The whole file, which must be there.
    static func read(_ url: URL) throws(ModelError) -> Data {
        if let data = try readIfPresent(url) { return data }
        let folder = url.deletingLastPathComponent()
        var isFolder: ObjCBool = false
        if !FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
            throw ModelError(
                .missingFile, at: folder.path, "this folder is missing: is this a complete diffusers model folder?")
        }
        throw ModelError(.missingFile, at: url.path, "is missing: is this a complete diffusers model folder?")
    }

    /// A JSON object.
    static func readObject(_ url: URL) throws(ModelError) -> [String: Any] { try object(read(url), at: url) }

    static func readObjectIfPresent(_ url: URL) throws(ModelError) -> [String: Any]? {
        guard let data = try readIfPresent(url) else { return nil }
        return try object(data, at: url)
    }

    private static func object(_ data: Data, at url: URL) throws(ModelError) -> [String: Any] {
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw ModelError(.malformedFile, at: url.path, foreignContent(data) ?? "is not a JSON object")
        }
        return object
    }

    /// The names in a folder, sorted; nil where there is no such folder.
    static func list(_ folder: URL) throws(ModelError) -> [String]? {
        guard let stream = opendir(folder.path) else {
            if errno == ENOENT || errno == ENOTDIR, !isLink(folder) { return nil }
            throw openError(folder, errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else {
            throw ModelError(
                .malformedFile, at: folder.path, "cannot be listed: \(String(cString: strerror(errno)))")
        }
        return names.sorted()
    }

    /// Why a file could not be opened. A link to what is gone is what an unfinished or cleaned Hub cache has.
    static func openError(_ url: URL, _ code: Int32) -> ModelError {
        if code == ENOENT, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) {
            return ModelError(
                .missingFile, at: url.path, "is a link to \(target), which is missing: download the model again")
        }
        return ModelError(.missingFile, at: url.path, "cannot be opened: \(String(cString: strerror(code)))")
    }

    private static func isLink(_ url: URL) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: url.path)) != nil
    }

    // MARK: Content of another kind

    /// What the first bytes of a file say it is, where that is none of the formats that a model folder has: a sentence
    /// that also says what to do. Nil where they say nothing.
    static func foreignContent(_ head: Data) -> String? {
        let bytes = [UInt8](head.prefix(512))
        func starts(_ text: String) -> Bool { bytes.starts(with: Array(text.utf8)) }
        if bytes.isEmpty { return "is empty: its download or copy was not finished; fetch it again" }
        if starts("version https://git-lfs.github.com/spec/") || starts("version https://hawser.github.com/spec/") {
            return
                "is a git-lfs pointer, not the file itself: run 'git lfs pull' where the model was cloned, or download "
                + "the file"
        }
        if starts("PK\u{3}\u{4}") || (bytes.count > 1 && bytes[0] == 0x80 && (2...5).contains(bytes[1])) {
            return "is a PyTorch pickle, not safetensors: save it again as safetensors in Python"
        }
        if starts("GGUF") { return "is a GGUF file, which is not supported: get the model's safetensors files" }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
        if text.hasPrefix("<!doctype") || text.hasPrefix("<html") {
            return "is a web page, not the file: its download was refused; sign in where the model asks for it and "
                + "download it again"
        }
        for message in ["entry not found", "invalid username or password", "access to model", "not found"]
        where text.hasPrefix(message) {
            return "holds a server's message ('\(text.prefix(60))') and not the file: download it again"
        }
        return nil
    }
}
