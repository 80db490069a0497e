/// Which loose shards become one.
struct PackPlan {
    /// A loose shard by its contents. Weights add up, as sizes of files do not: the plan for what is left after a killed
    /// `pack` is the rest of the first plan.
    struct Item: Sendable {
        let digest: Digest
        /// Bytes of manifests, images and latents, or of scores.
        let weight: Int
        /// Shards of one kind can become one: of samples, or of one scorer's scores.
        let kind: String
    }

    /// Groups of two and more.
    let groups: [[Item]]

    /// - Parameter target: bytes that a shard should have; one with half of it stays as it is.
    init(_ items: [Item], target: Int) {
        var groups: [[Item]] = []
        let loose = Dictionary(grouping: items.filter { 2 * $0.weight < target }, by: \.kind)
        for (_, members) in loose.sorted(by: { $0.key < $1.key }) {
            var (group, weight) = ([Item](), 0)
            for item in members.sorted(by: { $0.digest < $1.digest }) {
                if weight + item.weight > target {
                    groups.append(group)
                    (group, weight) = ([], 0)
                }
                group.append(item)
                weight += item.weight
            }
            groups.append(group)
        }
        self.groups = groups.filter { $0.count > 1 }
    }
}
