import Diffusion
import Foundation
import Testing
import Workflows

@Suite struct RunHistoryTests {
    @Test func settingsAreShownAsTheLogHasThem() {
        var history = RunHistory()
        history.add(
            Data(
                """
                {"event":"run","model":"m","selection":"s","configuration":{"seed":18446744073709551615,"start":\
                9007199254740993,"low":-9223372036854775807,"lr":0.0001,"steps":120,"follow":false,"ema":null,\
                "loss":{"kind":"dpo","beta":5.5},"large":1e300,"list":[1,"two"]}}

                """.utf8))
        #expect(history.damagedLine == nil && history.settings.steps == 120)
        let shown = Dictionary(uniqueKeysWithValues: history.settings.values.map { ($0.name, $0.value) })
        #expect(
            shown == [
                "seed": "18446744073709551615", "start": "9007199254740993", "low": "-9223372036854775807",
                "lr": "0.0001", "steps": "120", "follow": "no", "loss": "beta 5.5, kind dpo", "large": "1e+300",
                "list": "1, two",
            ])
    }

    @Test func numbersComeBackAsTheyWere() throws {
        let text = "[18446744073709551615,-9007199254740993,9007199254740992,0.1,1]"
        let values = try JSONDecoder().decode([JSONValue].self, from: Data(text.utf8))
        #expect(String(decoding: try JSONEncoder().encode(values), as: UTF8.self) == text)
        #expect(values.map(\.double) == [0x1p64, -0x1p53, 0x1p53, 0.1, 1])
    }
}
