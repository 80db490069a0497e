/// What the header of a `.npy` file says, a dictionary as Python writes it:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`.
struct NumPyHeader {
    let element: NumPyArray.Element
    let isBigEndian, isFortranOrder: Bool
    let shape: [Int]

    init(_ text: String) throws(CodecError) {
        let damage = CodecError("has a header that cannot be understood")
        guard let type = Self.value("descr", in: text), let order = Self.value("fortran_order", in: text),
            let sides = Self.value("shape", in: text)
        else { throw damage }

        switch order.prefix(while: \.isLetter) {
        case "True": isFortranOrder = true
        case "False": isFortranOrder = false
        default: throw damage
        }

        guard sides.first == "(", let end = sides.firstIndex(of: ")") else { throw damage }
        var shape: [Int] = []
        for side in sides[..<end].dropFirst().split(separator: ",") {
            let digits = side.filter { !$0.isWhitespace }
            if digits.isEmpty { continue }
            guard let number = Int(digits), number >= 0 else { throw damage }
            shape.append(number)
        }
        self.shape = shape

        guard let quote = type.first, quote == "'" || quote == "\"" else {
            throw CodecError("holds records of several fields; save one plain array", unsupported: true)
        }
        let name = type.dropFirst().prefix { $0 != quote }
        let mark = name.first.map { "<>=|".contains($0) } == true ? name.first : nil
        let kind = mark == nil ? name : name.dropFirst()
        isBigEndian = mark == ">"
        guard kind.first != "O" else {
            throw CodecError(
                "holds pickled Python objects, which are not opened since that would run what the file says; save "
                    + "numbers: numpy.asarray(x, dtype='float32')", unsupported: true)
        }
        guard let letter = kind.first, let size = Int(kind.dropFirst()), size >= 0,
            let element = Self.element(letter, size)
        else { throw CodecError("holds elements of the type \(name), which is not read", unsupported: true) }
        self.element = element
    }

    private static func element(_ letter: Character, _ size: Int) -> NumPyArray.Element? {
        switch (letter, size) {
        case ("f", 2): .float16
        case ("f", 4): .float32
        case ("f", 8): .float64
        case ("i", 1), ("i", 2), ("i", 4), ("i", 8): .signed(bytes: size)
        case ("u", 1), ("u", 2), ("u", 4), ("u", 8): .unsigned(bytes: size)
        case ("U", _): .unicode(characters: size)
        case ("S", _): .text(bytes: size)
        default: nil
        }
    }

    /// What follows a key.
    private static func value(_ key: String, in text: String) -> Substring? {
        for quote in ["'", "\""] {
            guard let found = text.firstRange(of: quote + key + quote) else { continue }
            let rest = text[found.upperBound...].drop(while: \.isWhitespace)
            guard rest.first == ":" else { return nil }
            return rest.dropFirst().drop(while: \.isWhitespace)
        }
        return nil
    }
}
