/// The kinds of image files, told apart by their first bytes.
package enum ImageFormat: String, Sendable, CaseIterable {
    case png = "PNG"
    case jpeg = "JPEG"
    case webp = "WebP"
    // Told by name, not read.
    case gif = "GIF"
    case bmp = "BMP"
    case tiff = "TIFF"
    case avif = "AVIF"
    case heic = "HEIC"
    case jpegXL = "JPEG XL"
    case jpeg2000 = "JPEG 2000"
    case icon = "ICO"
    case photoshop = "Photoshop"
    case netpbm = "Netpbm"
    case targa = "TGA"
    case svg = "SVG"

    package var isRead: Bool { self == .png || self == .jpeg || self == .webp }

    /// By a file's name; nil for anything else than an image's.
    package init?(named name: String) {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        switch name[name.index(after: dot)...].lowercased() {
        case "png", "apng": self = .png
        case "jpg", "jpeg", "jpe", "jfif": self = .jpeg
        case "webp": self = .webp
        case "gif": self = .gif
        case "bmp", "dib": self = .bmp
        case "tif", "tiff": self = .tiff
        case "avif": self = .avif
        case "heic", "heif": self = .heic
        case "jxl": self = .jpegXL
        case "jp2", "j2k", "jpx": self = .jpeg2000
        case "ico": self = .icon
        case "psd": self = .photoshop
        case "ppm", "pgm", "pbm", "pnm": self = .netpbm
        case "tga": self = .targa
        case "svg": self = .svg
        default: return nil
        }
    }

    /// By a file's first bytes.
    package init?(_ bytes: [UInt8]) {
        func has(_ text: String, at place: Int = 0) -> Bool {
            bytes.count >= place + text.utf8.count
                && bytes[place..<place + text.utf8.count].elementsEqual(text.utf8)
        }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if has("RIFF"), has("WEBP", at: 8) {
            self = .webp
        } else if has("GIF8") {
            self = .gif
        } else if has("II*\0") || has("MM\0*") || has("II+\0") || has("MM\0+") {
            self = .tiff
        } else if has("ftyp", at: 4) {
            self = has("avi", at: 8) ? .avif : .heic
        } else if bytes.starts(with: [0xFF, 0x0A]) || has("JXL ", at: 4) {
            self = .jpegXL
        } else if has("jP  ", at: 4) || bytes.starts(with: [0xFF, 0x4F, 0xFF, 0x51]) {
            self = .jpeg2000
        } else if has("8BPS") {
            self = .photoshop
        } else if bytes.starts(with: [0, 0, 1, 0]) {
            self = .icon
        } else if has("BM") {
            self = .bmp
        } else if has("P4") || has("P5") || has("P6") {
            self = .netpbm
        } else {
            return nil
        }
    }
}
