import ArgumentParser
import Curation
import Tensors

/// How long near-duplicates among very many images take, without the images: prints of noise, of which one in a hundred
/// is a changed copy of another.
struct DuplicatesBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates",
        abstract: "Near-duplicates among many prints, and how many of the planted ones are found.")

    @Option var count = 1_000_000

    func run() throws {
        let prints = made()
        let planted = count / 100
        let clock = ContinuousClock()
        let begin = clock.now
        let groups = try DuplicateFinder().groups(prints).groups
        let time = (clock.now - begin) / .seconds(1)
        let pairs = groups.flatMap { group in group.dropFirst().map { (group[0], $0) } }
        let found = pairs.count { $1 == $0 + count - planted }
        let extra = pairs.count - found
        var line = Measurement("near-duplicates of \(count) prints, \(extra) others grouped", [time])
        (line.count, line.perSecond) = (found, Double(count) / time)
        try line.print()
    }

    private func made() -> [ImagePrint] {
        let planted = count / 100
        let first = Parallel.map(count - planted) { index in
            let draws = CounterGenerator(seed: 1, stream: UInt64(index))
            var bytes: [UInt8] = []
            bytes.reserveCapacity(ImagePrint.width)
            for position in 0..<(ImagePrint.width + 7) / 8 {
                let word = draws.bits(UInt64(position))
                for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(byte)))) }
            }
            return ImagePrint(bytes: bytes.prefix(ImagePrint.width))
        }
        let copies = (0..<planted).map { index in
            var bytes = first[index].bytes
            let draws = CounterGenerator(seed: 2, stream: UInt64(index))
            // Bits of the first hash, and a little of every pixel.
            for flip in 0..<index % 8 {
                let bit = draws.integer(UInt64(flip), below: 64)
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            for place in bytes.count - 704..<bytes.count {
                bytes[place] = UInt8(min(Int(bytes[place]) + place % 5, 255))
            }
            return ImagePrint(bytes: bytes)
        }
        return first + copies
    }
}
