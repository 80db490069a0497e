import Testing
import attune

@Test func placeholder() {}
