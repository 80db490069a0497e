/// An image from elsewhere with its caption, as its file has it.
package struct CaptionedImage: Sendable {
    /// Where it is in its data set: the set's name and the path in it, `archive.tar!entry` in an archive.
    package let origin: String
    /// What errors name: the same with the path that the user gave.
    package let place: String
    /// What it is called in its data set.
    package let name: String
    package let caption: String
    /// Where the data set says that it was found.
    package let url: String?
    package let bytes: [UInt8]

    /// Files larger than this are refused before memory is taken for them.
    static let largestFile = 1 << 28
}

/// Images in a layout that other programs write. Making one checks all of the layout before the first image is
/// imported: names, captions, what is missing. Samples that cannot be imported are counted in an ``ImportTally``.
package protocol ImageSource {
    /// Images that it will hand over.
    var count: Int { get }

    /// Hands over the images in order until `body` says that it has enough.
    func forEach(_ body: (CaptionedImage) throws -> Bool) throws
}
