import Testing
import HDF5

@Test func placeholder() {}
