/// Zeros around an image, in pixels.
package struct Padding: Sendable, Equatable {
    package var top, left, bottom, right: Int

    package init(top: Int, left: Int, bottom: Int, right: Int) {
        (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }

    package static let none = uniform(0)
    package static func uniform(_ n: Int) -> Padding { Padding(top: n, left: n, bottom: n, right: n) }
}
