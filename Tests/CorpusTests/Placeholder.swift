import Testing
import Corpus

@Test func placeholder() {}
