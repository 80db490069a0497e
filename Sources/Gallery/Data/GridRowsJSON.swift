import CorpusStore
import Foundation

extension GridRows {
    /// The same JSON that `Answer.json` gives, written directly: a page has hundreds of tiles, and for them
    /// JSONEncoder takes longer than all else that the page needs.
    package var bytes: [UInt8] {
        var out = JSONWriter()
        out.object { out in
            out.member("from", from)
            out.member("samples", samples)
            out.member("total", total)
            out.member("version", Int(version))
            if let tiles { out.member("tiles") { $0.array(tiles) { out, tile in tile.write(to: &out) } } }
            if let groups {
                out.member("groups") { out in
                    out.array(groups) { out, group in
                        out.object { out in
                            out.member("prompt", group.prompt)
                            out.member("total", group.total)
                            out.member("tiles") { $0.array(group.tiles) { out, tile in tile.write(to: &out) } }
                        }
                    }
                }
            }
        }
        return out.bytes
    }
}

extension Tile {
    fileprivate func write(to out: inout JSONWriter) {
        out.object { out in
            out.member("height", height)
            out.member("id", id.hex)
            out.member("is_chosen") { $0.raw(isChosen ? "true" : "false") }
            out.member("pick", pick)
            out.member("prompt", prompt)
            // Finite, as tiles are made.
            if let score { out.member("score") { $0.raw("\(score)") } }
            out.member("seed", seed)
            out.member("stars", stars)
            out.member("tags") { $0.array(tags) { out, tag in out.text(tag) } }
            out.member("width", width)
        }
    }
}

/// JSON as bytes, piece by piece.
private struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// Whether a comma belongs before the next member or element.
    private var needsComma = false

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func object(_ body: (inout JSONWriter) -> Void) { enclosed("{", "}", body) }

    mutating func array<T>(_ values: [T], _ body: (inout JSONWriter, T) -> Void) {
        enclosed("[", "]") { out in
            for value in values {
                out.separate()
                body(&out, value)
                out.needsComma = true
            }
        }
    }

    mutating func member(_ name: String, _ body: (inout JSONWriter) -> Void) {
        separate()
        text(name)
        raw(":")
        body(&self)
        needsComma = true
    }

    mutating func member(_ name: String, _ value: String) { member(name) { $0.text(value) } }
    mutating func member(_ name: String, _ value: Int) { member(name) { $0.raw("\(value)") } }

    mutating func text(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: raw(String(format: "\\u%04x", byte))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func separate() { if needsComma { bytes.append(UInt8(ascii: ",")) } }

    private mutating func enclosed(_ open: String, _ close: String, _ body: (inout JSONWriter) -> Void) {
        raw(open)
        needsComma = false
        body(&self)
        raw(close)
        needsComma = true
    }
}
