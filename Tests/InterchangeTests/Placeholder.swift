import Testing
import Interchange

@Test func placeholder() {}
