/// Why an export was not made.
package enum ExportError: Error, CustomStringConvertible, Equatable {
    case destinationNotEmpty(path: String)
    case destinationIsFile(path: String)
    case cannotWrite(path: String, reason: String)
    case notText(id: String)

    package var description: String {
        switch self {
        case .destinationNotEmpty(let path): "\(path): is not empty; give --to a new or empty folder"
        case .destinationIsFile(let path): "\(path): is a file; give --to a new or empty folder"
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written (\(reason)); check permissions and free space"
        case .notText(let id): "sample \(id): its record cannot be written as JSON; leave it out of the selection"
        }
    }
}
