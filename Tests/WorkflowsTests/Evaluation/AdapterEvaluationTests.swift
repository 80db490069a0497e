import CorpusStore
import Diffusion
import Foundation
import Statistics
import Tensors
import TestSupport
import Testing
import Tuning
import Workflows

@Suite("evaluate with adapters") struct AdapterEvaluationTests {
    private let scratch: Scratch
    private let corpus: Corpus

    init() throws {
        scratch = try Scratch()
        corpus = try Corpus.create(at: scratch.url("corpus"), scoring: TraceScores())
    }

    /// An adapter with drawn values; of scale 0 one that changes nothing.
    private func adapter(_ name: String, seed: UInt64, scale: Float) throws -> EvaluationJob.Adapter {
        let unet = try DiffusionModel.load(from: Repository.tinySD).unet
        let fresh = try Adapter(
            initializing: .lora, rank: 2, alpha: 2, targets: .attention, for: unet.linears, seed: seed)
        let drawn = fresh.replacing(
            fresh.parameters.enumerated().map { place, parameter in
                CounterGenerator(seed: seed, stream: UInt64(place)).normal(parameter.value.shape) * scale
            })
        let file = scratch.url("\(name).safetensors")
        try AdapterFile.write(drawn, to: file)
        return EvaluationJob.Adapter(label: name, file: file)
    }

    private func job(_ adapters: [EvaluationJob.Adapter] = []) throws -> EvaluationJob {
        var job = EvaluationJob(
            model: ModelSource(folder: Repository.tinySD),
            prompts: URL(fileURLWithPath: try scratch.file("prompts.txt", "a star and a cross\none red circle\n")))
        (job.imagesPerPrompt, job.guidance, job.steps, job.batch, job.resamples) = (3, [1.5, 4], 3, 4, 200)
        job.adapters = adapters
        return job
    }

    @Test func severalAdaptersMakeTheSameSeedsAndDiffersArePaired() throws {
        let adapters = [
            try adapter("none", seed: 1, scale: 0), try adapter("weak", seed: 2, scale: 0.2),
            try adapter("strong", seed: 3, scale: 0.5),
        ]
        let (found, _, outcome) = try job(adapters).run(in: corpus, monitor: Recorder())
        let report = try #require(found)
        #expect(outcome.made == 4 * 2 * 6 && outcome.total == 48)
        #expect(report.settings.adapters.map(\.label) == ["none", "weak", "strong"])

        // Every model has the same prompts and seeds.
        let rows = try corpus.query(CatalogueQuery())
        let digests = [String?.none] + report.settings.adapters.map { Optional($0.digest) }
        let sets = digests.map { digest in
            Set(rows.filter { $0.adapter == digest }.map { "\($0.prompt) \($0.seed) \($0.guidance)" })
        }
        #expect(sets.allSatisfy { $0 == sets[0] && $0.count == 12 })

        // Means over prompts by hand, and differences of the same prompts.
        func means(_ model: String, _ guidance: Double) -> [String: Double] {
            Dictionary(
                uniqueKeysWithValues: report.prompts.filter { $0.model == model && $0.guidance == guidance }
                    .compactMap { one in one.values["mi"].map { (one.prompt, $0) } })
        }
        for guidance in [1.5, 4] {
            let base = means("base", guidance)
            #expect(base.count == 2)
            for model in ["none", "weak", "strong"] {
                let own = means(model, guidance)
                let expected = base.keys.reduce(0) { $0 + (own[$1] ?? .nan) - (base[$1] ?? .nan) } / 2
                let difference = try #require(
                    report.differences.first {
                        $0.model == model && $0.baseline == "base" && $0.guidance == guidance
                            && $0.baselineGuidance == guidance && $0.score == "mi" && $0.category == "all"
                    })
                #expect(abs(difference.value.mean - expected) < 1e-12)
                #expect(difference.value.low <= expected && expected <= difference.value.high)
                // What changes nothing differs in nothing, and what does in something.
                #expect((difference.value.mean == 0) == (model == "none"))
                if model == "none" { #expect(difference.value.low == 0 && difference.value.high == 0) }
            }
            // Later adapters are held against earlier ones too.
            let pairs = report.differences.filter { $0.guidance == guidance && $0.baselineGuidance == guidance }
            #expect(
                Set(pairs.map { "\($0.model)-\($0.baseline)" }) == [
                    "none-base", "weak-base", "weak-none", "strong-base", "strong-none", "strong-weak",
                ])
        }

