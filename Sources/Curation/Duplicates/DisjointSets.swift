/// Groups that grow together: each pair that belongs together joins the groups of its two members.
package struct DisjointSets: Sendable {
    private var parents: [Int]

    package init(_ count: Int) { parents = Array(0..<count) }

    package var count: Int { parents.count }

    /// The member that stands for a member's group: its smallest.
    package func root(_ member: Int) -> Int {
        var root = member
        while parents[root] != root { root = parents[root] }
        return root
    }

    package mutating func join(_ a: Int, _ b: Int) {
        let (first, second) = (shortened(a), shortened(b))
        if first != second { parents[max(first, second)] = min(first, second) }
    }

    /// The root; what is on the way points straight to it from here on.
    private mutating func shortened(_ member: Int) -> Int {
        let root = root(member)
        var place = member
        while parents[place] != root { (place, parents[place]) = (parents[place], root) }
        return root
    }

    /// The groups of two and more, each in order of its members, the groups in order of their first.
    package var groups: [[Int]] {
        var members: [Int: [Int]] = [:]
        for member in parents.indices { members[root(member), default: []].append(member) }
        return members.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }
}
