import HDF5
package import Foundation

extension ShardWriter {
    /// A shard's bytes, for a place outside any corpus: the same records give the same bytes.
    package static func pack(_ records: [SampleRecord]) throws(CorpusError) -> Data {
        Data(try encoded(records).bytes)
    }
}
