import Testing
import Tuning

@Test func placeholder() {}
