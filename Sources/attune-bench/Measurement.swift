import CorpusStore
import Foundation

import Glibc

/// One line of output.
struct Measurement: Encodable {
    var engine = "attune"
    let what: String
    /// The median of ``runs``.
    let seconds: Double
    let runs: [Double]
    /// The process's largest resident size so far.
    let rssGB: Double
    var relativeError: Double?
    /// The side of the latents.
    var latent: Int?
    var gflops: Double?
    /// Things that were found or done, and how many of them in a second.
    var count: Int?
    var perSecond: Double?
    /// What is on disk.
    var megabytes: Double?

    init(_ what: String, _ runs: [Double], relativeError: Double? = nil, gflops: Double? = nil) {
        (self.what, self.runs, self.relativeError, self.gflops) = (what, runs, relativeError, gflops)
        let sorted = runs.sorted()
        seconds = sorted.isEmpty ? 0 : (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
        rssGB = Double(peakResidentBytes) / Double(1 << 30)
    }

    private enum CodingKeys: String, CodingKey {
        case engine, what, seconds, runs, gflops, latent, count, megabytes
        case perSecond = "per_second"
        case rssGB = "rss_gb"
        case relativeError = "relative_error"
    }

    func print() throws {
        Swift.print(String(decoding: try JSONEncoder.stable.encode(self), as: UTF8.self))
        fflush(nil)
    }
}

/// The most memory that this process has had resident, in bytes.
private var peakResidentBytes: Int {
    var usage = rusage()
    getrusage(0, &usage)
    return usage.ru_maxrss * 1024
}

/// What all threads of this process have computed so far, and the kernel for them, in seconds.
var processorSeconds: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

/// Runs `body` once unmeasured, then `count` times; gives the times in seconds.
func times<E: Error>(_ count: Int, _ body: () throws(E) -> Void) throws(E) -> [Double] {
    let clock = ContinuousClock()
    var times: [Double] = []
    for run in 0...count {
        let begin = clock.now
        try body()
        if run > 0 { times.append((clock.now - begin) / .seconds(1)) }
    }
    return times
}