        // Each model's best guidance is the one with the largest mean of the referee.
        #expect(report.best.map(\.model) == ["base", "none", "weak", "strong"])
        for best in report.best {
            let own = report.results.filter {
                $0.model == best.model && $0.score == "shapes" && $0.category == "all"
            }
            #expect(own.count == 2 && best.value.mean == own.map(\.value.mean).max())
            #expect(own.contains { $0.guidance == best.guidance && $0.value == best.value })
        }
        #expect(report.best[0].guidance == report.best[1].guidance && report.best[0].value == report.best[1].value)
    }

    @Test func aStopInTheMiddleOfAnAdapterLosesNothing() throws {
        let adapters = [try adapter("weak", seed: 2, scale: 0.2), try adapter("strong", seed: 3, scale: 0.5)]
        let job = try job(adapters)
        let whole = try Corpus.create(at: scratch.url("whole"), scoring: TraceScores())
        let expected = try #require(try job.run(in: whole, monitor: Recorder()).report)
        // Of six sweeps of two batches: base is done, and the first batch of the first adapter.
        let first = try job.run(in: corpus, monitor: Recorder(allowing: 5))
        #expect(first.report == nil && !first.outcome.isFinished && first.outcome.made == 12 + 4)
        let again = try job.run(in: corpus, monitor: Recorder(allowing: 3))
        #expect(again.report == nil && again.outcome.skipped == 16 && again.outcome.made == 8)
        let last = try job.run(in: corpus, monitor: Recorder())
        let report = try #require(last.report)
        #expect(last.outcome.skipped == 24 && last.outcome.made == 12)
        #expect(try jsonText(report) == jsonText(expected))
        #expect(try job.run(in: corpus, monitor: Recorder()).outcome.made == 0)
    }

    @Test func aPrecisionIsAnotherEvaluation() throws {
        var job = try job([try adapter("weak", seed: 2, scale: 0.2)])
        job.guidance = [4]
        let plain = try job.run(in: corpus, monitor: Recorder())
        #expect(try !jsonText(try #require(plain.report).settings).contains("precision"))
        job.model.precision = .bfloat16
        (job.negatives, job.negativeCount) = (.rules(seed: 0), 2)
        let rounded = try job.run(in: corpus, monitor: Recorder())
        #expect(rounded.outcome.made == 12 && rounded.report?.settings.precision == "bfloat16")
        #expect(rounded.name != plain.name)
        #expect(try job.run(in: corpus, monitor: Recorder()).outcome.made == 0)
        let sets = try corpus.scores(of: corpus.ids(CatalogueQuery()))
        #expect(sets.map(\.scorer.precision) == ["bfloat16"])
    }

    @Test func qualityIsMeasuredAgainstRealImages() throws {
        var job = try job([try adapter("strong", seed: 3, scale: 0.5)])
        // What is compared with itself lies at no distance.
        job.reference = "guidance = 4 AND adapter IS NULL"
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        let quality = try #require(report.quality)
        #expect(quality.map { "\($0.model) \($0.guidance)" } == ["base 1.5", "base 4.0", "strong 1.5", "strong 4.0"])
        #expect(quality.allSatisfy { $0.images == 6 && $0.referenceImages == 6 && $0.metric == "fd_latents" })
        #expect(abs(quality[1].value) < 1e-3 * quality[0].value && quality.allSatisfy { $0.value > -1e-6 })
        // Six images in 64 dimensions.
        #expect(quality.allSatisfy { $0.low == nil } && report.notes.contains { $0.contains("biased upward") })
        let table = try #require(EvaluationTables.quality(report)).text
        #expect(table.contains("distance to real images") && table.contains("strong"))
        job.reference = "tag = 'nobody'"
        let failure = #expect(throws: Failure.self) { try job.run(in: corpus, monitor: Recorder()) }
        #expect(failure?.description.contains("no sample fits") == true)
    }

    @Test(.enabled(if: Programs.hasJSONSchema, "a Python with jsonschema is needed: make setup-python"))
    func plotsAndDocumentAreWellFormed() throws {
        var job = try job([try adapter("strong <&>", seed: 3, scale: 0.5)])
        (job.reference, job.name) = ("guidance = 4 AND adapter IS NULL", "mine")
        let report = try #require(try job.run(in: corpus, monitor: Recorder()).report)
        let places = try EvaluationPlots.write(EvaluationPlots.plots(report), to: scratch.url("plots"))
        let names = Set(places.map { URL(fileURLWithPath: $0).lastPathComponent })
        #expect(names.isSuperset(of: ["guidance-shapes.svg", "guidance-mi.svg", "sweet-spot.svg", "categories.svg"]))
        let sweep = try String(contentsOfFile: scratch.path("plots/guidance-shapes.svg"), encoding: .utf8)
        #expect(sweep.contains(">guidance scale<") && sweep.contains(">share aligned<"))
        #expect(sweep.contains(">strong &lt;&amp;&gt;<") && sweep.contains("prefers-color-scheme: dark"))
        // A mark and an interval for each of two models at two scales, and two marks in the legend.
        #expect(sweep.components(separatedBy: "\"plot-interval\"").count - 1 == 4)
        #expect(sweep.components(separatedBy: "\"plot-mark\"").count - 1 == 6)
        let spot = try String(contentsOfFile: scratch.path("plots/sweet-spot.svg"), encoding: .utf8)
        #expect(spot.contains(">1.5</text>") && spot.contains(">4</text>"))
        let python = try #require(Programs.python)
        let parsed = try Programs.run(
            python, ["-c", "import sys, xml.dom.minidom as m\nfor f in sys.argv[1:]: m.parse(f)"] + places)
        #expect(parsed.status == 0, "\(parsed.errors)")
        let script = Repository.root.appending(path: "Tests/Interop/check_documents.py").path
        let checked = try Programs.run(python, [script, "evaluation=\(corpus.folder.path)/evaluations"])
        #expect(checked.status == 0, "\(checked.output)\(checked.errors)")

        // A report shows them above the tables.
        var page = ReportJob()
        page.evaluations = [StoredEvaluations.file("mine", in: corpus)]
        let file = try page.write(to: scratch.url("report.html"), corpus: { corpus }, corpusFolder: { corpus.folder })
        let html = try String(contentsOf: file, encoding: .utf8)
        #expect(html.contains("shapes over guidance") && html.contains("Alignment against quality, by guidance"))
        #expect(html.contains("<caption class=\"hidden\">results</caption>"))
    }

    @Test func rankingIsPlottedByWhatItCosts() throws {
        let small = try SmallCorpus()
        let rows = try small.corpus.query(CatalogueQuery()).sorted { ($0.prompt, $0.seed) < ($1.prompt, $1.seed) }
        try small.corpus.annotate(
            zip(rows, [1.0, 0, 0, 1, 1, 0]).map { AnnotationValue(sample: $0.id, value: $1) }, by: "right", from: "test"
        )
        var agreement = AgreementJob(referee: Referee("right"), scores: [try ScoreForm("mi")])
        agreement.measuresCosts = true
        #expect(try agreement.run(in: small.corpus, monitor: Recorder()).costs == nil)
        var scoring = ScoringJob(model: small.job.model)
        (scoring.draws, scoring.steps, scoring.negatives, scoring.negativeCount) = (2, 4, .rules(seed: 0), 3)
        _ = try scoring.run(in: small.corpus, monitor: Recorder())
        let report = try agreement.run(in: small.corpus, monitor: Recorder())
        let costs = try #require(report.costs)
        // DDPM's four timesteps are 750, 500, 250 and 0: three that count.
        let contrast = costs.filter { $0.series == "contrast, 3 near misses" }
        #expect(contrast.map(\.forwards) == [4, 8, 12, 24])
        #expect(costs.filter { $0.series == "contrast, 1 near miss" }.map(\.forwards) == [2, 4, 6, 12])
        #expect(costs.filter { $0.series == "mc" }.map(\.forwards) == [2, 4, 6, 12])
        #expect(Set(costs.map(\.series)).count == 6)
        // The whole measurement is the column.
        let whole = AgreementJob(referee: Referee("right"), scores: [try ScoreForm("contrast"), try ScoreForm("mc")])
        let agreements = try whole.run(in: small.corpus, monitor: Recorder()).agreement
        #expect(contrast.last?.auc == agreements.first { $0.score == "contrast" }?.auc)
        #expect(costs.last { $0.series == "mc" }?.auc == agreements.first { $0.score == "mc" }?.auc)
        let places = try EvaluationPlots.write(EvaluationPlots.plots(report), to: scratch.url("plots"))
        let text = try String(contentsOfFile: try #require(places.first), encoding: .utf8)
        #expect(places.count == 1 && text.contains(">UNet passes an image<") && text.contains("plot-reference"))
    }
}
