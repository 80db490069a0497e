import Interchange

/// One worker's part of the images that a source has.
struct PartOfImages: ImageSource {
    let source: any ImageSource
    let part: Part

    var count: Int { (0..<source.count).count(where: part.has(place:)) }

    func forEach(_ body: (CaptionedImage) throws -> Bool) throws {
        var place = 0
        try source.forEach { image in
            defer { place += 1 }
            return part.has(place: place) ? try body(image) : true
        }
    }
}
