import Foundation
import Workflows

extension ShardInspection {
    /// In another process of this command.
    static let byThisCommand = ShardInspection(
        program: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath(), arguments: [CheckShardCommand.name])
}
