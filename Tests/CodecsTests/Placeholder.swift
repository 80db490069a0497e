import Testing
import Codecs

@Test func placeholder() {}
