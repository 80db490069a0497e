import Testing
import Tensor

@Test func placeholder() {}
