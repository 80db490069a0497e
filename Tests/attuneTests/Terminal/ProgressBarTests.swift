import Testing
import attune

@Suite struct ProgressBarTests {
    @Test func showsRateAndTimeToGo() {
        let line = ProgressBar.line(
            title: "generate", done: 30, start: 10, total: 130, unit: "images", seconds: 10, bar: false, note: "")
        #expect(line == "generate  30/130 images  2.00/s  0:50 to go")
    }

    @Test func leavesOutARateThatIsNotKnown() {
        let line = ProgressBar.line(
            title: "train", done: 5, start: 5, total: 10, unit: "steps", seconds: 3, bar: true, note: "loss 0.1")
        #expect(line == "train  [############············]  5/10 steps  loss 0.1")
    }

    @Test func aLineFitsTheTerminal() {
        func line(_ width: Int) -> String {
            ProgressBar.line(
                title: "train", done: 50, start: 0, total: 100, unit: "steps", seconds: 25, bar: true,
                note: "loss 0.123", width: width)
        }
        #expect(line(100) == "train  [############············]  50/100 steps  2.00/s  0:25 to go  loss 0.123")
        for width in 20...100 { #expect(line(width).count < width) }
        #expect(line(70).contains("[") && line(70).contains("to go"))
        #expect(line(45).contains("to go") && !line(45).contains("loss"))
    }
}
