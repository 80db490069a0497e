import CorpusStore
import Foundation
import Plots

/// The files that pages load, built into the program.
enum Assets {
    private struct Asset {
        let type: String
        let body: [UInt8]
        let tag: String

        init(_ type: String, _ body: [UInt8]) {
            (self.type, self.body, tag) = (type, body, String(Digest(of: body).hex.prefix(16)))
        }
    }

    private static let all: [String: Asset] = [
        "gallery.css": Asset("text/css; charset=utf-8", PackageResources.gallery_css),
        "plots.css": Asset("text/css; charset=utf-8", Array(PlotStyle.css.utf8)),
        "common.js": Asset("text/javascript; charset=utf-8", PackageResources.common_js),
        "grid.js": Asset("text/javascript; charset=utf-8", PackageResources.grid_js),
        "sample.js": Asset("text/javascript; charset=utf-8", PackageResources.sample_js),
        "compare.js": Asset("text/javascript; charset=utf-8", PackageResources.compare_js),
        "map.js": Asset("text/javascript; charset=utf-8", PackageResources.map_js),
        "duplicates.js": Asset("text/javascript; charset=utf-8", PackageResources.duplicates_js),
        "run.js": Asset("text/javascript; charset=utf-8", PackageResources.run_js),
        "icon.svg": Asset("image/svg+xml", PackageResources.icon_svg),
    ]

    /// An address that changes with the file, so that browsers may keep it.
    static func address(_ name: String) -> String { "/assets/\(name)?v=\(all[name]?.tag ?? "")" }

    static func answer(_ name: String) throws -> Answer {
        guard let asset = all[name] else { throw Refusal.missing("there is no file '\(name.prefix(80))'") }
        return Answer(type: asset.type, body: asset.body, caching: .forever, tag: asset.tag)
    }
}
