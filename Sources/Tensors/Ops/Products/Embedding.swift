/// Rows of a table by number.
///
/// - Parameters:
///   - table: `[entries, C]`.
///   - ids: row numbers below `entries`.
///   - shape: the leading shape of the result, holding as many positions as there are ids.
/// - Returns: `[shape…, C]`.
package func embedding(_ table: Tensor, _ ids: [Int32], shape: [Int]) -> Tensor {
    let (entries, width) = (table.shape[0], table.channels)
    precondition(shape.reduce(1, *) == ids.count, "\(ids.count) ids do not fill \(shape)")
    if let backend = table.backend {
        precondition(ids.allSatisfy { $0 >= 0 && Int($0) < entries }, "ids in a table of \(entries) entries")
        let value = backend.embedding(table, ids).reshaped(shape + [width])
        return Tensor(value: value, parents: [table]) { gradient in
            [backend.embeddingVJP(gradient.reshaped([ids.count, width]), ids, entries: entries)]
        }
    }
    let out = Output(shape + [width])
    for (row, id) in ids.enumerated() {
        precondition(id >= 0 && Int(id) < entries, "id \(id) in a table of \(entries) entries")
        (out.pointer + row * width).update(from: table.pointer + Int(id) * width, count: width)
    }
    return Tensor(value: out.tensor, parents: [table]) { gradient in
        let sum = Tensor(zeros: [entries, width])
        for (row, id) in ids.enumerated() {
            for c in 0..<width { sum.storage.pointer[Int(id) * width + c] += gradient.pointer[row * width + c] }
        }
        return [sum]
    }
}
