import Testing
import Diffusion

@Test func placeholder() {}
