/// What a sealed file holds, by the format that it names: whoever handles shards of every kind switches over this, so
/// that a further kind cannot be forgotten anywhere.
enum SealedContents: Sendable {
    case samples(ShardReader)
    case scores(ScoreShard)
    case annotations(AnnotationShard)
    case vectors(VectorShard)

    /// - Throws: ``CorpusError`` naming a file whose structure is damaged, or whose format is none of these.
    init(_ sealed: SealedFile) throws(CorpusError) {
        switch sealed.format {
        case ScoreShard.format: self = .scores(try ScoreShard(sealed))
        case AnnotationShard.format: self = .annotations(try AnnotationShard(sealed))
        case VectorShard.format: self = .vectors(try VectorShard(sealed))
        default: self = .samples(try ShardReader(sealed))
        }
    }
}
