import DiskAccess
import Foundation

/// Reading of small files of a model folder, and what is wrong with files that are not what their name says.
enum ModelFile {
    /// The whole file, nil where there is none. Only a name that does not exist counts as absent.
    static func readIfPresent(_ url: URL) throws(ModelError) -> Data? {
        do throws(DiskError) { return try Disk.read(url.path) } catch {
            if error.code == ENOENT, try !isLink(url) { return nil }
            throw problem(error, at: url)
        }
    }

    /// The whole file, which must be there.
    static func read(_ url: URL) throws(ModelError) -> Data {
        if let data = try readIfPresent(url) { return data }
        let folder = url.deletingLastPathComponent()
        if Disk.isSurelyAbsent(folder.path) {
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
        do throws(DiskError) { return try Disk.list(folder.path) } catch {
            if error.isAbsence, try !isLink(folder) { return nil }
            throw problem(error, at: folder)
        }
    }

    /// Why a file could not be used. A link to what is gone is what an unfinished or cleaned Hub cache has.
    static func problem(_ error: DiskError, at url: URL) -> ModelError {
        // What a link says is a part of the words alone: it is an error with and without.
        if error.code == ENOENT, let target = try? Disk.linkTarget(url.path) {
            return ModelError(
                .missingFile, at: url.path, "is a link to \(target), which is missing: download the model again")
        }
        let isOutOfReach = error.isAbsence || [EACCES, EPERM, ELOOP, ENAMETOOLONG].contains(error.code)
        return ModelError(isOutOfReach ? .missingFile : .malformedFile, at: url.path, error.message)
    }

    private static func isLink(_ url: URL) throws(ModelError) -> Bool {
        do throws(DiskError) { return try Disk.linkTarget(url.path) != nil } catch { throw problem(error, at: url) }
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
