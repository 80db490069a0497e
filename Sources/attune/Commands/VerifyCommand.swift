import ArgumentParser
import Corpus

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every byte of a corpus; exit with 2 if any is damaged.")

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open()
        let total = corpus.shards().count
        let bar = ProgressBar("verify", total: total, unit: "shards")
        let damage = corpus.verify { done, _ in bar.update(done) }
        bar.finish()
        if output.json {
            print(try jsonText(damage.map(\.description)))
        } else {
            damage.forEach { print("damaged: \(oneLine($0.description))") }
            print(damage.isEmpty ? "\(total) shards are whole" : "\(damage.count) of \(total) shards are damaged")
        }
        if !damage.isEmpty { throw ExitStatus.damaged.code }
    }
}
